/**
 * Vectors that hold many tensors end to end: what an optimizer works on. Its rule does not care in which order the numbers
 * lie, so each tensor can go in, and come out again, in its own layout.
 */
import type { Node, NodeId } from '../../../graph/ir.ts';

export interface Packs {
  /** Tensors that hold the same place in vectors of one kind: they share a layout. */
  readonly places: readonly (readonly NodeId[])[];
  /** `reshape` nodes that flatten a tensor for a vector, or give one its shape again: they keep its layout. */
  readonly keepLayout: ReadonlySet<NodeId>;
}

/**
 * Finds the vectors that are only joined from whole tensors, worked on element by element, summed up, and cut at the places
 * where they were joined.
 */
export function findPacks(nodes: readonly Node[], outputs: Iterable<NodeId>, classOf: (id: NodeId) => NodeId): Packs {
  const consumers = nodes.map((): NodeId[] => []);
  nodes.forEach(({ inputs }, id) => {
    for (const from of inputs) consumers[from]?.push(id);
  });
  const members = new Map<NodeId, NodeId[]>();
  nodes.forEach(({ shape }, id) => {
    if (shape.length !== 1) return;
    const key = classOf(id);
    const known = members.get(key) ?? [];
    known.push(id);
    members.set(key, known);
  });
  const isOutput = new Set(outputs);
  const places: NodeId[][] = [];
  const keepLayout = new Set<NodeId>();
  for (const ids of members.values()) {
    const joints = ids.filter((id) => nodes[id]?.op.kind === 'concat');
    const [first] = joints;
    if (first === undefined || ids.some((id) => isOutput.has(id))) continue;
    const starts = startsOf(nodes, first);
    const found = new Map<number, NodeId[]>(starts.map((start) => [start, []]));
    const reshapes: NodeId[] = [];
    const add = (start: number, tensor: NodeId, reshape: NodeId) => {
      found.get(start)?.push(tensor);
      reshapes.push(reshape);
    };
    const fits = ids.every((id) => {
      const node = nodes[id] as Node;
      if (node.op.kind === 'concat') {
        const own = startsOf(nodes, id);
        if (`${own}` !== `${starts}`) return false;
        const whole = node.inputs.every((from) => nodes[from]?.op.kind === 'reshape' && consumers[from]?.length === 1);
        if (!whole) return false;
        node.inputs.forEach((from, i) => {
          add(own[i] as number, nodes[from]?.inputs[0] as NodeId, from);
        });
      } else if (node.op.kind !== 'binary' && node.op.kind !== 'unary' && node.op.kind !== 'clip') return false;
      return (consumers[id] as NodeId[]).every((to) => {
        const { op, shape } = nodes[to] as Node;
        if (op.kind === 'slice') {
          const [only, ...others] = consumers[to] as NodeId[];
          const place = starts.indexOf(op.starts[0] ?? -1);
          const end = starts[place + 1] ?? node.shape[0];
          if (only === undefined || others.length > 0 || isOutput.has(to) || place < 0 || op.ends[0] !== end)
            return false;
          if (nodes[only]?.op.kind !== 'reshape') return false;
          add(op.starts[0] as number, only, only);
          return true;
        }
        if (op.kind === 'reduce') return true;
        return classOf(to) === classOf(id) && `${shape}` === `${node.shape}` && op.kind !== 'concat';
      });
    });
    if (!fits) continue;
    for (const id of reshapes) keepLayout.add(id);
    for (const tensors of found.values()) places.push(tensors);
  }
  return { places, keepLayout };
}

/** Where each part of a joined vector starts. */
function startsOf(nodes: readonly Node[], id: NodeId): number[] {
  let start = 0;
  return (nodes[id] as Node).inputs.map((from) => {
    const own = start;
    start += nodes[from]?.shape[0] ?? 0;
    return own;
  });
}
