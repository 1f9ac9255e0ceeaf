import { type OpOf, type Shape, sizeOf } from '../ir.ts';
import { broadcastTo, constant, div, exp, mul, reduceSum, reshape, scale, step, sub } from './construct.ts';
import { arity, at, type Definition, notCounted, refuse } from './definition.ts';
import { broadcastStrides, offsets } from './strides.ts';

/** The shape with the reduced axes kept as 1. */
function kept(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
}

export const reduceDefinition: Definition<OpOf<'reduce'>> = {
  shape(op, inputs) {
    arity(op, inputs, 1);
    const shape = at(inputs, 0);
    const { axes } = op;
    const rise = axes.every((axis, i) => Number.isInteger(axis) && axis > (axes[i - 1] ?? -1) && axis < shape.length);
    if (!rise) refuse(op, inputs, `axes are different ones of 0 to ${shape.length - 1}, found [${axes.join(',')}]`);
    return op.keepDims ? kept(shape, axes) : shape.filter((_, axis) => !axes.includes(axis));
  },
  flops: notCounted,
  gradient(g, { op, inputs, output, upstream }) {
    const x = at(inputs, 0);
    const shape = g.shape(x);
    const wide = kept(shape, op.axes);
    const dy = reshape(g, upstream, wide);
    switch (op.fn) {
      case 'sum':
        return [broadcastTo(g, dy, shape)];
      case 'mean':
        return [broadcastTo(g, scale(g, dy, sizeOf(wide) / sizeOf(shape)), shape)];
      case 'max': {
        const y = reshape(g, output, wide);
        const largest = sub(g, constant(g, 1), step(g, sub(g, y, x)));
        return [mul(g, largest, div(g, dy, reduceSum(g, largest, op.axes, true)))];
      }
    }
  },
  kernel(op, inputs, shape) {
    const x = at(inputs, 0);
    const to = offsets(x.shape, broadcastStrides(kept(x.shape, op.axes), x.shape));
    const y = new Float64Array(sizeOf(shape));
    if (op.fn === 'max') {
      y.fill(-Infinity);
      for (let i = 0; i < to.length; i++) {
        const j = to[i] ?? Number.NaN;
        y[j] = Math.max(y[j] ?? Number.NaN, x.data[i] ?? Number.NaN);
      }
      return y;
    }
    for (let i = 0; i < to.length; i++) {
      const j = to[i] ?? Number.NaN;
      y[j] = (y[j] ?? Number.NaN) + (x.data[i] ?? Number.NaN);
    }
    const count = to.length / y.length;
    if (op.fn === 'mean') for (let j = 0; j < y.length; j++) y[j] = (y[j] ?? Number.NaN) / count;
    return y;
  },
};

export const logSoftmaxDefinition: Definition<OpOf<'logSoftmax'>> = {
  shape(op, inputs) {
    arity(op, inputs, 1);
    const shape = at(inputs, 0);
    const { axis } = op;
    return Number.isInteger(axis) && axis >= 0 && axis < shape.length
      ? shape
      : refuse(op, inputs, `has no axis ${axis}`);
  },
  flops: notCounted,
  gradient(g, { op, output, upstream }) {
    return [sub(g, upstream, mul(g, exp(g, output), reduceSum(g, upstream, [op.axis], true)))];
  },
  kernel({ axis }, inputs, shape) {
    const x = at(inputs, 0).data;
    const count = at(shape, axis);
    const stride = sizeOf(shape.slice(axis + 1));
    const y = new Float64Array(x.length);
    for (let first = 0; first < x.length; first++) {
      if (Math.floor(first / stride) % count !== 0) continue;
      const last = first + count * stride;
      let largest = -Infinity;
      for (let i = first; i < last; i += stride) largest = Math.max(largest, x[i] ?? Number.NaN);
      let sum = 0;
      for (let i = first; i < last; i += stride) sum += Math.exp((x[i] ?? Number.NaN) - largest);
      const shift = largest + Math.log(sum);
      for (let i = first; i < last; i += stride) y[i] = (x[i] ?? Number.NaN) - shift;
    }
    return y;
  },
};
