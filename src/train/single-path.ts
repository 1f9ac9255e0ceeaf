/**
 * Supernets of single paths (Guo et al. 2020, arXiv:1904.00420): `trainingGraph` and `inferenceGraph` of a supernet with
 * `choices: 'switch'` are programs in which the architecture is an input. A step computes one path, and moves the weights,
 * the optimizer's tensors and batch norm's statistics of that path alone; what no option of the path uses keeps its bits.
 */
import { invalid } from '../common/errors.ts';
import { type Graph, type HostTensor, type NodeId, sizeOf } from '../graph/ir.ts';
import { demands } from '../graph/passes/demand.ts';
import type { Switch } from '../network/network.ts';
import type { Architecture, DecisionValue } from '../space/space.ts';

/** A program of a supernet of switches. */
export interface SwitchedGraph {
  readonly graph: Graph;
  readonly switches: readonly Switch[];
}

/**
 * The inputs that have a program compute an architecture's path, to the loss or an inference graph's output. What leads nowhere, such as an edge to a node that `none` cuts off, is no part of the path: the switch of a decision that
 * only decides there is at the option that costs least. So is one that the architecture does not have, since it is inactive.
 *
 * What is returned throws UserError for a value that is no option.
 */
export function switchFeeds({
  graph,
  switches,
}: SwitchedGraph): (architecture: Architecture) => Record<string, HostTensor> {
  const inputs = new Map(graph.nodes.flatMap(({ op }, id) => (op.kind === 'input' ? [[op.name, id] as const] : [])));
  const cheapest = cheapestOptions(graph);
  const end = graph.outputs.loss ?? graph.outputs.output;
  if (end === undefined) throw new Error('the graph has neither an output "loss" nor "output"');
  return (architecture) => {
    const chosen = new Map<NodeId, number>();
    for (const one of switches) {
      const [index, value] = [inputs.get(one.name), architecture[one.decision]];
      if (index !== undefined && value !== undefined) chosen.set(index, numberOf(one, value));
    }
    const asked = askedFor(graph, end, chosen);
    return Object.fromEntries(
      switches.map(({ name }) => {
        const index = inputs.get(name) ?? -1;
        const number = asked.has(index) ? chosen.get(index) : cheapest.get(index);
        return [name, { shape: [], data: Float32Array.of(number ?? 0) }];
      }),
    );
  };
}

function numberOf({ decision, options, from }: Switch, value: DecisionValue): number {
  if (from !== undefined && Array.isArray(value)) return value.includes(from) ? 1 : 0;
  const number = options.indexOf(String(value));
  if (number >= 0) return number;
  throw invalid(`decision "${decision}"`, `${JSON.stringify(value)} is no option`, `options are ${options.join(', ')}`);
}

/** The indices that the value of a node depends on when these options are chosen. */
function askedFor({ nodes }: Graph, end: NodeId, chosen: ReadonlyMap<NodeId, number>): ReadonlySet<NodeId> {
  const asked = new Set<NodeId>();
  const seen = new Uint8Array(nodes.length);
  seen[end] = 1;
  for (let id = end; id >= 0; id--) {
    const node = nodes[id];
    if (seen[id] !== 1 || node === undefined) continue;
    const [index = -1, ...options] = node.inputs;
    const used = node.op.kind === 'select' ? [options[chosen.get(index) ?? 0] ?? id] : node.inputs;
    if (node.op.kind === 'select') asked.add(index);
    for (const from of used) seen[from] = 1;
  }
  return asked;
}

/** For each index the option for which the fewest numbers are computed. */
function cheapestOptions(graph: Graph): ReadonlyMap<NodeId, number> {
  const costs = new Map<NodeId, number[]>();
  for (const { op, inputs } of graph.nodes) {
    const [index, ...options] = inputs;
    if (op.kind === 'select' && index !== undefined && !costs.has(index))
      costs.set(
        index,
        options.map(() => 0),
      );
  }
  for (const [id, condition] of demands(graph).entries()) {
    for (const [index, option] of condition ?? []) {
      const own = costs.get(index);
      if (own !== undefined) own[option] = (own[option] ?? 0) + sizeOf(graph.nodes[id]?.shape ?? []);
    }
  }
  return new Map([...costs].map(([index, own]) => [index, own.indexOf(Math.min(...own))]));
}
