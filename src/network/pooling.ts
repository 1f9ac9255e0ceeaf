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

export const lowerPool: Lower<'pool'> = (l, module, x) => {
  const [kernel, stride] = [sizeOfWindow(l, x, module.kernel), sizeOfWindow(l, x, module.stride)];
  const [top, left] = paddingOf(l, x, module.padding, kernel);
  return overImages(l, x, (images, [, , height, width]) => {
    if (height + 2 * top < kernel[0] || width + 2 * left < kernel[1]) {
      throw l.error(`input is ${height}x${width}`, `a window of ${showWindow(kernel)} must fit into the padded input`);
    }
    const geometry = { kernel, stride, pads: [top, left, top, left] } as const;
    return closed(module.op) === 'max' ? ops.maxPool(l.g, images, geometry) : ops.avgPool(l.g, images, geometry);
  });
};

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
  return closed(module.op) === 'max' ? ops.reduceMax(l.g, x, axes) : ops.reduceMean(l.g, x, axes);
};

/** All axes behind the channels. */
function axesOfPositions(l: Lowering, x: NodeId): readonly number[] {
  const rank = l.g.shape(x).length;
  if (rank === 3) return [2];
  if (rank === 4) return [2, 3];
  throw l.error(`input is [${l.g.shape(x)}]`, 'it needs images, [N, C, H, W], or sequences, [N, C, T]');
}

export const lowerLast: Lower<'last'> = (l, _module, x) => {
  const [n, c, t] = sequenceShape(l, x);
  return ops.reshape(l.g, ops.slice(l.g, x, [0, 0, t - 1], [n, c, t]), [n, c]);
};
