import { choice, conv, dag, dropout, flatten, identity, linear, sequential } from '../../src/space/tree/builders.ts';
import { defineSpace } from '../../src/space/tree/define.ts';

/** A cell of 6 edges whose operation with weights is so noisy that skip connections win. */
export const noisyCell = defineSpace('noisy-cell', () => {
  const noisy = sequential(conv(4, 1), dropout(0.9));
  const edge = (from: number, to: number) => choice(`${from}->${to}`, { noisy, skip: identity() });
  return sequential(conv(4, 3), dag(3, edge), flatten(), linear('outputs'));
});
