import type { Node, NodeId } from '../../graph/ir.ts';

/** A slice that is one of the parts into which a vector is cut. */
export interface Cut {
  readonly from: NodeId;
  readonly index: number;
  readonly sizes: readonly number[];
}

/** The slices of vectors that are cut, from the first number to the last, into two parts or more. */
export function findCuts(nodes: readonly Node[]): ReadonlyMap<NodeId, Cut> {
  const slices = new Map<NodeId, { id: NodeId; start: number; end: number }[]>();
  nodes.forEach(({ op, inputs }, id) => {
    const from = inputs[0] as NodeId;
    if (op.kind !== 'slice' || op.starts.length !== 1) return;
    const [start = 0, end = 0] = [op.starts[0], op.ends[0]];
    const known = slices.get(from) ?? [];
    known.push({ id, start, end });
    slices.set(from, known);
  });
  const cuts = new Map<NodeId, Cut>();
  for (const [from, parts] of slices) {
    const sorted = parts.sort((a, b) => a.start - b.start);
    const whole =
      sorted.length > 1 &&
      sorted.every(({ start }, i) => start === (sorted[i - 1]?.end ?? 0)) &&
      sorted.at(-1)?.end === nodes[from]?.shape[0];
    if (!whole) continue;
    const sizes = sorted.map(({ start, end }) => end - start);
    for (const [index, { id }] of sorted.entries()) cuts.set(id, { from, index, sizes });
  }
  return cuts;
}
