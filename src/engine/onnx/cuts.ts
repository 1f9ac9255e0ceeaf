import type { Node, NodeId } from '../../graph/ir.ts';

/** A slice that is one of the parts into which a tensor is cut along its first axis. */
export interface Cut {
  readonly from: NodeId;
  readonly index: number;
  readonly sizes: readonly number[];
}

/** The slices of tensors of which two parts or more, apart from each other, are taken. */
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
    if (sorted.length < 2 || sorted.some(({ start }, i) => start < (sorted[i - 1]?.end ?? 0))) continue;
    const sizes: number[] = [];
    let at = 0;
    // What no slice takes is a part as well.
    const skipTo = (end: number) => {
      if (end > at) sizes.push(end - at);
      at = end;
    };
    const found = sorted.map(({ id, start, end }) => {
      skipTo(start);
      sizes.push(end - start);
      at = end;
      return { id, index: sizes.length - 1 };
    });
    skipTo(nodes[from]?.shape[0] ?? at);
    for (const { id, index } of found) cuts.set(id, { from, index, sizes });
  }
  return cuts;
}
