/** Shifting, cutting and widening images: convolutions of one tap, which are faster than `Slice` and `Pad`. */
import type { Shape } from '../../../graph/ir.ts';
import { four } from '../value.ts';
import { type Blocked, type Name, nchwc, view } from './blocked.ts';

export interface Columns {
  /** Which column of x comes first; before the first and after the last column lie zeros. */
  readonly offset: number;
  readonly step: number;
  readonly columns: number;
}

/** [N, C, H, columns]: column j is column offset + j·step of x [N, C, H, W], or zeros where x has none. */
export function columnsOf(b: Blocked, x: Name, shape: Shape, { offset, step, columns }: Columns): Name {
  const { block, model } = b;
  const [n, c, h, w] = four(shape);
  if (offset === 0 && step === 1 && columns === w) return x;
  // The tap is the one that lies on column `offset` first; the window reaches so far that there are as many columns as wanted.
  const before = Math.max(0, -offset);
  const tap = Math.max(0, offset);
  const span = (columns - 1) * step + tap + 1;
  const after = Math.max(0, span - before - w);
  const width = tap + 1 + Math.max(0, w + before - span);
  const taps = new Float32Array(width * block).fill(1, tap * block, (tap + 1) * block);
  return nchwc(b, 'Conv', [view(b, x, [(n * c) / block, block, h, w]), model.floats([block, 1, 1, width], taps)], {
    kernel_shape: [1, width],
    strides: [1, step],
    pads: [0, before, 0, after],
    group: block,
  });
}
