import type { GraphBuilder } from '../builder.ts';
import type { NodeId } from '../ir.ts';
import * as ops from '../ops.ts';
import { type GraphCase, graphCase } from './case.ts';

/** Batch normalization in training, over all axes but the second of [N, C, H, W]. */
function batchNorm(g: GraphBuilder, x: NodeId, gain: NodeId, shift: NodeId): NodeId {
  const axes = [0, 2, 3];
  const channels = (v: NodeId) => ops.reshape(g, v, [1, ...g.shape(v), 1, 1]);
  const centered = ops.sub(g, x, ops.reduceMean(g, x, axes, true));
  const variance = ops.reduceMean(g, ops.mul(g, centered, centered), axes, true);
  const deviation = ops.sqrt(g, ops.add(g, variance, ops.constant(g, 1e-5)));
  return ops.add(g, ops.mul(g, ops.div(g, centered, deviation), channels(gain)), channels(shift));
}

/** What networks are made of: several operators together, with branches that share nodes. */
export const compositeCases: readonly GraphCase[] = [
  graphCase(
    'batch normalization in training',
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
  graphCase('causal attention of two heads', { qkv: [[2, 12, 3]], out: [[4, 4, 1, 1]] }, (g, qkv = 0, out = 0) => {
    const part = (k: number) => ops.reshape(g, ops.slice(g, qkv, [0, 4 * k, 0], [2, 4 * k + 4, 3]), [2, 2, 2, 3]);
    const scores = ops.matmul(g, part(0), part(1), { transposeA: true });
    const shares = ops.softmax(g, ops.where(g, ops.causalMask(g, 3), scores, ops.constant(g, -1e9)));
    const mixed = ops.reshape(g, ops.matmul(g, part(2), shares, { transposeB: true }), [2, 4, 1, 3]);
    return ops.conv(g, mixed, out, { stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], groups: 1 });
  }),
  graphCase(
    'two steps of a recurrent layer',
    { x: [[2, 3, 1, 2]], w: [[3, 3]], bias: [[3]] },
    (g, x = 0, w = 0, bias = 0) => {
      const now = (t: number) => ops.reshape(g, ops.slice(g, x, [0, 0, 0, t], [2, 3, 1, t + 1]), [2, 3]);
      const first = ops.tanh(g, now(0));
      const second = ops.tanh(g, ops.add(g, now(1), ops.matmul(g, first, w, { transposeB: true, bias })));
      return ops.concat(
        g,
        [first, second].map((h) => ops.reshape(g, h, [2, 3, 1])),
        2,
      );
    },
  ),
  graphCase('a tied embedding and output layer', { table: [[5, 3]] }, (g, table = 0) => {
    const rows = ops.transpose(g, ops.gather(g, table, ops.indices(g, [4, 0, 4, 1], [2, 2])), [0, 2, 1]);
    const filters = ops.reshape(g, table, [5, 3, 1, 1]);
    const geometry = { stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], groups: 1 } as const;
    const logits = ops.conv(g, ops.reshape(g, ops.tanh(g, rows), [2, 3, 1, 2]), filters, geometry);
    return ops.logSoftmax(g, ops.reshape(g, logits, [2, 5, 2]), 1);
  }),
  graphCase('a bilinear resize by products', { x: [[2, 1, 2, 3]] }, (g, x = 0) => {
    const along = (y: number, weights: readonly number[], from: number, to: number) => {
      const outer = g.shape(y).slice(0, -1);
      const rows = ops.reshape(g, y, [outer.reduce((product, n) => product * n, 1), from]);
      return ops.reshape(g, ops.matmul(g, rows, ops.constant(g, weights, [from, to])), [...outer, to]);
    };
    const wide = along(x, [1, 0.75, 0.25, 0, 0, 0, 0, 0.25, 0.75, 1, 0.5, 0, 0, 0, 0, 0, 0.5, 1], 3, 6);
    const tall = along(ops.transpose(g, wide, [0, 1, 3, 2]), [1, 0.5, 0, 0, 0.5, 1], 2, 3);
    return ops.transpose(g, tall, [0, 1, 3, 2]);
  }),
  graphCase('a transposed convolution', { x: [[2, 2, 2, 3]], w: [[2, 3, 3, 2]] }, (g, x = 0, w = 0) =>
    ops.convTranspose(g, x, w, { stride: [2, 1], dilation: [1, 1], pads: [0, 0, 1, 1], groups: 1 }, [2, 3, 4, 3]),
  ),
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
