import {
  activation,
  batchNorm,
  conv,
  globalAvgPool,
  linear,
  maxPool,
  sequential,
} from '../../src/space/tree/builders.ts';
import { defineSpace } from '../../src/space/tree/define.ts';

/** One network for tables and one for images: what tests train by `--space FILE`, whatever becomes of the shipped spaces. */
export const fixtureSpace = defineSpace('fixture', ({ input }) => {
  if (input.length < 3) return sequential(linear(64), activation('gelu'), linear('outputs'));
  const [, height = 1, width = 1] = input;
  // Large images are halved first, as far as 8 by 8 allow three stages.
  const halvings = Math.max(0, Math.ceil(Math.log2(Math.max(height, width) / 16)));
  const stem = Array.from({ length: halvings }, () => [
    conv(8, 3, { stride: 2, bias: true }),
    activation('relu'),
  ]).flat();
  const stage = [conv(8, 3, { bias: true }), batchNorm(), activation('relu')];
  const stages = [...stage, maxPool(2, { stride: 2 }), ...stage, maxPool(2, { stride: 2 }), ...stage];
  return sequential(...stem, ...stages, globalAvgPool(), linear('outputs'));
});
