/**
 * The gradient of max pooling in blocked memory, without indices: each dy goes to the first largest element of its window, row
 * by row, that is to the first row that holds the largest value and there to the first column. So it is handed to the rows
 * of the columns' pooled x, then to the columns. An element is the largest where it, or the pool of all before it, does
 * not differ from the pool; the masks are convolutions of one tap that subtract, with a steep activation.
 */
import type { PoolGeometry, Shape } from '../../../graph/ir.ts';
import { four } from '../value.ts';
import { type Blocked, type Name, nchwc, view } from './blocked.ts';
import { alongAxis, cropped, type ImageAxis, interleave, partOf } from './shift.ts';

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
  const times = (value: Name, mask: Name) => model.node('Mul', [value, mask]);
  const count = four(dyShape)[axis === 'rows' ? 2 : 3] as number;
  const along = (value: Name, options: Parameters<typeof alongAxis>[4]) => alongAxis(b, value, dyShape, axis, options);
  const everySecond = (offset: number) => partOf(b, x, shape, axis, { offset, step: 2, count });
  if (window.kernel === 2) {
    const first = times(dy, along(pooled, { taps: [-1], sum: everySecond(0), isZero: true }));
    return interleave(b, [first, model.node('Sub', [dy, first])], dyShape, axis);
  }
  // A window's dy goes to its last element unless the two before it hold the largest value.
  const earlier = poolAlong(b, x, axis, window, 2);
  const notLast = times(dy, along(pooled, { taps: [-1], sum: earlier, isZero: true }));
  // To its first, seen from there: the window whose first element this is comes next. At the end there is none, and dy is 0.
  const firsts = window.step === 1 ? x : everySecond(1);
  const next = along(dy, { taps: [0, 1], after: 1 });
  const first = times(next, along(pooled, { taps: [0, -1], after: 1, sum: firsts, isZero: true }));
  if (window.step === 2) {
    // Elements 0, 2, 4, ... are in the middle of a window; 1, 3, 5, ... last in one and first in the next.
    const middle = along(first, { taps: [-1, 0], before: 1, sum: notLast });
    const last = model.node('Sub', [dy, notLast]);
    const between = model.node('Add', [last, first]);
    const [n, c, h, w] = four(dyShape);
    const [, , height, width] = four(shape);
    const whole: Shape = axis === 'rows' ? [n, c, 2 * h, w] : [n, c, h, 2 * w];
    return cropped(b, interleave(b, [middle, between], dyShape, axis), whole, [height, width]);
  }
  // Last of the window before, less what went not there; middle of its own: what did not go to its last, nor to its first.
  const last = along(dy, { taps: [1, 0], before: 1 });
  const lastAndMiddle = along(notLast, { taps: [-1, 1], before: 1, sum: last });
  return view(b, along(first, { taps: [-1, 1], before: 1, sum: lastAndMiddle }), shape);
}
