// Your own search space in a dozen lines. Use it by its file:
//   netsmith search --space examples/own-space.ts --space-options width=8 --trials 20
import {
  activation,
  batchNorm,
  choice,
  conv,
  defineSpace,
  globalAvgPool,
  identity,
  int,
  linear,
  maxPool,
  pick,
  repeat,
  separableConv,
  sequential,
} from 'netsmith';

export const ownSpace = defineSpace(
  'own-space',
  (_task, { width }) => {
    const convolution = choice('convolution', {
      plain: conv(width, pick('kernel', [3, 5])),
      separable: separableConv(width, 3),
    });
    const block = sequential(convolution, batchNorm(), activation(pick('activation', ['relu', 'silu'])));
    const pooling = choice('pooling', { yes: maxPool(2, { stride: 2 }), no: identity() });
    return sequential(repeat(int('depth', 1, 3), block), pooling, globalAvgPool(), linear('outputs'));
  },
  { description: 'one block, repeated', defaults: { width: 16 } },
);
