import { messageOf } from '../common/errors.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import { createGraph, finish, type GraphBuilder } from '../graph/builder.ts';
import type { Graph, NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { optimize, optimizeForward } from '../graph/passes.ts';
import { type LowerOptions, lowerNetwork } from '../network/lower.ts';
import type { AuxiliaryOutput, Chosen, LoweredNetwork, Parameter } from '../network/network.ts';
import type { Module } from '../space/tree/module.ts';
import { taskOf } from '../task/index.ts';
import { prepareInputs } from '../task/inputs.ts';
import {
  isPadded,
  mapValues,
  type Nodes,
  outputShape,
  splitOutput,
  type TensorSpecs,
  vocabularyOf,
} from '../task/spec.ts';
import type { StepTask, TaskDefinition } from '../task/task.ts';
import { TrainingFailure } from './failure.ts';
import { cutSpecs } from './lengths.ts';
import type { Moved } from './running-statistics.ts';
import { cutInputs, networkVectors, type Vector } from './vectors.ts';

/** A network on data: all that the training and the inference graph have in common. `T`: what is known of its task. */
export interface NetworkOnData<T extends StepTask = TaskDefinition> {
  /** Without open choices, or a supernet. */
  readonly network: Module;
  readonly info: DatasetInfo;
  /** Share of the image's side that the network sees; the image is averaged down by 1 / resolution. */
  readonly resolution: number;
  /** What becomes of a supernet's open choices. */
  readonly choices?: LowerOptions['choices'];
  /** What the network is for, where it is a task of the user's own. */
  readonly task?: T;
  /** Whether recurrent layers begin with states that are fed (`states`), in place of zeros. */
  readonly state?: boolean;
  /** Tokens of a sample of this program, where all of its samples are shorter than those of the data may be. */
  readonly length?: number;
}

/** A network up to its loss, to be differentiated. Its parameters come in vectors. */
export interface ForwardGraph extends Omit<LoweredNetwork, 'output' | 'auxiliary' | 'layers' | 'readsPadding'> {
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
 * Raw inputs and encoded targets, by the names that the task gives them -> loss [], the task's, the mean over the batch.
 * Throws TrainingFailure when the network cannot be built on this data.
 */
export function forwardGraph(on: NetworkOnData<StepTask>, batchSize: number): ForwardGraph {
  const alive = aliveNames(on, batchSize);
  const g = createGraph();
  const { output, layers: _, auxiliary, ...lowered } = lowerOnData(g, on, batchSize, 'train', true);
  const parameters = lowered.parameters.filter(({ path }) => alive.has(path));
  const moved = lowered.statistics.flatMap(({ move, ...one }) =>
    move && alive.has(one.path) ? [{ ...one, move }] : [],
  );
  const loss = taskLoss(g, on, output, auxiliary);
  const batches = moved.map(({ path, move }) => [`batch:${path}`, move.batch] as const);
  const states = lowered.states.filter(({ name }) => alive.has(name));
  const next = states.map((state) => [nextState(state.name), state.output] as const);
  const whole = optimizeForward(finish(g, { loss, ...Object.fromEntries([...batches, ...next]) }));

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
    states: states.map(({ name, shape }) => ({
      ...{ name, shape, input: found(name), output: outputNode(graph, nextState(name)) },
    })),
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

/** The output that a state's next value comes out as. */
export const nextState = (name: string): string => `next:${name}`;

function outputNode(graph: Graph, name: string): NodeId {
  const found = graph.outputs[name];
  if (found === undefined) throw new Error(`the graph has lost its output "${name}"`);
  return found;
}

/** The inputs of a graph by name. */
export function inputsOf(graph: Graph): ReadonlyMap<string, NodeId> {
  return new Map(graph.nodes.flatMap(({ op }, id) => (op.kind === 'input' ? [[op.name, id] as const] : [])));
}

/** The inputs that the network's output depends on, or that of an auxiliary head. */
export function aliveNames(on: NetworkOnData<StepTask>, batchSize: number): ReadonlySet<string> {
  const g = createGraph();
  const { output, auxiliary } = lowerOnData(g, on, batchSize, 'infer', true);
  const heads = Object.fromEntries(auxiliary.map((head, i) => [`auxiliary ${i}`, head.output]));
  return new Set(inputsOf(optimize(finish(g, { output, ...heads }))).keys());
}

/** Appends the encoded targets as inputs, and the task's loss of the network's output, with that of auxiliary heads by their weights. */
export function taskLoss(
  g: GraphBuilder,
  { info, task: own }: NetworkOnData<StepTask>,
  output: NodeId,
  auxiliary: readonly AuxiliaryOutput[] = [],
): NodeId {
  const task = taskOf(info, own);
  const spec = task.spec(info);
  const targets = inputNodes(g, task.encoding?.specs(info) ?? spec.targets, g.shape(output)[0] ?? 1);
  return g.within('loss', () => {
    const lossOf = (one: NodeId) => task.loss(g, splitOutput(g, spec, one), targets, info);
    return auxiliary.reduce(
      (sum, head) => ops.add(g, sum, ops.mul(g, lossOf(head.output), ops.constant(g, head.weight))),
      lossOf(output),
    );
  });
}

/** Tensors as inputs of a graph, the batch first. */
export function inputNodes(g: GraphBuilder, specs: TensorSpecs, batchSize: number): Nodes {
  return mapValues(specs, ({ shape, dtype }, name) => ops.input(g, name, [batchSize, ...shape], dtype));
}

/** Appends the network on prepared inputs, images at the resolution; `auxiliary`: with its auxiliary heads. Throws TrainingFailure when it cannot be built. */
export function lowerOnData(
  g: GraphBuilder,
  { network, info, resolution, choices, task: own, state = false, length }: NetworkOnData<StepTask>,
  batchSize: number,
  mode: 'train' | 'infer',
  auxiliary = false,
): LoweredNetwork {
  const task = taskOf(info, own);
  const spec = task.spec(info);
  const inputs = inputNodes(g, cutSpecs(spec.inputs, length), batchSize);
  const [longest] = info.input;
  const [outputs = 1, ...positions] = outputShape(spec);
  const vocabulary = vocabularyOf(spec);
  const quantiles = task.prepare === undefined ? info.quantiles : undefined;
  try {
    if (resolution !== 1 && positions.length > 0)
      throw new Error(`resolution ${resolution}: the targets have a value for each position of the full input`);
    const seen = g.within('input', () => reduceResolution(g, prepareInputs(g, task, inputs, info), resolution));
    return lowerNetwork(g, network, seen, {
      outputs,
      mode,
      ...(choices && { choices }),
      ...(positions.length > 0 && { shape: [outputs, ...positions] }),
      ...(vocabulary !== undefined && { vocabulary }),
      ...(isPadded(spec) && { padded: true as const }),
      ...(length !== undefined && longest !== undefined && { longest }),
      ...(quantiles !== undefined && { quantiles }),
      ...(state && { state }),
      ...(auxiliary && { auxiliary }),
    });
  } catch (error) {
    throw new TrainingFailure(`the network cannot be built: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Whether a network has the same tensors, and gives a sample the same output, when its batch is cut to this many tokens. Not where a layer's
 * size follows from the length, or a pool without padding changes the positions.
 */
export function canBeCut(on: NetworkOnData<StepTask>, length: number): boolean {
  const lowered = (cut?: number) =>
    lowerOnData(createGraph(), cut === undefined ? on : { ...on, length: cut }, 1, 'train', true);
  const tensorsOf = ({ parameters, statistics }: LoweredNetwork) =>
    JSON.stringify([...parameters, ...statistics].map(({ path, shape }) => [path, shape]));
  const whole = lowered();
  try {
    const cut = lowered(length);
    return !whole.readsPadding && !cut.readsPadding && tensorsOf(whole) === tensorsOf(cut);
  } catch (error) {
    if (error instanceof TrainingFailure) return false;
    throw error;
  }
}

/** [N, C, H, W] -> [N, C, H·r, W·r] rounded down, by averaging squares of 1/r pixels. */
function reduceResolution(g: GraphBuilder, x: NodeId, resolution: number): NodeId {
  if (resolution === 1) return x;
  const factor = 1 / resolution;
  if (!Number.isInteger(factor)) throw new Error(`resolution ${resolution} is not 1, 1/2, 1/3, ...`);
  if (g.shape(x).length !== 4) throw new Error(`resolution ${resolution}: only images have one`);
  return ops.avgPool(g, x, { kernel: [factor, factor], stride: [factor, factor], pads: [0, 0, 0, 0] });
}
