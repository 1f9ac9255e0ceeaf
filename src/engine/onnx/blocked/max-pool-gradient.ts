/**
 * The gradient of max pooling in blocked memory, without indices: each dy goes to the first largest element of its window, row
 * by row, that is to the first row that holds the largest value and there to the first column. So it is handed to the rows
 * of the columns' pooled x, then to the columns. The masks that say which is larger are convolutions that subtract, with a steep
 * activation; each is so placed that padding, which a convolution takes for zeros, meets a dy of 0.
 */
import type { PoolGeometry, Shape } from '../../../graph/ir.ts';
import { four } from '../value.ts';
import { type Blocked, type Name, nchwc } from './blocked.ts';
import { type AlongAxis, alongAxis, cropped, type ImageAxis, interleave } from './shift.ts';

/** What of one axis is pooled: 3 elements from one before, or 2 beside one another. */
type AxisWindow = { readonly kernel: 3; readonly step: 1 | 2 } | { readonly kernel: 2; readonly step: 2 };

function windowOf(
  { kernel, stride, pads }: PoolGeometry,
  axis: 0 | 1,
  size: number,
  out: number,
): AxisWindow | undefined {
  const [k, step, pad] = [kernel[axis], stride[axis], pads[axis]];
  if (k === 2 && step === 2 && pad === 0 && out * 2 === size) return { kernel: k, step };
  if (k === 3 && (step === 1 || step === 2) && pad === 1 && out === Math.ceil(size / step)) return { kernel: k, step };
  return undefined;
}

export interface MaxPoolScatter {
  readonly x: Name;
  /** Of x, and so of dx. */
  readonly xShape: Shape;
  readonly dy: Name;
  readonly dyShape: Shape;
  readonly geometry: PoolGeometry;
  /** maxPool(x) of the same geometry, where the graph has it. */
  readonly pooled?: Name;
}

/** dx, for windows of 3x3 with padding 1 and stride 1 or 2, or of 2x2 without and stride 2; undefined for others. */
export function scatterBlocked(
  b: Blocked,
  { x, xShape, dy, dyShape, geometry, pooled }: MaxPoolScatter,
): Name | undefined {
  const [n, c, h, w] = four(xShape);
  const [, , oh, ow] = four(dyShape);
  const rows = windowOf(geometry, 0, h, oh);
  const columns = windowOf(geometry, 1, w, ow);
  if (rows === undefined || columns === undefined) return undefined;
  const byColumns = poolAlong(b, x, 'columns', columns);
  const all = pooled ?? poolAlong(b, byColumns, 'rows', rows);
  const half: Shape = [n, c, h, ow];
  const dRows = scatterAlong(b, { x: byColumns, shape: half, pooled: all, dy, dyShape }, 'rows', rows);
  return scatterAlong(b, { x, shape: xShape, pooled: byColumns, dy: dRows, dyShape: half }, 'columns', columns);
}

/** The pool of the elements of each window, or of all but the last. */
function poolAlong(b: Blocked, x: Name, axis: ImageAxis, { kernel, step }: AxisWindow, count: number = kernel): Name {
  const placed = (along: number, across: number) => (axis === 'rows' ? [along, across] : [across, along]);
  const before = kernel === 3 ? 1 : 0;
  return nchwc(b, 'MaxPool', [x], {
    kernel_shape: placed(count, 1),
    strides: placed(step, 1),
    pads: [...placed(before, 0), ...placed(count === 3 ? 1 : 0, 0)],
    dilations: [1, 1],
  });
}

interface Pooling {
  readonly x: Name;
  readonly shape: Shape;
  readonly pooled: Name;
  readonly dy: Name;
  readonly dyShape: Shape;
}

function scatterAlong(
  b: Blocked,
  { x, shape, pooled, dy, dyShape }: Pooling,
  axis: ImageAxis,
  window: AxisWindow,
): Name {
  const { model } = b;
  const { kernel, step } = window;
  const [size, count] = [shape, dyShape].map((s) => four(s)[axis === 'rows' ? 2 : 3]) as [number, number];
  const along = (value: Name, options: AlongAxis) => alongAxis(b, value, dyShape, axis, options);
  const times = (value: Name, mask: Name) => model.node('Mul', [value, mask]);
  // For each window: whether element i·step + offset of x is as large as the next.
  const offset = kernel === 3 && step === 2 ? 1 : 0;
  const taps = [...new Array<number>(offset).fill(0), 1, -1];
  const after = (count - 1) * step + taps.length - size;
  const asLarge = alongAxis(b, x, shape, axis, { taps, after, step, asMask: true });
  if (kernel === 2) {
    const first = times(dy, asLarge);
    return interleave(b, [first, model.node('Sub', [dy, first])], dyShape, axis);
  }
  // A window's dy goes to its last element unless one of the two before it is as large.
  const earlier = poolAlong(b, x, axis, window, 2);
  const notLast = times(dy, along(pooled, { taps: [-1], sum: earlier, asMask: true }));
  // Of this, to the first element if it is as large as the middle; seen from there. After the last there is no window: 0.
  const first = times(along(notLast, { taps: [0, 1], after: 1 }), asLarge);
  if (step === 1) {
    // x is the last element of the window before, and the middle of its own unless that went to the first of that one.
    const last = along(dy, { taps: [1, 0], before: 1 });
    const lastAndMiddle = along(notLast, { taps: [-1, 1], before: 1, sum: last });
    return along(first, { taps: [-1, 1], before: 1, sum: lastAndMiddle });
  }
  // Elements 0, 2, 4, ... are the middle of a window; 1, 3, 5, ... the last of one and the first of the next.
  const middle = along(first, { taps: [-1, 0], before: 1, sum: notLast });
  const ends = model.node('Add', [model.node('Sub', [dy, notLast]), first]);
  const [n, c, h, w] = four(dyShape);
  const [, , height, width] = four(shape);
  const whole: Shape = axis === 'rows' ? [n, c, 2 * h, w] : [n, c, h, 2 * w];
  return cropped(b, interleave(b, [middle, ends], dyShape, axis), whole, [height, width]);
}
