/**
 * Sequences that end before their last position. Token 0 fills a batch up to one length. What mixes positions reads zeros, or nothing, behind the end of a
 * sample, so that a network gives a sample the same output in a batch of any length. The statistics of a batch in training are an exception: batch
 * normalization counts what is behind the end.
 */
import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Lowering } from './lowering.ts';

/** What stands behind the end where the largest value is taken, or a share of all. */
export const BEHIND = -1e9;

/**
 * Of tokens, int32 [N, T], the function that gives for a sequence [N, C, T'] 1 where it has a position, else 0, as [N, 1, T']; undefined for what is no
 * sequence of these tokens. With strides, T' = ⌈T/s⌉, and a position counts where one of its s tokens does; T + 1 positions begin with a class token.
 */
export function filledPositions(g: GraphBuilder, tokens: NodeId): (x: NodeId) => NodeId | undefined {
  const [n = 1, length = 1] = g.shape(tokens);
  const known = new Map<number, NodeId>();
  return (x) => {
    const shape = g.shape(x);
    const [batch, , time = 1] = shape;
    const stride = Math.ceil(length / time);
    const hasClassToken = time === length + 1;
    const isKnown = hasClassToken || Math.ceil(length / stride) === time;
    if (shape.length !== 3 || batch !== n || !isKnown) return undefined;
    const found = known.get(time) ?? filledAt(g, tokens, time, stride);
    known.set(time, found);
    return found;
  };
}

function filledAt(g: GraphBuilder, tokens: NodeId, time: number, stride: number): NodeId {
  const [n = 1, length = 1] = g.shape(tokens);
  const empty = ops.equal(g, tokens, ops.indices(g, [0], [1, 1]));
  const each = ops.sub(g, ops.constant(g, 1), empty); // [N, T]
  const positions = ops.reshape(g, each, [n, 1, length]);
  if (time > length) return ops.concat(g, [ops.constant(g, 1, [n, 1, 1]), positions], 2);
  if (stride === 1) return positions;
  const rest = time * stride - length;
  const whole = rest === 0 ? each : ops.concat(g, [each, ops.constant(g, 0, [n, rest])], 1);
  return ops.reduceMax(g, ops.reshape(g, whole, [n, 1, time, stride]), [3]);
}

/** x with zeros behind the ends of its samples; x itself where all have all positions. */
export function withoutPadding(l: Lowering, x: NodeId): NodeId {
  const filled = l.filled(x);
  return filled === undefined ? x : ops.mul(l.g, x, filled);
}
