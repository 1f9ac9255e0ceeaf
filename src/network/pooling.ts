import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import {
  closed,
  isSequence,
  type Lower,
  type Lowering,
  type ModuleOf,
  overImages,
  sequenceShape,
  showWindow,
  sizeOfWindow,
} from './lowering.ts';
import { BEHIND } from './padding.ts';

export const lowerPool: Lower<'pool'> = (l, module, x) => {
  if (closed(module.op) === 'max') return pool(l, module, belowAll(l, x));
  const filled = l.filled(x);
  if (filled === undefined) return pool(l, module, x);
  // Pooling divides by the size of the window: divide by the share of the window that holds positions as well.
  const shares = ops.maximum(l.g, pool(l, module, filled), ops.constant(l.g, 1e-9));
  return ops.div(l.g, pool(l, module, ops.mul(l.g, x, filled)), shares);
};

function pool(l: Lowering, module: ModuleOf<'pool'>, x: NodeId): NodeId {
  const [kernel, stride] = [sizeOfWindow(l, x, module.kernel), sizeOfWindow(l, x, module.stride)];
  const [top, left] = paddingOf(l, x, module.padding, kernel);
  return overImages(l, x, (images, [, , height, width]) => {
    if (height + 2 * top < kernel[0] || width + 2 * left < kernel[1]) {
      throw l.error(`input is ${height}x${width}`, `a window of ${showWindow(kernel)} must fit into the padded input`);
    }
    const geometry = { kernel, stride, pads: [top, left, top, left] } as const;
    return closed(module.op) === 'max' ? ops.maxPool(l.g, images, geometry) : ops.avgPool(l.g, images, geometry);
  });
}

/** x with what no maximum takes behind the ends of its samples. */
function belowAll(l: Lowering, x: NodeId): NodeId {
  const filled = l.filled(x);
  return filled === undefined ? x : ops.where(l.g, filled, x, ops.constant(l.g, BEHIND));
}

/** Rows above and below, columns left and right; a sequence has no rows to pad. */
function paddingOf(
  l: Lowering,
  x: NodeId,
  padding: ModuleOf<'pool'>['padding'],
  kernel: readonly [number, number],
): readonly [number, number] {
  if (padding === 'half') return [Math.floor((kernel[0] - 1) / 2), Math.floor((kernel[1] - 1) / 2)];
  const [height, width] = typeof padding === 'number' ? [padding, padding] : padding;
  return [isSequence(l, x) ? 0 : height, width];
}

export const lowerGlobalPool: Lower<'globalPool'> = (l, module, x) => {
  const axes = axesOfPositions(l, x);
  const isMax = closed(module.op) === 'max';
  const filled = l.filled(x);
  if (filled === undefined) return isMax ? ops.reduceMax(l.g, x, axes) : ops.reduceMean(l.g, x, axes);
  if (isMax) return ops.reduceMax(l.g, belowAll(l, x), axes);
  const length = ops.maximum(l.g, ops.reduceSum(l.g, filled, axes), ops.constant(l.g, 1)); // [N, 1]
  return ops.div(l.g, ops.reduceSum(l.g, ops.mul(l.g, x, filled), axes), length);
};

/** All axes behind the channels. */
function axesOfPositions(l: Lowering, x: NodeId): readonly number[] {
  const rank = l.g.shape(x).length;
  if (rank === 3) return [2];
  if (rank === 4) return [2, 3];
  throw l.error(`input is [${l.g.shape(x)}]`, 'it needs images, [N, C, H, W], or sequences, [N, C, T]');
}

export const lowerLast: Lower<'last'> = (l, module, x) => {
  const [n, c, t] = sequenceShape(l, x);
  if (module.at === 'start') return ops.reshape(l.g, ops.slice(l.g, x, [0, 0, 0], [n, c, 1]), [n, c]);
  const filled = l.filled(x);
  if (filled !== undefined) return ops.reduceSum(l.g, ops.mul(l.g, x, lastFilled(l, filled)), [2]);
  return ops.reshape(l.g, ops.slice(l.g, x, [0, 0, t - 1], [n, c, t]), [n, c]);
};

/** [N, 1, T]: 1 at the last position that a sample has. */
function lastFilled({ g }: Lowering, filled: NodeId): NodeId {
  const [n = 1, , t = 1] = g.shape(filled);
  if (t === 1) return filled;
  const next = ops.concat(g, [ops.slice(g, filled, [0, 0, 1], [n, 1, t]), ops.constant(g, 0, [n, 1, 1])], 2);
  return ops.sub(g, filled, next);
}
