import {
  choice,
  conv,
  defineSpace,
  globalAvgPool,
  identity,
  int,
  linear,
  pick,
  sequential,
} from '../../space/index.ts';
import type { Space } from '../../space/space.ts';

/**
 * Decisions that depend on others: `channels` on either of two choices, on the second one also where it was met, inactive,
 * before that is made; `kernel` on a value of the first; and a range of more whole numbers than a list is made of.
 */
export const conditionalSpace: Space = defineSpace('conditional', () => {
  const wide = conv(pick('channels', [4, 8, 16]), 3);
  return sequential(
    choice('first', { conv: conv(8, pick('kernel', [1, 3, 5])), wide, none: identity() }),
    choice('second', { wide, none: identity() }),
    conv(int('last', 1, 64), 1),
    globalAvgPool(),
    linear('outputs'),
  );
}).create({ kind: 'classification', input: [3, 32, 32], outputs: 10 });
