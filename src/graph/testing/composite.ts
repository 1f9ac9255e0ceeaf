import type { GraphBuilder } from '../builder.ts';
import type { NodeId } from '../ir.ts';
import * as ops from '../ops.ts';
import { type GraphCase, graphCase } from './case.ts';

/** Batch normalisation in training, over all axes but the second of [N, C, H, W]. */
function batchNorm(g: GraphBuilder, x: NodeId, gain: NodeId, shift: NodeId): NodeId {
  const axes = [0, 2, 3];
  const channels = (v: NodeId) => ops.reshape(g, v, [1, ...g.shape(v), 1, 1]);
  const centred = ops.sub(g, x, ops.reduceMean(g, x, axes, true));
  const variance = ops.reduceMean(g, ops.mul(g, centred, centred), axes, true);
  const deviation = ops.sqrt(g, ops.add(g, variance, ops.constant(g, 1e-5)));
  return ops.add(g, ops.mul(g, ops.div(g, centred, deviation), channels(gain)), channels(shift));
}

/** What networks are made of: several operators together, with branches that share nodes. */
export const compositeCases: readonly GraphCase[] = [
  graphCase(
    'batch normalisation in training',
    { x: [[3, 2, 2, 3]], gain: [[2]], shift: [[2]] },
    (g, x = 0, gain = 0, shift = 0) => batchNorm(g, x, gain, shift),
  ),
  graphCase('softmax cross-entropy', { logits: [[3, 4]], targets: [[3, 4]] }, (g, logits = 0, targets = 0) =>
    ops.neg(g, ops.reduceMean(g, ops.reduceSum(g, ops.mul(g, ops.logSoftmax(g, logits), targets), [-1]), [0])),
  ),
  graphCase('squeeze and excite', { x: [[2, 3, 2, 2]], w1: [[2, 3]], w2: [[3, 2]] }, (g, x = 0, w1 = 0, w2 = 0) => {
    const squeezed = ops.reduceMean(g, x, [2, 3]);
    const hidden = ops.tanh(g, ops.matmul(g, squeezed, w1, { transposeB: true }));
    const gate = ops.sigmoid(g, ops.matmul(g, hidden, w2, { transposeB: true }));
    return ops.mul(g, x, ops.reshape(g, gate, [2, 3, 1, 1]));
  }),
  graphCase(
    'a cell: convolution, pooling, skip and zero summed, then a classifier',
    { x: [[2, 2, 4, 4]], w: [[2, 2, 3, 3]], gain: [[2], 'positive'], shift: [[2]], out: [[3, 2]] },
    (g, x = 0, w = 0, gain = 0, shift = 0, out = 0) => {
      const geometry = { stride: [1, 1], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 1 } as const;
      const window = { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1] } as const;
      const branch = batchNorm(g, ops.conv(g, ops.sigmoid(g, x), w, geometry), gain, shift);
      const pooled = ops.avgPool(g, ops.maxPool(g, x, window), window);
      const cell = ops.add(g, ops.add(g, branch, pooled), ops.add(g, x, ops.zerosLike(g, x)));
      return ops.logSoftmax(g, ops.matmul(g, ops.reduceMean(g, cell, [2, 3]), out, { transposeB: true }));
    },
  ),
];
