import type { Graph, Node, NodeId } from '../ir.ts';
import { likelihood, optionCounts } from './alternatives.ts';
import { ALWAYS, demands, isHeavy } from './demand.ts';
import { rebuild } from './rebuild.ts';
import { keyOf } from './simplify.ts';

/** A convolution takes as long as so many passes over memory. */
const CONVOLUTION = 4;
/** How many passes must be saved on average: a conditional more costs as much. */
const LEAST_SAVING = 0.1;

/**
 * Has equal nodes that different switches ask for computed once, where that costs less on average, every option being as
 * likely as another. Small ones are then computed whatever is chosen: this pays when more than one switch in a run asks for such a
 * node. Heavy ones only where one of the switches asks for them (`alternatives`). What one switch alone asks for is left in its
 * options.
 *
 * Not for graphs that are to be differentiated: there it would have the gradient of each switch wait for the others'.
 */
export function shareAcrossSwitches(graph: Graph): Graph {
  const { nodes } = graph;
  if (!nodes.some(({ op }) => op.kind === 'select')) return graph;
  const conditions = demands(graph);
  const options = optionCounts(nodes);
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
  /** A switch would have to copy what is computed elsewhere and is an option as it is. */
  const optionsAsTheyAre = new Set(nodes.flatMap(({ op, inputs }) => (op.kind === 'select' ? inputs.slice(1) : [])));
  const shared = new Map<NodeId, NodeId>();
  for (const [number, all] of equal) {
    const { op, inputs } = nodes[number] as Node;
    const heavy = isHeavy(
      op.kind,
      inputs.map((from) => nodes[from]?.shape ?? []),
    );
    const ids = heavy ? all.filter((id) => !optionsAsTheyAre.has(id)) : all;
    const [one, ...others] = ids;
    if (one === undefined || others.length === 0) continue;
    const { any, count } = likelihood(
      ids.map((id) => conditions[id] ?? ALWAYS),
      options,
    );
    const passes = op.kind.startsWith('conv') ? CONVOLUTION : 1;
    if (heavy ? (count - any) * passes >= LEAST_SAVING : count >= 1) for (const id of others) shared.set(id, one);
  }
  if (shared.size === 0) return graph;
  return rebuild(graph, ({ op, inputs }, id, g, renamed) => {
    const other = shared.get(id);
    return other === undefined ? g.add(op, inputs) : renamed(other);
  });
}
