import { type Op, type OpOf, type PoolGeometry, type Shape, sizeOf } from '../ir.ts';
import { avgPool } from './construct.ts';
import { arity, at, type Definition, notCounted, refuse, sameShape } from './definition.ts';

const geometryOf = ({ kernel, stride, pads }: PoolGeometry): PoolGeometry => ({ kernel, stride, pads });

function poolShape(op: Op & PoolGeometry, shapes: readonly Shape[], x: Shape): Shape {
  if (x.length !== 4) refuse(op, shapes, 'x is [N, C, H, W]');
  const { kernel, stride, pads } = op;
  if (![...kernel, ...stride].every((n) => Number.isInteger(n) && n >= 1)) {
    refuse(op, shapes, `kernel and stride are at least 1, found [${kernel}] and [${stride}]`);
  }
  // Then no window lies in the padding alone.
  if (!pads.every((n, i) => Number.isInteger(n) && n >= 0 && n < (kernel[i % 2] ?? Number.NaN))) {
    refuse(op, shapes, `pads are whole and smaller than the kernel [${kernel}], found [${pads}]`);
  }
  const [n, c, h, w] = x as [number, number, number, number];
  const oh = Math.floor((h + pads[0] + pads[2] - kernel[0]) / stride[0]) + 1;
  const ow = Math.floor((w + pads[1] + pads[3] - kernel[1]) / stride[1]) + 1;
  if (oh < 1 || ow < 1) refuse(op, shapes, `the window [${kernel}] fits into the padded input`);
  return [n, c, oh, ow];
}

/** One window: the output's offset, the offset of its plane in x, and its rows and columns within x. */
type Visit = (yi: number, plane: number, top: number, bottom: number, left: number, right: number) => void;

function eachWindow({ kernel, stride, pads }: PoolGeometry, x: Shape, y: Shape, visit: Visit): void {
  const [n, c, h, w] = x as [number, number, number, number];
  const [, , oh, ow] = y as [number, number, number, number];
  let yi = 0;
  for (let plane = 0; plane < n * c; plane++) {
    for (let oy = 0; oy < oh; oy++) {
      const top = oy * stride[0] - pads[0];
      for (let ox = 0; ox < ow; ox++) {
        const left = ox * stride[1] - pads[1];
        const [bottom, right] = [Math.min(h, top + kernel[0]), Math.min(w, left + kernel[1])];
        visit(yi++, plane * h * w, Math.max(0, top), bottom, Math.max(0, left), right);
      }
    }
  }
}

/** For each window the offset in x of its first largest element; a NaN counts as largest (the last one), as in PyTorch. */
function firstLargest(op: PoolGeometry, x: Shape, data: Float64Array, y: Shape): Int32Array {
  const out = new Int32Array(sizeOf(y));
  const width = at(x, 3);
  eachWindow(op, x, y, (yi, plane, top, bottom, left, right) => {
    let where = plane + top * width + left;
    let largest = data[where] ?? Number.NaN;
    for (let iy = top; iy < bottom; iy++) {
      for (let ix = left; ix < right; ix++) {
        const i = plane + iy * width + ix;
        const value = data[i] ?? Number.NaN;
        if (value > largest || Number.isNaN(value)) {
          largest = value;
          where = i;
        }
      }
    }
    out[yi] = where;
  });
  return out;
}

function pick(from: Float64Array, where: Int32Array): Float64Array {
  const out = new Float64Array(where.length);
  for (let i = 0; i < out.length; i++) out[i] = from[where[i] as number] ?? Number.NaN;
  return out;
}

export const maxPoolDefinition: Definition<OpOf<'maxPool'>> = {
  shape(op, inputs) {
    arity(op, inputs, 1);
    return poolShape(op, inputs, at(inputs, 0));
  },
  flops: notCounted,
  gradient: (g, { op, inputs, upstream }) => [
    g.add({ kind: 'maxPoolScatter', ...geometryOf(op) }, [at(inputs, 0), upstream]),
  ],
  kernel(op, inputs, shape) {
    const x = at(inputs, 0);
    return pick(x.data, firstLargest(op, x.shape, x.data, shape));
  },
};

