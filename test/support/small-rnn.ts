/** A recurrent network for tokens, with one choice. */
import { defineSpace, embedding, linear, pick, recurrent, sequential } from '../../src/index.ts';

export const space = defineSpace(
  'small-rnn',
  () => sequential(embedding('inputs', 16), recurrent('gru', pick('units', [32, 48])), linear('outputs')),
  { description: 'a GRU for tests' },
);
