import { type Shape, sizeOf } from '../ir.ts';

/** How far apart in memory neighbors along each axis are, row-major. */
export function rowMajor(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis] ?? Number.NaN;
  }
  return strides;
}

/** Strides with which a tensor of shape `from` is read as if it were of the larger shape `to` (NumPy's rule). */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const own = rowMajor(from);
  const lead = to.length - from.length;
  return to.map((_, axis) => (axis < lead || from[axis - lead] === 1 ? 0 : (own[axis - lead] ?? Number.NaN)));
}

/** The memory offset of each element of `shape`, in row-major order, under the given strides. */
export function offsets(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  const out = new Int32Array(sizeOf(shape));
  out[0] = start;
  let filled = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const count = shape[axis] ?? Number.NaN;
    const stride = strides[axis] ?? Number.NaN;
    for (let i = 1; i < count; i++) {
      for (let j = 0; j < filled; j++) out[i * filled + j] = (out[j] ?? Number.NaN) + i * stride;
    }
    filled *= count;
  }
  return out;
}

/** The common shape of two operands under NumPy's rule, or undefined. */
export function broadcastShape(a: Shape, b: Shape): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const m = a[axis - rank + a.length] ?? 1;
    const n = b[axis - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) return undefined;
    out.push(m === 1 ? n : m);
  }
  return out;
}
