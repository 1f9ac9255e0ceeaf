/** Between plain memory and the blocked layouts: in the graph, and on the host for tensors that live there. */
import { type Shape, sizeOf } from '../../../graph/ir.ts';
import { four } from '../value.ts';
import { type Blocked, type Name, nchwc, view } from './blocked.ts';

/**
 * plain: row-major. blocked: activations [N, C, H, W] as [N, C/B, H, W, B]. filter: dense or grouped filters [O, I, kH, kW], O and I multiples
 * of B, as [O/B, I/B, kH, kW, B of I, B of O]. outer: filters [O, I, kH, kW] of a depthwise convolution (I = 1) or of a stem
 * (I < B) as [O/B, I, kH, kW, B].
 */
export type Layout = 'plain' | 'blocked' | 'filter' | 'outer';

export function toBlocked(b: Blocked, x: Name): Name {
  return nchwc(b, 'ReorderInput', [x]);
}

export function toPlain(b: Blocked, x: Name, shape: Shape): Name {
  const [, channels] = four(shape);
  return nchwc(b, 'ReorderOutput', [x], { channels });
}

/** A plain filter of this shape in the layout that the blocked convolution reads, declared with its logical shape. */
export function filterToBlocked(b: Blocked, w: Name, shape: Shape, layout: 'filter' | 'outer'): Name {
  const { split, order } = axesOf(shape, layout, b.block);
  const transposed = b.model.node('Transpose', [view(b, w, split)], { perm: order });
  return b.model.view(
    transposed,
    shape,
    order.map((axis) => split[axis] ?? Number.NaN),
  );
}

export function filterToPlain(b: Blocked, w: Name, shape: Shape, layout: 'filter' | 'outer'): Name {
  const { split, order } = axesOf(shape, layout, b.block);
  const blocked = order.map((axis) => split[axis] ?? Number.NaN);
  const perm = order.map((_, axis) => order.indexOf(axis));
  return b.model.view(b.model.node('Transpose', [view(b, w, blocked)], { perm }), shape, split);
}

/** The plain shape with its blocked axes split in two, and in which order the layout has these axes. */
function axesOf(shape: Shape, layout: Layout, block: number): { split: Shape; order: readonly number[] } {
  const [first, second, height, width] = four(shape);
  // Of matrices, [O/B, I, B] covers both layouts of filters: fewer axes are permuted faster.
  if (height * width === 1 && (layout === 'filter' || layout === 'outer'))
    return { split: [first / block, block, second], order: [0, 2, 1] };
  switch (layout) {
    case 'plain':
      return { split: shape, order: [...shape.keys()] };
    case 'blocked':
      return { split: [first, second / block, block, height, width], order: [0, 1, 3, 4, 2] };
    case 'filter':
      return { split: [first / block, block, second / block, block, height, width], order: [0, 2, 4, 5, 3, 1] };
    case 'outer':
      return { split: [first / block, block, second, height, width], order: [0, 2, 3, 4, 1] };
    default:
      return layout satisfies never;
  }
}

/** A tensor in memory. */
export interface Part {
  readonly shape: Shape;
  readonly layout: Layout;
}

/** How a tensor's memory is laid out: as one part, or a vector's as several, end to end. */
export type Arrangement = readonly Part[];

export const PLAIN: Arrangement = Object.freeze([]);

/** The arrangement, or PLAIN where nothing in it is laid out otherwise than row by row. */
export function simplified(arrangement: Arrangement): Arrangement {
  return arrangement.every(({ layout }) => layout === 'plain') ? PLAIN : arrangement;
}

export function sameArrangement(a: Arrangement, b: Arrangement): boolean {
  if (a === b) return true;
  return (
    a.length === b.length && a.every((part, i) => part.layout === b[i]?.layout && `${part.shape}` === `${b[i]?.shape}`)
  );
}

/** A copy of a host tensor of one part, from plain memory to its layout or back. */
export function permute(
  data: Float32Array,
  shape: Shape,
  layout: Layout,
  block: number,
  direction: 'to blocked' | 'to plain',
): Float32Array {
  return rearrange(data, [{ shape, layout }], block, direction);
}

/** A copy of a host tensor, from plain memory to the arrangement or back. */
export function rearrange(
  data: Float32Array,
  arrangement: Arrangement,
  block: number,
  direction: 'to blocked' | 'to plain',
): Float32Array {
  const result = data.slice();
  let start = 0;
  for (const { shape, layout } of arrangement) {
    const end = start + sizeOf(shape);
    if (layout !== 'plain')
      permutePart(data.subarray(start, end), result.subarray(start, end), { shape, layout }, block, direction);
    start = end;
  }
  return result;
}

function permutePart(
  data: Float32Array,
  result: Float32Array,
  { shape, layout }: Part,
  block: number,
  direction: 'to blocked' | 'to plain',
): void {
  const { split, order } = axesOf(shape, layout, block);
  const steps = split.map((_, axis) => sizeOf(split.slice(axis + 1)));
  // Offsets in plain memory, in the order of blocked memory.
  let offsets = [0];
  for (const axis of order) {
    const step = steps[axis] ?? Number.NaN;
    const along = Array.from({ length: split[axis] ?? Number.NaN }, (_, i) => i * step);
    offsets = offsets.flatMap((offset) => along.map((more) => offset + more));
  }
  for (const [blocked, plain] of offsets.entries()) {
    if (direction === 'to blocked') result[blocked] = data[plain] ?? Number.NaN;
    else result[plain] = data[blocked] ?? Number.NaN;
  }
}
