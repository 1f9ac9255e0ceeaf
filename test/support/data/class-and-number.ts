/** A class and a number, as a file for `--data` and `--space`, with a baseline of its own. */
import { defineDataset } from '../../../src/data/own.ts';
import { activation, linear, pick, sequential } from '../../../src/space/tree/builders.ts';
import { defineSpace } from '../../../src/space/tree/define.ts';
import { classAndNumber, plane } from '../tasks/class-and-number.ts';

export const space = defineSpace('two-heads', () =>
  sequential(linear(pick('units', [4, 8, 12])), activation(pick('fn', ['relu', 'tanh'])), linear('outputs')),
);

export const data = defineDataset({
  name: 'points',
  kind: 'class-and-number',
  task: {
    ...classAndNumber,
    baselines: (task) => ({ straight: { space: space.create(task), architecture: { units: 4, fn: 'relu' } } }),
  },
  open: ({ seed }) => ({
    ...{ input: [2], outputs: 3, labels: ['left', 'right'] },
    train: plane(`train ${seed}`, 24),
    valid: plane('valid', 12),
    test: { count: 12, open: async () => plane('test', 12) },
  }),
});
