import { type OpOf, type Shape, sizeOf } from '../ir.ts';
import { pad, reshape, slice, sumTo, transpose } from './construct.ts';
import { arity, at, type Definition, notCounted, positive, refuse, sameDtype, sameShape } from './definition.ts';
import { broadcastShape, broadcastStrides, offsets, rowMajor } from './strides.ts';

/** The elements of `from` at the given offsets. */
function gather(from: Float64Array, where: Int32Array): Float64Array {
  const out = new Float64Array(where.length);
  for (let i = 0; i < out.length; i++) out[i] = from[where[i] as number] ?? Number.NaN;
  return out;
}

/** Writes `from`, of the given shape, into `into`, of shape `whole`, with its first element at `corner`. */
function place(from: Float64Array, shape: Shape, into: Float64Array, whole: Shape, corner: readonly number[]): void {
  const where = offsets(shape, rowMajor(whole), offsetOf(whole, corner));
  for (let i = 0; i < from.length; i++) into[where[i] ?? Number.NaN] = from[i] ?? Number.NaN;
}

function offsetOf(shape: Shape, position: readonly number[]): number {
  return rowMajor(shape).reduce((sum, stride, axis) => sum + stride * at(position, axis), 0);
}

const isIndex = (n: number): boolean => Number.isInteger(n) && n >= 0;

export const broadcastToDefinition: Definition<OpOf<'broadcastTo'>> = {
  shape(op, inputs) {
    arity(op, inputs, 1);
    positive(op, inputs, op.shape);
    const common = broadcastShape(at(inputs, 0), op.shape);
    if (common !== undefined && sameShape(common, op.shape)) return op.shape;
    return refuse(op, inputs, `aligned at the last axis, sizes equal those of [${op.shape.join(',')}] or are 1`);
  },
  dtype: sameDtype,
  flops: notCounted,
  gradient: (g, { inputs, upstream }) => [sumTo(g, upstream, g.shape(at(inputs, 0)))],
  kernel(_op, inputs, shape) {
    const x = at(inputs, 0);
    return gather(x.data, offsets(shape, broadcastStrides(x.shape, shape)));
  },
};

export const reshapeDefinition: Definition<OpOf<'reshape'>> = {
  shape(op, inputs) {
    arity(op, inputs, 1);
    positive(op, inputs, op.shape);
    if (sizeOf(at(inputs, 0)) === sizeOf(op.shape)) return op.shape;
    return refuse(op, inputs, `the number of elements stays, but [${op.shape.join(',')}] has ${sizeOf(op.shape)}`);
  },
  dtype: sameDtype,
  flops: notCounted,
  gradient: (g, { inputs, upstream }) => [reshape(g, upstream, g.shape(at(inputs, 0)))],
  kernel: (_op, inputs) => at(inputs, 0).data,
};

export const transposeDefinition: Definition<OpOf<'transpose'>> = {
  shape(op, inputs) {
    arity(op, inputs, 1);
    const shape = at(inputs, 0);
    const sorted = [...op.perm].sort((a, b) => a - b);
    if (sorted.length === shape.length && sorted.every((axis, i) => axis === i)) {
      return op.perm.map((axis) => at(shape, axis));
    }
    return refuse(op, inputs, `perm is an order of 0 to ${shape.length - 1}, found [${op.perm.join(',')}]`);
  },
  dtype: sameDtype,
  flops: notCounted,
  gradient(g, { op, upstream }) {
    return [
      transpose(
        g,
        upstream,
        op.perm.map((_, axis) => op.perm.indexOf(axis)),
      ),
    ];
  },
  kernel(op, inputs, shape) {
    const x = at(inputs, 0);
    const strides = rowMajor(x.shape);
    return gather(
      x.data,
      offsets(
        shape,
        op.perm.map((axis) => at(strides, axis)),
      ),
    );
  },
};

export const sliceDefinition: Definition<OpOf<'slice'>> = {
  shape(op, inputs) {
    arity(op, inputs, 1);
    const shape = at(inputs, 0);
    const { starts, ends } = op;
    const inside =
      starts.length === shape.length &&
      ends.length === shape.length &&
      shape.every((n, axis) => {
        const [start, end] = [at(starts, axis), at(ends, axis)];
        return isIndex(start) && isIndex(end) && start < end && end <= n;
      });
    if (inside) return ends.map((end, axis) => end - at(starts, axis));
    const found = `[${starts.join(',')}] to [${ends.join(',')}]`;
    return refuse(op, inputs, `each axis has 0 <= start < end <= size, found ${found}`);
  },
  dtype: sameDtype,
  flops: notCounted,
  gradient(g, { op, inputs, upstream }) {
    const after = g.shape(at(inputs, 0)).map((n, axis) => n - at(op.ends, axis));
    return [pad(g, upstream, op.starts, after)];
  },
  kernel(op, inputs, shape) {
    const x = at(inputs, 0);
    return gather(x.data, offsets(shape, rowMajor(x.shape), offsetOf(x.shape, op.starts)));
  },
};

export const padDefinition: Definition<OpOf<'pad'>> = {
  shape(op, inputs) {
    arity(op, inputs, 1);
    const shape = at(inputs, 0);
    const { before, after } = op;
    if (before.length === shape.length && after.length === shape.length && [...before, ...after].every(isIndex)) {
      return shape.map((n, axis) => n + at(before, axis) + at(after, axis));
    }
    const found = `[${before.join(',')}] and [${after.join(',')}]`;
    return refuse(op, inputs, `each axis has a whole number of zeros before and after, found ${found}`);
  },
  dtype: sameDtype,
  flops: notCounted,
  gradient(g, { op, inputs, upstream }) {
    const ends = g.shape(at(inputs, 0)).map((n, axis) => n + at(op.before, axis));
    return [slice(g, upstream, op.before, ends)];
  },
  kernel(op, inputs, shape) {
    const x = at(inputs, 0);
    const y = new Float64Array(sizeOf(shape));
    place(x.data, x.shape, y, shape, op.before);
    return y;
  },
};

export const concatDefinition: Definition<OpOf<'concat'>> = {
  shape(op, inputs) {
    const first = inputs[0] ?? refuse(op, inputs, 'takes at least 1 input, has 0');
    const { axis } = op;
    if (!isIndex(axis) || axis >= first.length) refuse(op, inputs, `has no axis ${axis}`);
    const alike = inputs.every((shape) => sameShape(shape.toSpliced(axis, 1), first.toSpliced(axis, 1)));
    if (!alike || inputs.some((shape) => shape.length !== first.length)) {
      refuse(op, inputs, `sizes are equal on all axes but ${axis}`);
    }
    return first.with(
      axis,
      inputs.reduce((sum, shape) => sum + at(shape, axis), 0),
    );
  },
  dtype: sameDtype,
  flops: notCounted,
  gradient(g, { op, inputs, upstream, wants }) {
    const whole = g.shape(upstream);
    let start = 0;
    return inputs.map((x, i) => {
      const from = start;
      start += at(g.shape(x), op.axis);
      if (!wants(i)) return undefined;
      const starts = whole.map((_, axis) => (axis === op.axis ? from : 0));
      return slice(g, upstream, starts, whole.with(op.axis, start));
    });
  },
  kernel(op, inputs, shape) {
    const y = new Float64Array(sizeOf(shape));
    const corner = shape.map(() => 0);
    for (const x of inputs) {
      place(x.data, x.shape, y, shape, corner);
      corner[op.axis] = at(corner, op.axis) + at(x.shape, op.axis);
    }
    return y;
  },
};
