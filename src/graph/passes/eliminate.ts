import type { Graph } from '../ir.ts';
import { neededNodes } from '../liveness.ts';
import { rebuild } from './rebuild.ts';
import { simplify } from './simplify.ts';

/** Merges nodes with the same operator and the same operands. */
export function eliminateCommonSubexpressions(graph: Graph): Graph {
  return simplify(graph, []);
}

/** Leaves out the nodes that no output needs, inputs among them. */
export function eliminateDeadCode(graph: Graph): Graph {
  const needed = neededNodes(graph);
  if (!needed.includes(0)) return graph;
  return rebuild(graph, ({ op, inputs }, id, g) => (needed[id] === 1 ? g.add(op, inputs) : undefined));
}
