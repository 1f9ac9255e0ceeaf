/**
 * What a window gathers, its gradient spreads: dy of each window onto the elements that it covers. Under a stride s these fall
 * into s phases for each axis, by their position modulo s; each is an ordinary convolution of dy by some of the taps, and the phases
 * are interleaved. (Putting zeros into dy instead makes the convolution s² times as long.)
 */
import type { Shape } from '../../../graph/ir.ts';
import { four } from '../value.ts';
import type { Blocked, Name } from './blocked.ts';
import { convolve } from './conv.ts';
import { cropped, interleave } from './shift.ts';

export interface Spreading {
  readonly dy: Name;
  readonly dyShape: Shape;
  /** Of dx */
  readonly shape: Shape;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly groups: number;
  /** The filter of a convolution from dy to dx that has these of the forward's taps, in this order. */
  readonly filter: (rows: readonly number[], columns: readonly number[]) => Name;
  /** Added to the result, of its shape. */
  readonly sum?: Name;
  readonly relu?: boolean;
}

/** relu?(dx + sum), blocked; undefined for padding so wide that windows lie in it. */
export function spread(b: Blocked, spreading: Spreading): Name | undefined {
  const { dy, shape, groups, stride, filter, sum, relu } = spreading;
  const [n, c, h, w] = four(shape);
  const [rows, columns] = [phasesOf(spreading, 0), phasesOf(spreading, 1)];
  if (rows === undefined || columns === undefined) return undefined;
  const rest = { ...(sum !== undefined && { sum }), ...(relu !== undefined && { relu }) };
  const phase = (row: Phase, column: Phase, more: typeof rest): Name | undefined => {
    if (row.taps.length === 0 || column.taps.length === 0) return undefined;
    return convolve(b, {
      x: dy,
      filter: filter(row.taps, column.taps),
      kernel: [row.taps.length, column.taps.length],
      geometry: {
        stride: [1, 1],
        dilation: [row.dilation, column.dilation],
        pads: [row.before, column.before, row.after, column.after],
        groups,
      },
      ...more,
    });
  };
  const [row, column] = [rows[0], columns[0]];
  if (rows.length === 1 && columns.length === 1 && row && column) return phase(row, column, rest);
  const [height, width] = [Math.ceil(h / stride[0]), Math.ceil(w / stride[1])];
  const interleaved = rows.map((r) => {
    const phases = columns.map((column) => phase(r, column, {}));
    return phases.every((p) => p === undefined) ? undefined : interleave(b, phases, [n, c, height, width], 'columns');
  });
  const wide = width * stride[1];
  const whole = interleave(b, interleaved, [n, c, height, wide], 'rows');
  const dx = cropped(b, whole, [n, c, height * stride[0], wide], [h, w]);
  const added = sum === undefined ? dx : b.model.node('Add', [dx, sum]);
  return relu === true ? b.model.node('Relu', [added]) : added;
}

/** How dy is convolved for one phase: taps of the forward in the order in which they meet dy. */
interface Phase {
  readonly taps: readonly number[];
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

function phasesOf({ shape, dyShape, kernel, stride, dilation, pads }: Spreading, axis: 0 | 1): Phase[] | undefined {
  const [size, out, step] = [four(shape)[2 + axis] ?? Number.NaN, four(dyShape)[2 + axis] ?? Number.NaN, stride[axis]];
  const phases = Array.from({ length: step }, (_, start): Phase => {
    // Element start + i·step is tap k of window i + (start + pad - k·dilation) / step.
    const reach = (tap: number) => (start + pads[axis] - tap * dilation[axis]) / step;
    const taps = Array.from({ length: kernel[axis] }, (_, k) => kernel[axis] - 1 - k).filter((k) =>
      Number.isInteger(reach(k)),
    );
    const [first = 0, second = first] = taps;
    const last = taps.at(-1) ?? 0;
    return {
      taps,
      dilation: Math.max(1, reach(second) - reach(first)),
      before: -reach(first),
      after: Math.ceil(size / step) + reach(last) - out,
    };
  });
  return phases.every(({ taps, before, after }) => taps.length === 0 || (before >= 0 && after >= 0))
    ? phases
    : undefined;
}
