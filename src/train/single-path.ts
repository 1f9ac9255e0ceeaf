/**
 * Supernets of single paths (Guo et al. 2020, arXiv:1904.00420): `trainingGraph` and `inferenceGraph` of a supernet with
 * `choices: 'switch'` are programs in which the architecture is an input. A step computes one path, and moves the weights,
 * the optimizer's tensors and batch norm's statistics of that path alone; what no option of the path uses keeps its bits.
 * Differs from the path alone in one thing: a convolution of zeros, as behind `none`, is chosen, so that its filter has a
 * gradient of zero and still changes by momentum and weight decay; alone, the filter is no part of the network.
 */
import { invalid } from '../common/errors.ts';
import { type Graph, type HostTensor, type Node, type NodeId, sizeOf } from '../graph/ir.ts';
import { demands } from '../graph/passes/demand.ts';
import { givesZero } from '../graph/passes/fold-zeros.ts';
import { ENCODING, encodedDecisions } from '../network/generated.ts';
import type { Switch } from '../network/network.ts';
import type { Architecture } from '../space/space.ts';
import type { Module } from '../space/tree/module.ts';
import type { NetworkOnData } from './forward.ts';

/** A program of a supernet of switches. */
export interface SwitchedGraph {
  readonly graph: Graph;
  readonly switches: readonly Switch[];
}

/**
 * The inputs that have a program compute an architecture's path, to the loss or an inference graph's output. What leads nowhere, such as an edge to a node that `none` cuts off, is no part of the path: the switch of a decision that
 * only decides there is at the option that costs least. So is one that the architecture does not have, since it is inactive. Where
 * another option gives the same whatever the weights are, as `none` does in the place of a pool of zeros, the cheapest of them is taken.
 *
 * What is returned throws UserError for a value that is no option.
 */
export function switchFeeds({
  graph,
  switches,
}: SwitchedGraph): (architecture: Architecture) => Record<string, HostTensor> {
  const inputs = new Map(graph.nodes.flatMap(({ op }, id) => (op.kind === 'input' ? [[op.name, id] as const] : [])));
  const costs = optionCosts(graph);
  const moving = movingOptions(graph);
  const end = graph.outputs.loss ?? graph.outputs.output;
  if (end === undefined) throw new Error('the graph has neither an output "loss" nor "output"');
  const askedFor = selectsAskedFor(graph, end);
  const valuesOf = sameValues(graph, end);
  return (architecture) => {
    const chosen = new Map<NodeId, number>();
    for (const one of switches) {
      const [index, value] = [inputs.get(one.name), architecture[one.decision]];
      if (index !== undefined && value !== undefined) chosen.set(index, numberOf(one, value));
    }
    const asked = Map.groupBy(askedFor(chosen), (select) => graph.nodes[select]?.inputs[0] ?? -1);
    const values = valuesOf(chosen);
    return Object.fromEntries(
      switches.map(({ name }) => {
        const index = inputs.get(name) ?? -1;
        const own = costs.get(index) ?? [];
        const selects = asked.get(index) ?? [];
        const option = chosen.get(index) ?? 0;
        const fixed = selects.length > 0 && moving.get(index)?.has(option) === true;
        const alike = fixed ? [option] : own.flatMap((_, k) => (selects.every((id) => same(id, option, k)) ? [k] : []));
        const number = alike.reduce((a, b) => ((own[b] ?? 0) < (own[a] ?? 0) ? b : a), alike[0] ?? option);
        return [name, { shape: [], data: Float32Array.of(number) }];
      }),
    );

    function same(select: NodeId, a: number, b: number): boolean {
      const options = graph.nodes[select]?.inputs.slice(1) ?? [];
      return values[options[a] ?? -1] === values[options[b] ?? -1];
    }
  };
}

/**
 * What a program of a supernet is fed to compute an architecture's path: switches (`switchFeeds`), and where its weights are generated, what from.
 * What is returned throws as that of `switchFeeds` does.
 */
export function pathFeeds(
  { network, choices }: Pick<NetworkOnData, 'network' | 'choices'>,
  program: SwitchedGraph,
): (architecture: Architecture) => Record<string, HostTensor> {
  const switches = switchFeeds(program);
  const isGenerated = typeof choices === 'object' && choices.kind === 'generated';
  if (!isGenerated || !program.graph.nodes.some(({ op }) => op.kind === 'input' && op.name === ENCODING))
    return switches;
  return (architecture) => ({ ...switches(architecture), [ENCODING]: encodingOf(network, architecture) });
}

/** A one for each option that an architecture takes; zeros for a decision that it does not have. */
function encodingOf(network: Module, architecture: Architecture): HostTensor {
  const values = encodedDecisions(network).flatMap(({ name, options }) => {
    const value = architecture[name];
    return options.map((option) =>
      Number(Array.isArray(value) ? value.includes(Number(option)) : String(value) === option),
    );
  });
  return { shape: [1, values.length], data: Float32Array.from(values) };
}

