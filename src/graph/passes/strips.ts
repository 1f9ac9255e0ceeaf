import { type NodeId, type Shape, sizeOf } from '../ir.ts';
import { sameShape } from '../ops/definition.ts';
import { rowMajor } from '../ops/strides.ts';
import { concat, constant, type GraphBuilder, reshape } from '../ops.ts';

/**
 * Where a padded tensor lies in the whole, from `start` to `end` (exclusive): along one axis where it fills the others, or
 * in memory (`flat`) where its numbers follow one another there.
 */
export interface Strip {
  readonly along: number | 'flat';
  readonly start: number;
  readonly end: number;
}

/** The strip of a tensor of shape `own` that is padded by `before` to `whole`; undefined where it is none. */
export function stripOf(before: readonly number[], own: Shape, whole: Shape): Strip | undefined {
  const narrow = own.flatMap((n, axis) => (n === whole[axis] ? [] : [axis]));
  const [axis] = narrow;
  const size = (shape: Shape, i: number) => shape[i] ?? 1;
  // Along one axis a strip stays one where the batch, axis 0, is open; in memory it does not.
  if (axis !== undefined && axis > 0 && narrow.length === 1) {
    const start = size(before, axis);
    return { along: axis, start, end: start + size(own, axis) };
  }
  // Of the axes before the last narrow one, one position each.
  const last = narrow.at(-1) ?? 0;
  if (own.slice(0, last).every((n) => n === 1)) {
    const steps = rowMajor(whole);
    const start = before.reduce((sum, n, i) => sum + n * size(steps, i), 0);
    return { along: 'flat', start, end: start + sizeOf(own) };
  }
  if (axis === undefined || narrow.length > 1) return undefined;
  const start = size(before, axis);
  return { along: axis, start, end: start + size(own, axis) };
}

/** Whether strips along the same axis have no number in common, unless they are the same strip. */
export function areApart(strips: readonly Strip[]): boolean {
  const sorted = [...strips].sort((a, b) => a.start - b.start || a.end - b.end);
  return sorted.every(({ start, end }, i) => {
    const next = sorted[i + 1];
    return next === undefined || next.start >= end || (next.start === start && next.end === end);
  });
}

/** The whole tensor from different strips of it along the same axis, with zeros where there is none: no sum is needed. */
export function joinStrips(
  g: GraphBuilder,
  pieces: readonly { readonly id: NodeId; readonly strip: Strip }[],
  whole: Shape,
): NodeId {
  const along = pieces[0]?.strip.along ?? 'flat';
  const frame: Shape = along === 'flat' ? [sizeOf(whole)] : whole;
  const axis = along === 'flat' ? 0 : along;
  const parts: NodeId[] = [];
  let filled = 0;
  const fill = (to: number) => {
    if (to > filled) parts.push(constant(g, 0, frame.with(axis, to - filled)));
  };
  for (const { id, strip } of [...pieces].sort((a, b) => a.strip.start - b.strip.start)) {
    fill(strip.start);
    parts.push(reshape(g, id, frame.with(axis, strip.end - strip.start)));
    filled = strip.end;
  }
  fill(frame[axis] ?? 0);
  const joined = concat(g, parts, axis);
  return sameShape(frame, whole) ? joined : reshape(g, joined, whole);
}