export const maxPoolScatterDefinition: Definition<OpOf<'maxPoolScatter'>> = {
  shape(op, inputs) {
    arity(op, inputs, 2);
    const x = at(inputs, 0);
    const y = poolShape(op, inputs, x);
    return sameShape(y, at(inputs, 1)) ? x : refuse(op, inputs, `dy is [${y}]`);
  },
  flops: notCounted,
  // Which element is the largest does not change with small steps of x.
  differentiable: (_op, input) => input === 1,
  gradient: (g, { op, inputs, upstream }) => [
    undefined,
    g.add({ kind: 'maxPoolGather', ...geometryOf(op) }, [at(inputs, 0), upstream]),
  ],
  kernel(op, inputs) {
    const [x, dy] = [at(inputs, 0), at(inputs, 1)];
    const where = firstLargest(op, x.shape, x.data, dy.shape);
    const dx = new Float64Array(x.data.length);
    for (let i = 0; i < where.length; i++) {
      const j = where[i] ?? Number.NaN;
      dx[j] = (dx[j] ?? Number.NaN) + (dy.data[i] ?? Number.NaN);
    }
    return dx;
  },
};

export const maxPoolGatherDefinition: Definition<OpOf<'maxPoolGather'>> = {
  shape(op, inputs) {
    arity(op, inputs, 2);
    const x = at(inputs, 0);
    const y = poolShape(op, inputs, x);
    return sameShape(x, at(inputs, 1)) ? y : refuse(op, inputs, 'both have the same shape');
  },
  flops: notCounted,
  // Which element is the largest does not change with small steps of x.
  differentiable: (_op, input) => input === 1,
  gradient: (g, { op, inputs, upstream }) => [
    undefined,
    g.add({ kind: 'maxPoolScatter', ...geometryOf(op) }, [at(inputs, 0), upstream]),
  ],
  kernel(op, inputs, shape) {
    const [x, v] = [at(inputs, 0), at(inputs, 1)];
    return pick(v.data, firstLargest(op, x.shape, x.data, shape));
  },
};

export const avgPoolDefinition: Definition<OpOf<'avgPool'>> = {
  shape(op, inputs) {
    arity(op, inputs, 1);
    return poolShape(op, inputs, at(inputs, 0));
  },
  flops: notCounted,
  gradient: (g, { op, inputs, upstream }) => [
    g.add({ kind: 'avgPoolGrad', shape: g.shape(at(inputs, 0)), ...geometryOf(op) }, [upstream]),
  ],
  kernel(op, inputs, shape) {
    const x = at(inputs, 0);
    const width = at(x.shape, 3);
    const y = new Float64Array(sizeOf(shape));
    eachWindow(op, x.shape, shape, (yi, plane, top, bottom, left, right) => {
      let sum = 0;
      for (let iy = top; iy < bottom; iy++) {
        for (let ix = left; ix < right; ix++) sum += x.data[plane + iy * width + ix] ?? Number.NaN;
      }
      y[yi] = sum / ((bottom - top) * (right - left));
    });
    return y;
  },
};

export const avgPoolGradDefinition: Definition<OpOf<'avgPoolGrad'>> = {
  shape(op, inputs) {
    arity(op, inputs, 1);
    const y = poolShape(op, inputs, op.shape);
    return sameShape(y, at(inputs, 0)) ? op.shape : refuse(op, inputs, `pooling [${op.shape}] gives [${y}]`);
  },
  flops: notCounted,
  gradient: (g, { op, upstream }) => [avgPool(g, upstream, op)],
  kernel(op, inputs, shape) {
    const dy = at(inputs, 0);
    const width = at(shape, 3);
    const dx = new Float64Array(sizeOf(shape));
    eachWindow(op, shape, dy.shape, (yi, plane, top, bottom, left, right) => {
      const share = (dy.data[yi] ?? Number.NaN) / ((bottom - top) * (right - left));
      for (let iy = top; iy < bottom; iy++) {
        for (let ix = left; ix < right; ix++) {
          const i = plane + iy * width + ix;
          dx[i] = (dx[i] ?? Number.NaN) + share;
        }
      }
    });
    return dx;
  },
};
