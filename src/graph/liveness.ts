import { type Graph, type Node, type NodeId, type Shape, sizeOf } from './ir.ts';

const BYTES_PER_ELEMENT = 4;

/** Which nodes the outputs need. */
export function neededNodes(graph: Graph): Uint8Array {
  const needed = new Uint8Array(graph.nodes.length);
  for (const id of Object.values(graph.outputs)) needed[id] = 1;
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    if (needed[id] === 1) for (const from of graph.nodes[id]?.inputs ?? []) needed[from] = 1;
  }
  return needed;
}

/**
 * For each node the last node that reads it: itself where none does, `nodes.length` for the outputs. Nodes that are not
 * needed read nothing when `needed` is given.
 */
export function lastUses(graph: Graph, needed?: Uint8Array): Int32Array {
  const last = Int32Array.from(graph.nodes, (_, id) => id);
  graph.nodes.forEach((node, id) => {
    if (needed === undefined || needed[id] === 1) for (const from of node.inputs) last[from] = id;
  });
  for (const id of Object.values(graph.outputs)) last[id] = graph.nodes.length;
  return last;
}

/** Whose memory a node looks at (itself, unless it is a view), and for each such owner the last node that reads it. */
export function lifetimes(graph: Graph, needed: Uint8Array): { readonly owner: Int32Array; readonly end: Int32Array } {
  const end = lastUses(graph, needed);
  const owner = memoryOwners(graph);
  for (const [id, own] of owner.entries()) {
    if (needed[id] === 1) end[own] = Math.max(end[own] ?? 0, end[id] ?? 0);
  }
  return { owner, end };
}

/**
 * Peak of live bytes, in float32, when the needed nodes run in order: inputs and constants are held throughout, an
 * output from when it is made, anything else until its last use. What is only another view of its operand (a reshape, a
 * stopGradient, a broadcast that elementwise operators alone read) takes nothing.
 *
 * `workspace` says how many elements an operator needs beside its result while it runs; the shapes are its operands'.
 */
export function peakBytes(
  graph: Graph,
  workspace: (node: Node, operands: readonly Shape[]) => number = () => 0,
): number {
  return peakOf(graph, workspace).bytes;
}

/** As `peakBytes`, with the node that is computed when the peak is reached. */
export function peakOf(
  graph: Graph,
  workspace: (node: Node, operands: readonly Shape[]) => number = () => 0,
): { readonly bytes: number; readonly at: NodeId } {
  const needed = neededNodes(graph);
  const { owner, end } = lifetimes(graph, needed);
  const freedAfter = new Float64Array(graph.nodes.length + 1);
  const isGiven = ({ op }: Node) => op.kind === 'input' || op.kind === 'constant';
  let live = 0;
  for (const [id, node] of graph.nodes.entries()) if (needed[id] === 1 && isGiven(node)) live += sizeOf(node.shape);
  let [peak, at] = [live, 0];
  for (const [id, node] of graph.nodes.entries()) {
    if (needed[id] !== 1) continue;
    if (owner[id] === id && !isGiven(node)) {
      live += sizeOf(node.shape);
      freedAfter[end[id] ?? id] = (freedAfter[end[id] ?? id] ?? 0) + sizeOf(node.shape);
    }
    const now =
      live +
      workspace(
        node,
        node.inputs.map((from) => graph.nodes[from]?.shape ?? []),
      );
    if (now > peak) [peak, at] = [now, id];
    live -= freedAfter[id] ?? 0;
  }
  return { bytes: peak * BYTES_PER_ELEMENT, at };
}

/** For each node the one whose memory it looks at: itself, unless it is a view. */
function memoryOwners({ nodes, outputs }: Graph): Int32Array {
  const onlyElementwise = new Uint8Array(nodes.length).fill(1);
  for (const { op, inputs } of nodes) if (op.kind !== 'binary') for (const from of inputs) onlyElementwise[from] = 0;
  for (const id of Object.values(outputs)) onlyElementwise[id] = 0;
  const owner = new Int32Array(nodes.length);
  for (const [id, { op, inputs }] of nodes.entries()) {
    const isView =
      op.kind === 'reshape' ||
      (op.kind === 'unary' && op.fn === 'stopGradient') ||
      (op.kind === 'broadcastTo' && onlyElementwise[id] === 1);
    owner[id] = isView ? (owner[inputs[0] ?? id] ?? id) : id;
  }
  return owner;
}
