import { type Graph, type NodeId, sizeOf } from './ir.ts';

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

/**
 * Peak of live bytes, in float32, when the needed nodes run in order: inputs and constants are held throughout, an
 * output from when it is made, anything else until its last use. A reshape and a stopGradient share their operand's
 * memory. What an operator needs inside (an im2col buffer, say) is not known here.
 */
export function peakBytes(graph: Graph): number {
  const needed = neededNodes(graph);
  const owner: NodeId[] = [];
  const end = lastUses(graph, needed);
  graph.nodes.forEach(({ op, inputs }, id) => {
    const shares = op.kind === 'reshape' || (op.kind === 'unary' && op.fn === 'stopGradient');
    const own = shares ? (owner[inputs[0] ?? id] ?? id) : id;
    owner.push(own);
    if (needed[id] === 1) end[own] = Math.max(end[own] ?? 0, end[id] ?? 0);
  });
  const freedAfter = new Float64Array(graph.nodes.length + 1);
  let live = 0;
  for (const [id, { op, shape }] of graph.nodes.entries()) {
    if (needed[id] === 1 && (op.kind === 'input' || op.kind === 'constant')) live += sizeOf(shape);
  }
  let peak = live;
  for (const [id, { op, shape }] of graph.nodes.entries()) {
    if (needed[id] !== 1) continue;
    if (owner[id] === id && op.kind !== 'input' && op.kind !== 'constant') {
      live += sizeOf(shape);
      const last = end[id] ?? id;
      freedAfter[last] = (freedAfter[last] ?? 0) + sizeOf(shape);
    }
    peak = Math.max(peak, live);
    live -= freedAfter[id] ?? 0;
  }
  return peak * BYTES_PER_ELEMENT;
}
