/** What proxies are read out of: a network in a graph, with or without open choices, and what of it counts when. */
import { createGraph, finish, type GraphBuilder } from '../../graph/builder.ts';
import type { Graph, NodeId } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { type Condition, demands } from '../../graph/passes/demand.ts';
import type { LoweredNetwork, Parameter, Switch } from '../../network/network.ts';
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
  /** Images as they come, raw, [N, ...input]. */
  readonly x: NodeId;
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
  const x = g.nodes.findIndex(({ op }) => op.kind === 'input' && op.name === 'input');
  return { lowered, context: { ...counted, x } };
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
  const layers = graph.nodes.flatMap(({ op, inputs: [, weight = -1] }, id): readonly WeightLayer[] => {
    const path = pathOf.get(weight);
    const weighs = op.kind === 'conv' || op.kind === 'matmul';
    return weighs && path !== undefined && asked[id] !== undefined ? [{ path, weight, output: id }] : [];
  });
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
