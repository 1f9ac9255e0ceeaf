/** A class for each pixel, as a file for `--data` and `--space`; Netsmith divides it. */
import { defineDataset } from '../../../src/data/own.ts';
import { conv, pick, relu, sequential } from '../../../src/space/tree/builders.ts';
import { defineSpace } from '../../../src/space/tree/define.ts';
import { images, pixelClasses, SIDE } from '../tasks/pixel-classes.ts';

export const data = defineDataset({
  name: 'squares',
  kind: 'pixel-classes',
  task: pixelClasses,
  open: () => ({
    ...{ input: [1, SIDE, SIDE], labels: ['background', 'square'], range: [0, 255] as const },
    train: images('train', 40),
    notes: ['Squares that are brighter than the rest.'],
  }),
});

export const space = defineSpace('dense', () =>
  sequential(
    conv(pick('width', [2, 4, 6]), 3, { bias: true }),
    relu(),
    conv(2, pick('kernel', [1, 3]), { bias: true }),
  ),
);
