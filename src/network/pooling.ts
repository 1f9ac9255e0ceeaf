import * as ops from '../graph/ops.ts';
import { closed, imageShape, type Lower } from './lowering.ts';

export const lowerPool: Lower<'pool'> = (l, module, x) => {
  const [, , height, width] = imageShape(l, x);
  const [kernel, stride] = [closed(module.kernel), closed(module.stride)];
  const pad = module.padding === 'half' ? Math.floor((kernel - 1) / 2) : module.padding;
  if (height + 2 * pad < kernel || width + 2 * pad < kernel) {
    throw l.error(`input is ${height}x${width}`, `a window of ${kernel} must fit into the padded input`);
  }
  const geometry = { kernel: [kernel, kernel], stride: [stride, stride], pads: [pad, pad, pad, pad] } as const;
  return closed(module.op) === 'max' ? ops.maxPool(l.g, x, geometry) : ops.avgPool(l.g, x, geometry);
};

export const lowerGlobalPool: Lower<'globalPool'> = (l, module, x) => {
  imageShape(l, x);
  return closed(module.op) === 'max' ? ops.reduceMax(l.g, x, [2, 3]) : ops.reduceMean(l.g, x, [2, 3]);
};
