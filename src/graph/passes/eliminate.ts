import type { Graph, Node, NodeId, Op } from '../ir.ts';
import { neededNodes } from '../liveness.ts';
import { rebuild } from './rebuild.ts';

/**
 * Merges nodes with the same operator and the same operands; operands of commutative functions may be swapped. The
 * first of them stays, with its path.
 */
export function eliminateCommonSubexpressions(graph: Graph): Graph {
  const known = new Map<string, NodeId>();
  return rebuild(graph, (node, _id, g) => {
    const key = keyOf(node);
    const found = known.get(key);
    if (found !== undefined) return found;
    const id = g.add(node.op, node.inputs);
    known.set(key, id);
    return id;
  });
}

/** Leaves out the nodes that no output needs, inputs among them. */
export function eliminateDeadCode(graph: Graph): Graph {
  const needed = neededNodes(graph);
  return rebuild(graph, ({ op, inputs }, id, g) => (needed[id] === 1 ? g.add(op, inputs) : undefined));
}

function keyOf({ op, inputs, dtype }: Node): string {
  const operands = isCommutative(op) ? [...inputs].sort((a, b) => a - b) : inputs;
  const fields = Object.entries(op).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([dtype, operands, fields], exactly);
}

function isCommutative(op: Op): boolean {
  return op.kind === 'binary' && op.fn !== 'sub' && op.fn !== 'div';
}

/** JSON writes infinities as null and -0 as 0. */
function exactly(_key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return Object.is(value, -0) ? '-0' : value;
  return String(value);
}
