import { messageOf } from '../common/errors.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import { createGraph, finish, type GraphBuilder } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import type { Graph, NodeId, Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { optimise } from '../graph/passes.ts';
import { lowerNetwork } from '../network/lower.ts';
import type { LoweredNetwork, Parameter, RandomInput, Statistic } from '../network/network.ts';
import type { Module } from '../space/module.ts';
import { TrainingFailure } from './failure.ts';
import { clipByGlobalNorm, OPTIMISERS } from './optimisers.ts';
import type { TrainSettings } from './settings.ts';

/** A network on data: all that the training and the inference graph have in common. */
export interface NetworkOnData {
  /** Without open choices. */
  readonly network: Module;
  readonly info: DatasetInfo;
  /** Share of the image's side that the network sees; the image is averaged down by 1 / resolution. */
  readonly resolution: number;
}

/** One training step as a graph, and what its state consists of. */
export interface TrainingGraph {
  /** Inputs: x, targets, the optimizer's scalars, the random inputs, and the state. Outputs: loss, and the carried. */
  readonly graph: Graph;
  /** Output to state entry, as `Engine.compile` takes it. */
  readonly carries: Readonly<Record<string, string>>;
  readonly parameters: readonly Parameter[];
  readonly statistics: readonly Statistic[];
  readonly randomInputs: readonly RandomInput[];
  readonly optimiserState: readonly { readonly name: string; readonly shape: Shape }[];
}

/**
 * The graph of one training step on `batchSize` samples.
 *
 * x [B, ...input] raw, targets [B, outputs] -> loss [], the mean over the batch: of the cross-entropy between the target
 * distribution and the softmax of the logits, or of the squared difference to the standardised targets (also over the
 * targets). Gradients are clipped, then the optimizer's rule gives the next parameters; each is carried, as are
 * batch norm's statistics and the optimizer's own tensors. What lies on no way to the network's output (the convolution
 * of an edge that ends in a dead node) is left as it was initialised, and costs no time.
 *
 * Throws TrainingFailure when the network cannot be built on this data.
 */
export function trainingGraph(
  on: NetworkOnData,
  settings: Pick<TrainSettings, 'optimizer' | 'momentum' | 'nesterov' | 'weightDecay' | 'clipNorm'>,
  batchSize: number,
): TrainingGraph {
  const g = createGraph();
  const { parameters, statistics, randomInputs, output } = lowerOnData(g, on, batchSize, 'train');
  const alive = inputNames(inferenceGraph(on, batchSize).graph);
  const trained = parameters.filter(({ path }) => alive.has(path));
  const targets = ops.input(g, 'targets', [batchSize, on.info.outputs]);
  const loss = g.within('loss', () => lossOf(g, on.info.kind, output, targets));
  const raw = gradients(
    g,
    loss,
    trained.map(({ node }) => node),
  );
  const update = g.within('optimizer', () =>
    OPTIMISERS[settings.optimizer].append(g, settings, trained, clipByGlobalNorm(g, raw, settings.clipNorm)),
  );
  const carried = [
    ...trained.map(({ path }, i) => [path, update.parameters[i] as NodeId] as const),
    ...statistics.flatMap(({ path, next }) => (alive.has(path) ? [[path, next] as const] : [])),
    ...update.state.map(({ name, next }) => [name, next] as const),
  ];
  const graph = optimise(
    finish(g, { loss, ...Object.fromEntries(carried.map(([name, node]) => [`next:${name}`, node])) }),
  );
  const fed = inputNames(graph);
  return {
    graph,
    carries: Object.fromEntries(carried.map(([name]) => [`next:${name}`, name])),
    parameters,
    statistics,
    randomInputs: randomInputs.filter(({ name }) => fed.has(name)),
    optimiserState: update.state.map(({ name, shape }) => ({ name, shape })),
  };
}

/** The graph that a trained network is used by, and the tensors it needs. */
export interface InferenceGraph {
  /** Inputs: x, parameters and statistics. Output: `output`, as the network gives it. */
  readonly graph: Graph;
  readonly parameters: readonly Parameter[];
  readonly statistics: readonly Statistic[];
}

/**
 * x [B, ...input] raw -> output [B, outputs]: logits, or standardised targets of a regression. Its parameters and
 * statistics have the names they have in training, so both programs share one state.
 *
 * Throws TrainingFailure when the network cannot be built on this data.
 */
export function inferenceGraph(on: NetworkOnData, batchSize: number): InferenceGraph {
  const g = createGraph();
  const { parameters, statistics, output } = lowerOnData(g, on, batchSize, 'infer');
  return { graph: optimise(finish(g, { output })), parameters, statistics };
}

function inputNames(graph: Graph): ReadonlySet<string> {
  return new Set(graph.nodes.flatMap(({ op }) => (op.kind === 'input' ? [op.name] : [])));
}

function lowerOnData(
  g: GraphBuilder,
  { network, info, resolution }: NetworkOnData,
  batchSize: number,
  mode: 'train' | 'infer',
): LoweredNetwork {
  const x = ops.input(g, 'x', [batchSize, ...info.input]);
  try {
    const seen = g.within('input', () => reduceResolution(g, normalise(g, x, info), resolution));
    return lowerNetwork(g, network, seen, { outputs: info.outputs, mode });
  } catch (error) {
    throw new TrainingFailure(`the network cannot be built: ${messageOf(error)}`, { cause: error });
  }
}

/** (x - mean) / deviation, for each channel or feature. */
function normalise(g: GraphBuilder, x: NodeId, info: DatasetInfo): NodeId {
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

/** The mean loss over the batch, shape []. */
function lossOf(g: GraphBuilder, kind: DatasetInfo['kind'], output: NodeId, targets: NodeId): NodeId {
  if (kind === 'regression') {
    const difference = ops.sub(g, output, targets);
    return ops.reduceMean(g, ops.mul(g, difference, difference), [0, 1]);
  }
  const agreement = ops.mul(g, targets, ops.logSoftmax(g, output)); // [B, K]
  return ops.neg(g, ops.reduceMean(g, ops.reduceSum(g, agreement, [1]), [0]));
}
