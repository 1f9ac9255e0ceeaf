/** Shifting, widening and thinning images along one axis, by convolutions: faster than `Slice` and `Pad`. */
import type { Shape } from '../../../graph/ir.ts';
import { four } from '../value.ts';
import { type Blocked, type Name, nchwc, view } from './blocked.ts';

/** rows: along the height, columns: along the width. */
export type ImageAxis = 'rows' | 'columns';

export interface AlongAxis {
  /** Every channel is convolved by these. */
  readonly taps: readonly number[];
  /** Zeros before the first and after the last row or column. */
  readonly before?: number;
  readonly after?: number;
  readonly step?: number;
  /** Added to the result, of its shape. */
  readonly sum?: Name;
  /** 1 where the result is not negative, else 0, in its place. */
  readonly asMask?: boolean;
}

/** As steep as float32 allows: no two floats, but denormal ones, are so close that a multiple of their distance is under 1. */
const STEEP = 3e38;

/** x [N, C, H, W] convolved along one axis. */
export function alongAxis(b: Blocked, x: Name, shape: Shape, axis: ImageAxis, options: AlongAxis): Name {
  const { taps, before = 0, after = 0, step = 1, sum, asMask = false } = options;
  const { block, model } = b;
  const [n, c, h, w] = four(shape);
  const placed = (along: number, across: number): [number, number] =>
    axis === 'rows' ? [along, across] : [across, along];
  const length = Math.floor(((axis === 'rows' ? h : w) + before + after - taps.length) / step) + 1;
  const [oh, ow] = axis === 'rows' ? [length, w] : [h, length];
  // All channels are alike: one block of them at a time, so that the filter is small.
  const images = (n * c) / block;
  const filter = model.floats(
    [block, 1, ...placed(taps.length, 1)],
    taps.flatMap((tap) => new Array<number>(block).fill(tap)),
  );
  const inputs = [view(b, x, [images, block, h, w]), filter];
  if (sum !== undefined) inputs.push('', view(b, sum, [images, block, oh, ow]));
  const y = nchwc(b, 'Conv', inputs, {
    kernel_shape: placed(taps.length, 1),
    strides: placed(step, 1),
    dilations: [1, 1],
    pads: [...placed(before, 0), ...placed(after, 0)],
    group: block,
    ...(asMask ? { activation: 'HardSigmoid', activation_params: { floats: [STEEP, 1] } } : {}),
  });
  return view(b, y, [n, c, oh, ow]);
}

/** [N, C, H - rows, W - columns]: x without its first rows and columns. */
export function withoutFirst(b: Blocked, x: Name, shape: Shape, [rows, columns]: readonly [number, number]): Name {
  const { block, model } = b;
  const [n, c, h, w] = four(shape);
  const kernel = [rows + 1, columns + 1];
  const filter = new Float32Array((rows + 1) * (columns + 1) * block).fill(1, -block);
  const images = view(b, x, [(n * c) / block, block, h, w]);
  const rest = nchwc(b, 'Conv', [images, model.floats([block, 1, ...kernel], filter)], {
    kernel_shape: kernel,
    strides: [1, 1],
    dilations: [1, 1],
    pads: [0, 0, 0, 0],
    group: block,
  });
  return view(b, rest, [n, c, h - rows, w - columns]);
}

/** Of every `stride` rows and columns of x, the first. */
export function thinned(b: Blocked, x: Name, shape: Shape, stride: readonly [number, number]): Name {
  const { block, model } = b;
  const [n, c, h, w] = four(shape);
  const images = view(b, x, [(n * c) / block, block, h, w]);
  const y = nchwc(b, 'Conv', [images, model.floats([block, 1, 1, 1], new Float32Array(block).fill(1))], {
    kernel_shape: [1, 1],
    strides: stride,
    dilations: [1, 1],
    pads: [0, 0, 0, 0],
    group: block,
  });
  return view(b, y, [n, c, Math.ceil(h / stride[0]), Math.ceil(w / stride[1])]);
}

export interface Part {
  /** Which row or column of x comes first; before the first and after the last lie zeros. */
  readonly offset: number;
  readonly step: number;
  readonly count: number;
}

/** [N, C, count, W] or [N, C, H, count]: row or column j is that of x at offset + j·step, or zeros where x has none. */
export function partOf(b: Blocked, x: Name, shape: Shape, axis: ImageAxis, { offset, step, count }: Part): Name {
  const [, , h, w] = four(shape);
  const size = axis === 'rows' ? h : w;
  if (offset === 0 && step === 1 && count === size) return x;
  const before = Math.max(0, -offset);
  const first = Math.max(0, offset);
  // The last window ends with the last row that is wanted, or with the end of x: taps of zero reach there.
  const span = (count - 1) * step + first + 1;
  const after = Math.max(0, span - before - size);
  const taps = new Array<number>(first + 1 + Math.max(0, size + before - span)).fill(0);
  taps[first] = 1;
  return alongAxis(b, x, shape, axis, { taps, before, after, step });
}

/**
 * [N, C, H·parts, W] or [N, C, H, W·parts]: row or column i·parts + p is the i-th of part p, whose shape is given. Parts left
 * out are zeros.
 */
export function interleave(b: Blocked, parts: readonly (Name | undefined)[], shape: Shape, axis: ImageAxis): Name {
  const { block, model } = b;
  const [n, c, h, w] = four(shape);
  const [count, size] = axis === 'rows' ? [(n * c * h) / block, w * block] : [(n * c * h * w) / block, block];
  const zeros = () => model.node('ConstantOfShape', [model.ints([count, 1, size])]);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const views = parts.map((part) => (part === undefined ? zeros() : view(b, part, [count, 1, size])));
  const joined = model.node('Concat', views, { axis: 1 });
  return view(b, joined, axis === 'rows' ? [n, c, h * parts.length, w] : [n, c, h, w * parts.length]);
}

/** The first rows and columns of x. */
export function cropped(b: Blocked, x: Name, shape: Shape, [rows, columns]: readonly [number, number]): Name {
  const { block, model } = b;
  const [n, c, h, w] = four(shape);
  if (rows === h && columns === w) return x;
  const image = view(b, x, [(n * c) / block, h, w, block]);
  const part = model.node('Slice', [image, model.ints([0, 0]), model.ints([rows, columns]), model.ints([1, 2])]);
  return view(b, part, [n, c, rows, columns]);
}
