/** A window taken apart into its taps by standard operators alone: slow on the CPU, right everywhere. */
import type { Window } from '../../../graph/ir.ts';
import { type Emitter, four, reshape, type Value } from '../value.ts';

/** A window and the size of its kernel. */
export interface TapWindow extends Window {
  readonly kernel: readonly [number, number];
}

/** Row and column of each tap within the window, row by row. */
function tapOffsets({ kernel, dilation }: TapWindow): readonly (readonly [number, number])[] {
  return Array.from({ length: kernel[0] * kernel[1] }, (_, tap) => [
    Math.floor(tap / kernel[1]) * dilation[0],
    (tap % kernel[1]) * dilation[1],
  ]);
}

/** For each tap, what it sees of x: [N, C, H, W] -> [N, C, oH, oW]; `filling` in the padding. */
export function tapViews(
  { model }: Emitter,
  x: Value,
  window: TapWindow,
  [oh, ow]: readonly [number, number],
  filling: number,
): string[] {
  const { stride, pads } = window;
  const padded = pads.every((pad) => pad === 0)
    ? x.name
    : model.node('Pad', [
        x.name,
        model.ints([0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]]),
        model.floats([], [filling]),
      ]);
  return tapOffsets(window).map(([top, left]) =>
    model.node('Slice', [
      padded,
      model.ints([top, left]),
      model.ints([top + (oh - 1) * stride[0] + 1, left + (ow - 1) * stride[1] + 1]),
      model.ints([2, 3]),
      model.ints(stride),
    ]),
  );
}

/** The adjoint: each tap's [N, C, oH, oW] added where the tap stands, all into one [N, C, H, W]. */
export function scatterTaps(
  emitter: Emitter,
  parts: readonly string[],
  window: TapWindow,
  from: Pick<Value, 'shape' | 'batchAxis'>,
  to: readonly number[],
): string {
  const { model } = emitter;
  const { kernel, stride, pads, dilation } = window;
  const [n, c, oh, ow] = four(from.shape);
  const [, , h, w] = four(to);
  const spread = (part: string) => {
    if (stride[0] === 1 && stride[1] === 1) return part;
    const apart = reshape(emitter, part, [n, c, oh, 1, ow, 1], from.batchAxis);
    const zeros = model.ints([0, 0, 0, 0, 0, 0, 0, 0, 0, stride[0] - 1, 0, stride[1] - 1]);
    return reshape(emitter, model.node('Pad', [apart, zeros]), [n, c, oh * stride[0], ow * stride[1]], from.batchAxis);
  };
  const last = [(kernel[0] - 1) * dilation[0], (kernel[1] - 1) * dilation[1]] as const;
  const placed = tapOffsets(window).map(([top, left], tap) => {
    const room = [0, 0, top, left, 0, 0, last[0] - top, last[1] - left];
    return model.node('Pad', [spread(parts[tap] ?? ''), model.ints(room)]);
  });
  const sum = placed.reduce((total, part) => model.node('Add', [total, part]));
  return model.node('Slice', [
    sum,
    model.ints([pads[0], pads[1]]),
    model.ints([pads[0] + h, pads[1] + w]),
    model.ints([2, 3]),
  ]);
}
