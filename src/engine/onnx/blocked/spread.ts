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
  /** Others of the same shape and stride that are added, phase by phase. */
  readonly others?: readonly Omit<Spreading, 'sum' | 'relu' | 'others'>[];
}

/** relu?(dx + sum), blocked; undefined for padding so wide that windows lie in it. */
export function spread(b: Blocked, spreading: Spreading): Name | undefined {
  const { shape, stride, sum, relu, others = [] } = spreading;
  const [n, c, h, w] = four(shape);
  const all = [spreading, ...others].flatMap((one) => {
    const [rows, columns] = [phasesOf(one, 0), phasesOf(one, 1)];
    return rows === undefined || columns === undefined ? [] : [{ one, rows, columns }];
  });
  if (all.length <= others.length) return undefined;
  const [height, width] = [Math.ceil(h / stride[0]), Math.ceil(w / stride[1])];
  /** What all have in a phase, and the sum; undefined where all are zero and there is no sum. */
  const phase = (row: number, column: number, start?: Name, active?: boolean): Name | undefined => {
    const parts = all.flatMap(({ one, rows, columns }) => {
      const [r, c] = [rows[row], columns[column]];
      return r === undefined || c === undefined || r.taps.length * c.taps.length === 0 ? [] : [{ one, r, c }];
    });
    return parts.reduce<Name | undefined>((before, { one, r, c: along }, i) => {
      if (before !== undefined && i > 0) b.model.declare(before, [n, c, height, width]);
      return convolve(b, {
        x: one.dy,
        filter: one.filter(r.taps, along.taps),
        kernel: [r.taps.length, along.taps.length],
        geometry: {
          stride: [1, 1],
          dilation: [r.dilation, along.dilation],
          pads: [r.before, along.before, r.after, along.after],
          groups: one.groups,
        },
        ...(before !== undefined && { sum: before }),
        ...(active === true && i === parts.length - 1 && { relu: true }),
      });
    }, start);
  };
  if (stride[0] === 1 && stride[1] === 1) return phase(0, 0, sum, relu);
  const interleaved = Array.from({ length: stride[0] }, (_, row) => {
    const phases = Array.from({ length: stride[1] }, (_, column) => phase(row, column));
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
