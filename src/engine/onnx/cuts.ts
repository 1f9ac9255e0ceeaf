import type { Node, NodeId } from '../../graph/ir.ts';

/** A slice that is one of the parts into which a tensor is cut along its first axis. */
export interface Cut {
  readonly from: NodeId;
  readonly index: number;
  readonly sizes: readonly number[];
}

/** The slices of tensors that are cut, from the first row to the last, into two parts or more. */
export function findCuts(nodes: readonly Node[]): ReadonlyMap<NodeId, Cut> {
  const slices = new Map<NodeId, { id: NodeId; start: number; end: number }[]>();
  nodes.forEach(({ op, inputs }, id) => {
    const from = inputs[0] as NodeId;
    if (op.kind !== 'slice') return;
    const whole = nodes[from]?.shape.every((n, axis) => axis === 0 || (op.starts[axis] === 0 && op.ends[axis] === n));
    if (whole !== true) return;
    const [start = 0, end = 0] = [op.starts[0], op.ends[0]];
    const known = slices.get(from) ?? [];
    known.push({ id, start, end });
    slices.set(from, known);
  });
  const cuts = new Map<NodeId, Cut>();
  for (const [from, parts] of slices) {
    const sorted = parts.sort((a, b) => a.start - b.start);
    const covers =
      sorted.length > 1 &&
      sorted.every(({ start }, i) => start === (sorted[i - 1]?.end ?? 0)) &&
      sorted.at(-1)?.end === nodes[from]?.shape[0];
    if (!covers) continue;
    const sizes = sorted.map(({ start, end }) => end - start);
    for (const [index, { id }] of sorted.entries()) cuts.set(id, { from, index, sizes });
  }
  return cuts;
}
