import {
  batchNorm,
  choice,
  conv,
  globalAvgPool,
  identity,
  linear,
  relu,
  sequential,
} from '../../src/space/tree/builders.ts';
import { defineSpace } from '../../src/space/tree/define.ts';

const block = (kernel: number) => sequential(conv(4, kernel), batchNorm(), relu());

/** Six small networks for images, whose supernet trains in seconds. */
export const twoBlocks = defineSpace('two-blocks', () =>
  sequential(
    conv(4, 3),
    choice('first', { skip: identity(), narrow: block(1), wide: block(3) }),
    choice('second', { skip: identity(), wide: block(3) }),
    globalAvgPool(),
    linear('outputs'),
  ),
);
