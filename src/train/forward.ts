import { messageOf } from '../common/errors.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import { createGraph, finish, type GraphBuilder } from '../graph/builder.ts';
import type { Graph, NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { optimize, optimizeForward } from '../graph/passes.ts';
import { type LowerOptions, lowerNetwork } from '../network/lower.ts';
import type { Chosen, LoweredNetwork, Parameter } from '../network/network.ts';
import type { Module } from '../space/module.ts';
import { taskOf } from '../task/index.ts';
import { TrainingFailure } from './failure.ts';
import type { Moved } from './running-statistics.ts';
import { cutInputs, networkVectors, type Vector } from './vectors.ts';

/** A network on data: all that the training and the inference graph have in common. */
export interface NetworkOnData {
  /** Without open choices, or a supernet. */
  readonly network: Module;
  readonly info: DatasetInfo;
  /** Share of the image's side that the network sees; the image is averaged down by 1 / resolution. */
  readonly resolution: number;
  /** What becomes of a supernet's open choices. */
  readonly choices?: LowerOptions['choices'];
}

/** A network up to its loss, to be differentiated. Its parameters come in vectors. */
export interface ForwardGraph extends Omit<LoweredNetwork, 'output' | 'layers'> {
  readonly graph: Graph;
  /** Mean loss of the batch, []. */
  readonly loss: NodeId;
  /** The parameters on a way to the network's output, a vector each for those under the same choices. */
  readonly trained: readonly TrainedVector[];
  /** The vectors of the statistics on such a way, and what moves them. */
  readonly moving: { readonly vectors: readonly Vector[]; readonly statistics: readonly Moved[] };
}

/** A vector of parameters, with its node in the graph, and those of its parts. */
export interface TrainedVector extends Vector {
  readonly node: NodeId;
  readonly partNodes: readonly NodeId[];
  readonly when: readonly Chosen[];
}

/**
 * x [B, ...input] raw, targets [B, outputs] -> loss [], the task's, the mean over the batch. Throws TrainingFailure when the network cannot be built on this data.
 */
export function forwardGraph(on: NetworkOnData, batchSize: number): ForwardGraph {
  const alive = aliveNames(on, batchSize);
  const g = createGraph();
  const { output, layers: _, ...lowered } = lowerOnData(g, on, batchSize, 'train');
  const parameters = lowered.parameters.filter(({ path }) => alive.has(path));
  const moved = lowered.statistics.flatMap(({ move, ...one }) =>
    move && alive.has(one.path) ? [{ ...one, move }] : [],
  );
  const targets = ops.input(g, 'targets', [batchSize, on.info.outputs]);
  const loss = g.within('loss', () => taskOf(on.info).loss(g, output, targets));
  const batches = moved.map(({ path, move }) => [`batch:${path}`, move.batch] as const);
  const whole = optimizeForward(finish(g, { loss, ...Object.fromEntries(batches) }));

  const weights = networkVectors(parameters, []);
  const { graph, nodes } = cutInputs(whole, weights);
  const inputs = inputsOf(graph);
  const found = (name: string): NodeId => {
    const node = nodes.get(name) ?? inputs.get(name);
    if (node === undefined) throw new Error(`the forward graph has lost its input "${name}"`);
    return node;
  };
  const within = ({ when }: Pick<Parameter, 'when'>) =>
    when.map((chosen) => ({ ...chosen, index: found(chosen.name) }));
  const conditions = new Map(parameters.map((one) => [one.path, within(one)]));
  return {
    ...lowered,
    graph,
    loss: outputNode(graph, 'loss'),
    architecture: lowered.architecture.flatMap((one) => {
      const node = inputs.get(one.path);
      return node === undefined ? [] : [{ ...one, node }];
    }),
    trained: weights.map((vector) => ({
      ...vector,
      node: found(vector.name),
      partNodes: vector.parts.map(({ name }) => found(name)),
      when: conditions.get(vector.parts[0]?.name ?? '') ?? [],
    })),
    moving: {
      vectors: networkVectors([], moved),
      statistics: moved.map((one) => {
        const move = { ...one.move, batch: outputNode(graph, `batch:${one.path}`) };
        return { ...one, when: within(one), move };
      }),
    },
  };
}

function outputNode(graph: Graph, name: string): NodeId {
  const found = graph.outputs[name];
  if (found === undefined) throw new Error(`the graph has lost its output "${name}"`);
  return found;
}

/** The inputs of a graph by name. */
export function inputsOf(graph: Graph): ReadonlyMap<string, NodeId> {
  return new Map(graph.nodes.flatMap(({ op }, id) => (op.kind === 'input' ? [[op.name, id] as const] : [])));
}

/** The inputs that the network's output depends on. */
function aliveNames(on: NetworkOnData, batchSize: number): ReadonlySet<string> {
  const g = createGraph();
  const { output } = lowerOnData(g, on, batchSize, 'infer');
  return new Set(inputsOf(optimize(finish(g, { output }))).keys());
}

/** Appends the network on normalized images of the resolution. Throws TrainingFailure when it cannot be built. */
export function lowerOnData(
  g: GraphBuilder,
  { network, info, resolution, choices }: NetworkOnData,
  batchSize: number,
  mode: 'train' | 'infer',
): LoweredNetwork {
  const x = ops.input(g, 'x', [batchSize, ...info.input]);
  try {
    const seen = g.within('input', () => reduceResolution(g, normalize(g, x, info), resolution));
    return lowerNetwork(g, network, seen, { outputs: info.outputs, mode, ...(choices && { choices }) });
  } catch (error) {
    throw new TrainingFailure(`the network cannot be built: ${messageOf(error)}`, { cause: error });
  }
}

/** (x - mean) / deviation, for each channel or feature. */
function normalize(g: GraphBuilder, x: NodeId, info: DatasetInfo): NodeId {
  const shape = g.shape(x).map((size, axis) => (axis === 1 ? size : 1)); // [1, C, 1, 1] or [1, F]
  const mean = ops.constant(g, info.mean, shape);
  const inverse = ops.constant(
    g,
    info.deviation.map((deviation) => 1 / deviation),
    shape,
  );
  return ops.mul(g, ops.sub(g, x, mean), inverse);
}

/** [N, C, H, W] -> [N, C, H·r, W·r] rounded down, by averaging squares of 1/r pixels. */
function reduceResolution(g: GraphBuilder, x: NodeId, resolution: number): NodeId {
  if (resolution === 1) return x;
  const factor = 1 / resolution;
  if (!Number.isInteger(factor)) throw new Error(`resolution ${resolution} is not 1, 1/2, 1/3, ...`);
  if (g.shape(x).length !== 4) throw new Error(`resolution ${resolution}: only images have one`);
  return ops.avgPool(g, x, { kernel: [factor, factor], stride: [factor, factor], pads: [0, 0, 0, 0] });
}
