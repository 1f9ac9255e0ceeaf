import type { Graph, NodeId } from '../ir.ts';
import { type Condition, demands } from './demand.ts';
import { rebuild } from './rebuild.ts';
import { keyOf } from './simplify.ts';

/**
 * Has equal nodes that different switches ask for computed once, whatever is chosen, where that costs less on average: when
 * every option is as likely as another, and more than one switch in a run asks for such a node. What one switch alone asks for
 * is left in its options.
 *
 * Not for graphs that are to be differentiated: there it would have the gradient of each switch wait for the others'.
 */
export function shareAcrossSwitches(graph: Graph): Graph {
  const { nodes } = graph;
  if (!nodes.some(({ op }) => op.kind === 'select')) return graph;
  const conditions = demands(graph);
  const options = new Map<NodeId, number>();
  for (const { op, inputs } of nodes) {
    const [index] = inputs;
    if (op.kind === 'select' && index !== undefined) {
      options.set(index, Math.max(options.get(index) ?? 0, inputs.length - 1));
    }
  }
  const likelihood = (condition: Condition): number =>
    [...condition.keys()].reduce((share, index) => share / (options.get(index) ?? 1), 1);

  /** Nodes of one value have one number, the id of the first. */
  const numbers: NodeId[] = [];
  const first = new Map<string, NodeId>();
  const equal = new Map<NodeId, NodeId[]>();
  for (const [id, { op, inputs }] of nodes.entries()) {
    const key = keyOf(
      op,
      inputs.map((from) => numbers[from] as NodeId),
    );
    const number = first.get(key) ?? id;
    first.set(key, number);
    numbers.push(number);
    equal.set(number, [...(equal.get(number) ?? []), id]);
  }
  const shared = new Map<NodeId, NodeId>();
  for (const [number, ids] of equal) {
    // No two options of one switch run in the same step, so the probabilities of what they need add up.
    const likely = ids.reduce((sum, id) => sum + likelihood(conditions[id] ?? new Map()), 0);
    if (ids.length > 1 && likely >= 1) for (const id of ids.slice(1)) shared.set(id, number);
  }
  if (shared.size === 0) return graph;
  return rebuild(graph, ({ op, inputs }, id, g, renamed) => {
    const other = shared.get(id);
    return other === undefined ? g.add(op, inputs) : renamed(other);
  });
}