function numberOf({ decision, options, from }: Switch, value: Architecture[string]): number {
  if (from !== undefined && Array.isArray(value)) return value.includes(from) ? 1 : 0;
  const number = options.indexOf(String(value));
  if (number >= 0) return number;
  throw invalid(
    `decision "${decision}"`,
    `${JSON.stringify(value)} is not an option`,
    `must be one of ${options.join(', ')}`,
  );
}

/**
 * The selects that a node's value depends on when some options are chosen. Which selects are read by each option without another
 * select between is found once, so that a call walks from select to select only.
 */
function selectsAskedFor({ nodes }: Graph, end: NodeId): (chosen: ReadonlyMap<NodeId, number>) => readonly NodeId[] {
  const found = new Map<NodeId, readonly NodeId[]>();
  const directly = (start: NodeId): readonly NodeId[] => {
    const known = found.get(start);
    if (known !== undefined) return known;
    const own: NodeId[] = [];
    const seen = new Set([start]);
    for (const id of seen) {
      if (nodes[id]?.op.kind === 'select') own.push(id);
      else for (const from of nodes[id]?.inputs ?? []) seen.add(from);
    }
    found.set(start, own);
    return own;
  };
  return (chosen) => {
    const asked = new Set(directly(end));
    for (const select of asked) {
      const [index = -1, ...options] = nodes[select]?.inputs ?? [];
      for (const next of directly(options[chosen.get(index) ?? 0] ?? select)) asked.add(next);
    }
    return [...asked];
  };
}

const ZERO = -1;

/**
 * For each node up to `end` the one whose value it has when some options are chosen; ZERO where it is zero whatever is fed. Most
 * nodes have a value of their own under any choice, and only the others are looked at in a call. The result is valid until the next call.
 */
function sameValues({ nodes }: Graph, end: NodeId): (chosen: ReadonlyMap<NodeId, number>) => Int32Array {
  const values = Int32Array.from({ length: end + 1 }, (_, id) => id);
  const isZero = (id: NodeId | undefined): boolean => id !== undefined && values[id] === ZERO;
  const varying = varyingNodes(nodes.slice(0, end + 1));
  return (chosen) => {
    for (const { id, node, takesFirst, takesSecond } of varying) {
      const { op, inputs } = node;
      const [a = id, b = id] = inputs;
      if (op.kind === 'select') values[id] = values[inputs[(chosen.get(a) ?? 0) + 1] ?? b] ?? Number.NaN;
      else if (givesZero(node, isZero)) values[id] = ZERO;
      else if (takesFirst && isZero(b)) values[id] = values[a] ?? Number.NaN;
      else values[id] = takesSecond && isZero(a) ? (values[b] ?? Number.NaN) : id;
    }
    return values;
  };
}

/** A node that has another node's value, or is zero, under some choices. */
interface Varying {
  readonly id: NodeId;
  readonly node: Node;
  /** Whether it is a sum that has its first operand's value where its second is zero. */
  readonly takesFirst: boolean;
  readonly takesSecond: boolean;
}

function varyingNodes(nodes: readonly Node[]): readonly Varying[] {
  const maybeZero = new Uint8Array(nodes.length);
  const isMaybeZero = (id: NodeId | undefined): boolean => id !== undefined && maybeZero[id] === 1;
  return nodes.flatMap((node, id): Varying[] => {
    const { op, inputs, shape } = node;
    const [a, b] = inputs;
    const isSelect = op.kind === 'select';
    const zero = isSelect ? inputs.slice(1).some(isMaybeZero) : givesZero(node, isMaybeZero);
    maybeZero[id] = Number(zero);
    const isSum = op.kind === 'binary' && op.fn === 'add';
    const takes = (value: NodeId | undefined, other: NodeId | undefined) =>
      isSum && isMaybeZero(other) && `${nodes[value ?? -1]?.shape}` === `${shape}`;
    const [takesFirst, takesSecond] = [takes(a, b), takes(b, a)];
    return isSelect || zero || takesFirst || takesSecond ? [{ id, node, takesFirst, takesSecond }] : [];
  });
}

/** For each index the options under which a step moves a tensor of the state. */
function movingOptions({ nodes, outputs }: Graph): ReadonlyMap<NodeId, ReadonlySet<number>> {
  const moving = new Map<NodeId, Set<number>>();
  const walk = (id: NodeId): void => {
    const { op, inputs } = nodes[id] as Node;
    const [index, ...options] = inputs;
    if (op.kind !== 'select' || index === undefined) return;
    const own = moving.get(index) ?? new Set();
    moving.set(index, own);
    for (const [k, option] of options.entries()) {
      if (nodes[option]?.op.kind !== 'input') own.add(k);
      walk(option);
    }
  };
  for (const id of Object.values(outputs)) walk(id);
  return moving;
}

/** For each index, how many numbers each of its options has computed. */
function optionCosts(graph: Graph): ReadonlyMap<NodeId, readonly number[]> {
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
  return costs;
}
