/** What proxies are read out of: a network in a graph, with or without open choices, and what of it counts when. */
import { createGraph, finish, type GraphBuilder } from '../../graph/builder.ts';
import type { Graph, NodeId } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { type Condition, demands } from '../../graph/passes/demand.ts';
import type { LoweredNetwork, Parameter, Switch } from '../../network/network.ts';
import { taskOf } from '../../task/index.ts';
import { inputsOf, lowerOnData, type NetworkOnData } from '../../train/forward.ts';

/** A filter or matrix that is trained, and the node of its layer's output: what a network's saliency is summed over. */
export interface WeightLayer {
  readonly path: string;
  readonly weight: NodeId;
  readonly output: NodeId;
}

/** A network's graph, and what of it counts. */
interface CountedGraph {
  readonly g: GraphBuilder;
  /** [N, outputs] */
  readonly output: NodeId;
  /** Those on a way to the output. */
  readonly layers: readonly WeightLayer[];
  /** `value` where what `node` computes is part of the network, else zeros: a supernet's other options do not count. */
  counted(node: NodeId, value: NodeId): NodeId;
  /** Whether the output depends on the node, under some options at least. */
  isAlive(node: NodeId): boolean;
}

/** A network's graph, to which readouts are appended. */
export interface ProxyContext extends CountedGraph {
  /** Images as they come, raw, [N, ...input]; where a network reads tokens, which have no gradient, the vectors in their place. */
  readonly x: NodeId;
  /** The vectors in the place of tokens, [N, T, C]; none where a network reads numbers. */
  readonly embedded: readonly NodeId[];
}

/** A network before anything is read out of it. */
export interface NetworkGraph {
  readonly context: ProxyContext;
  readonly lowered: LoweredNetwork;
}

/** Lowers a network on a batch. Throws TrainingFailure when it cannot be built on this data. */
export function openNetwork(on: NetworkOnData, batchSize: number, mode: 'train' | 'infer'): NetworkGraph {
  const g = createGraph();
  const lowered = lowerOnData(g, on, batchSize, mode);
  const { parameters, switches, output } = lowered;
  const counted = contextOf(g, output, parameters, switches);
  const raw = inputsOf(finish(g, { output })).get(inputName(on)) ?? -1;
  const trained = new Set(parameters.map(({ node }) => node));
  const embedded = g.nodes.flatMap(({ op, inputs: [table = -1] }, id) =>
    op.kind === 'gather' && trained.has(table) ? [id] : [],
  );
  return { lowered, context: { ...counted, x: embedded[0] ?? raw, embedded } };
}

/** The tensor that a network reads, as its task names it. */
export function inputName({ info, task }: NetworkOnData): string {
  return Object.keys(taskOf(info, task).spec(info).inputs)[0] ?? '';
}

/** Goes on from a graph whose output `output` is the network's. */
export function contextOf(
  g: GraphBuilder,
  output: NodeId,
  parameters: readonly Pick<Parameter, 'path'>[],
  switches: readonly Switch[],
): CountedGraph {
  const graph: Graph = finish(g, { output });
  const inputs = inputsOf(graph);
  // What zeros are made from does not count: an edge without operation asks for nothing.
  const nodes = graph.nodes.map((node) =>
    node.op.kind === 'unary' && node.op.fn === 'zerosLike' ? { ...node, inputs: [] } : node,
  );
  const asked = demands({ ...graph, nodes });
  const optionsOf = new Map(switches.map(({ name, options }) => [inputs.get(name), options.length] as const));
  const pathOf = new Map(parameters.map(({ path }) => [inputs.get(path), path] as const));
  /** The parameter that a filter is: in another shape, or with some of its weights dropped. */
  const parameterOf = (id: NodeId): NodeId | undefined => {
    const node = graph.nodes[id];
    if (pathOf.has(id)) return id;
    if (node?.op.kind === 'reshape') return parameterOf(node.inputs[0] ?? -1);
    if (node?.op.kind !== 'binary' || node.op.fn !== 'mul') return undefined;
    return node.inputs.map(parameterOf).find((found) => found !== undefined);
  };
  const all = graph.nodes.flatMap(({ op, inputs: [, filter = -1] }, id): readonly WeightLayer[] => {
    const weighs = op.kind === 'conv' || op.kind === 'matmul';
    const weight = weighs && asked[id] !== undefined ? parameterOf(filter) : undefined;
    const path = weight === undefined ? undefined : pathOf.get(weight);
    return weight !== undefined && path !== undefined ? [{ path, weight, output: id }] : [];
  });
  // A recurrent layer uses its weights at each step, and a gradient has all of them: the last step stands for the layer.
  const layers = [...new Map(all.map((layer) => [layer.weight, layer])).values()];
  return {
    g,
    output,
    layers,
    isAlive: (node) => asked[node] !== undefined,
    counted: (node, value) => under(g, asked[node], optionsOf, value),
  };
}

function under(
  g: GraphBuilder,
  condition: Condition | undefined,
  optionsOf: ReadonlyMap<NodeId | undefined, number>,
  value: NodeId,
): NodeId {
  const zero = ops.constant(g, 0, g.shape(value));
  if (condition === undefined) return zero;
  return [...condition].reduceRight((inner, [index, option]) => {
    const options = Array.from({ length: optionsOf.get(index) ?? 0 }, (_, k) => (k === option ? inner : zero));
    return ops.select(g, index, options);
  }, value);
}

/** The sum of numbers, of shape [] each; 0 of none. */
export function total(g: GraphBuilder, numbers: readonly NodeId[]): NodeId {
  if (numbers.length === 0) return ops.constant(g, 0);
  const vector = ops.concat(
    g,
    numbers.map((one) => ops.reshape(g, one, [1])),
    0,
  );
  return ops.reduceSum(g, vector, [0]);
}

/** The sum of all elements, []. */
export function sumAll(g: GraphBuilder, x: NodeId): NodeId {
  return ops.reduceSum(
    g,
    x,
    g.shape(x).map((_, axis) => axis),
  );
}
