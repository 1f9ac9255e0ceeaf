/** Next token over int32 sequences, as a file for `--data` and `--space`. */
import { defineDataset } from '../../../src/data/own.ts';
import { embedding, linear, pick, recurrent, sequential } from '../../../src/space/tree/builders.ts';
import { defineSpace } from '../../../src/space/tree/define.ts';
import { nextToken, sequences } from '../tasks/next-token.ts';

const TIME = 4;

export const data = defineDataset({
  name: 'steps',
  kind: 'next-token',
  task: nextToken,
  open: () => ({
    ...{ input: [TIME], labels: [...'abcde'] },
    train: sequences('train', 24, TIME),
    valid: sequences('valid', 12, TIME),
    test: sequences('test', 12, TIME),
  }),
});

export const space = defineSpace('tokens', () =>
  sequential(embedding('inputs', pick('size', [4, 6])), recurrent('gru', pick('units', [4, 6, 8])), linear('outputs')),
);
