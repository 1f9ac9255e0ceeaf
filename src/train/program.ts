import type { Rng } from '../common/random.ts';
import { createGraph, finish, type GraphBuilder } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import { type Graph, type HostTensor, type NodeId, type Shape, sizeOf } from '../graph/ir.ts';
import { optimize } from '../graph/passes.ts';
import { initialize } from '../network/initialize.ts';
import type {
  ArchitectureParameter,
  CarriedState,
  Parameter,
  RandomInput,
  Statistic,
  Switch,
} from '../network/network.ts';
import type { StepTask } from '../task/task.ts';
import {
  type ForwardGraph,
  forwardGraph,
  inputsOf,
  lowerOnData,
  type NetworkOnData,
  nextState,
  type TrainedVector,
} from './forward.ts';
import { optimizerOf, type Update } from './optimizers.ts';
import { moveStatistics } from './running-statistics.ts';
import type { TrainSettings } from './settings.ts';
import { cutInputs, networkVectors, pack, type Vector, vectorOf } from './vectors.ts';
import { averageWeights } from './weight-average.ts';

/** What the state of a training program consists of. */
export interface StateParts {
  readonly parameters: readonly Parameter[];
  /** For a supernet: the architecture parameters, which weight the options of its choices. */
  readonly architecture: readonly ArchitectureParameter[];
  readonly statistics: readonly Statistic[];
  /** What the optimizer keeps, zeros at first, and averages of the weights. */
  readonly optimizerState: readonly { readonly name: string; readonly shape: Shape }[];
  /** What recurrent layers carry from one step to the next, where that is asked for (`NetworkOnData.state`): state entries, zeros at first. */
  readonly carried: readonly Pick<CarriedState, 'name' | 'shape'>[];
  /** The state entries that hold these tensors: `joinTensors` makes them, `splitTensors` takes them apart. */
  readonly vectors: readonly Vector[];
}

/** One training step as a graph. */
export interface TrainingGraph extends StateParts {
  /** Inputs: those of the task, its targets, the optimizer's scalars, the random inputs, and the state. Outputs: loss, and the carried. */
  readonly graph: Graph;
  /** Output to state entry, as `Engine.compile` takes it. */
  readonly carries: Readonly<Record<string, string>>;
  /** Of a supernet whose choices are switches: the inputs that choose. */
  readonly switches: readonly Switch[];
  readonly randomInputs: readonly RandomInput[];
}

/** The tensors of a state before the first step, each by its own name, drawn from the stream that its path names. */
export function freshTensors(
  { parameters, architecture, statistics, optimizerState }: StateParts,
  rng: (...labels: readonly string[]) => Rng,
): Record<string, HostTensor> {
  const zeros = optimizerState.map(
    ({ name, shape }) => [name, { shape, data: new Float32Array(sizeOf(shape)) }] as const,
  );
  return { ...initialize([...parameters, ...architecture, ...statistics], rng), ...Object.fromEntries(zeros) };
}

/** What a training step does with the gradients: see `TrainSettings`. */
export type UpdateSettings = Pick<TrainSettings, 'optimizer' | 'momentum' | 'nesterov' | 'weightDecay' | 'clipNorm'> &
  Partial<Pick<TrainSettings, 'beta1' | 'beta2' | 'weightAverage'>>;

/** What a step reads of all settings, but the average of the weights, which supernets do not have. */
export function updateSettings(settings: UpdateSettings): UpdateSettings {
  const { optimizer, momentum, nesterov, beta1, beta2, weightDecay, clipNorm } = settings;
  const betas = { ...(beta1 !== undefined && { beta1 }), ...(beta2 !== undefined && { beta2 }) };
  return { optimizer, momentum, nesterov, ...betas, weightDecay, clipNorm };
}

/**
 * The graph of one training step on `batchSize` samples: the network up to its loss (`forwardGraph`), gradients, which are
 * clipped, then the optimizer's rule, which gives the next parameters; each is carried, as are batch norm's statistics and
 * the optimizer's own tensors. What lies on no way to the network's output (the convolution of an edge that ends in a dead
 * node) is left as it was initialized, and costs no time. Of a supernet, the weights are trained and the architecture's
 * parameters read; `gradientOf` names the entries that the gradients by them are carried into, if they are wanted.
 *
 * Throws TrainingFailure when the network cannot be built on this data.
 */
export function trainingGraph(
  on: NetworkOnData<StepTask>,
  settings: UpdateSettings,
  batchSize: number,
  gradientOf?: (path: string) => string,
): TrainingGraph {
  const forward = forwardGraph(on, batchSize);
  const { graph, loss, trained, moving } = forward;
  const architecture = gradientOf === undefined ? [] : forward.architecture;
  const g = createGraph(graph);
  const weights = trained.map((vector) => ({ ...vector, path: vector.name }));
  const nodes = architecture.map(({ node }) => node);
  const { byVectors, byOthers } = lossGradients(g, loss, trained, nodes);
  const slopes = architecture.map(({ path }, i) => [gradientOf?.(path) ?? '', byOthers[i] as NodeId] as const);
  const update = g.within('optimizer', () => optimizerOf(settings).append(g, settings, weights, byVectors));
  const moved = g.within('statistics', () => moveStatistics(g, moving.vectors, moving.statistics));
  const state = settings.weightAverage ? [...update.state, ...averages()] : update.state;
  return finishStep(g, forward, {
    returned: { loss },
    trained,
    update: { ...update, state },
    moved: [...moved, ...slopes],
  });

  function averages() {
    const next = new Map([...trained.map(({ name }, i) => [name, update.parameters[i] as NodeId] as const), ...moved]);
    const kept = [...trained, ...moving.vectors];
    return g.within('average', () =>
      averageWeights(
        g,
        kept,
        kept.map(({ name }) => next.get(name) as NodeId),
      ),
    );
  }
}

/** Appends the gradients of the loss by each of `others` and by each of the vectors. */
export function lossGradients(
  g: GraphBuilder,
  loss: NodeId,
  vectors: readonly TrainedVector[],
  others: readonly NodeId[] = [],
): { readonly byVectors: readonly NodeId[]; readonly byOthers: readonly NodeId[] } {
  const found = gradients(g, loss, [...others, ...vectors.flatMap(({ partNodes }) => partNodes)]);
  const byOthers = found.splice(0, others.length);
  return { byOthers, byVectors: vectors.map(({ partNodes }) => pack(g, found.splice(0, partNodes.length))) };
}

/** What a step puts out. */
interface StepOutputs {
  /** What comes back to the host, by name. */
  readonly returned: Readonly<Record<string, NodeId>>;
  /** What the optimizer's `update` is of. */
  readonly trained: readonly Vector[];
  readonly update: Update;
  /** The next values of further state entries. */
  readonly moved?: readonly (readonly [name: string, next: NodeId])[];
}

/** A training step from its parts. */
export function finishStep(
  g: GraphBuilder,
  { parameters, statistics, architecture, switches, randomInputs, states, ...forward }: ForwardGraph,
  { returned, trained, update, moved = [] }: StepOutputs,
): TrainingGraph {
  const carried = [
    ...trained.map(({ name }, i) => [name, update.parameters[i] as NodeId] as const),
    ...moved,
    ...update.state.map(({ name, next }) => [name, next] as const),
    ...states.map(({ name, output }) => [name, output] as const),
  ];
  const next = carried.map(([name, node]) => [`next:${name}`, node] as const);
  const graph = optimize(finish(g, { ...returned, ...Object.fromEntries(next) }));
  const fed = inputsOf(graph);
  const kept = update.state.map(({ name, of, role }) => {
    const parts = [...trained, ...forward.moving.vectors].find((vector) => vector.name === of)?.parts ?? [];
    const own = parts.map((part) => ({ name: `${part.name}:${role}`, shape: part.shape }));
    return vectorOf(name, own);
  });
  const vectors = [...forward.trained, ...forward.moving.vectors, ...trained, ...kept];
  return {
    graph,
    carries: Object.fromEntries(carried.map(([name]) => [`next:${name}`, name])),
    vectors: [...new Map(vectors.map(({ name, shape, parts }) => [name, { name, shape, parts }])).values()],
    parameters,
    architecture,
    switches,
    statistics,
    randomInputs: randomInputs.filter(({ name }) => fed.has(name)),
    optimizerState: kept.flatMap(({ parts }) => parts),
    carried: states.map(({ name, shape }) => ({ name, shape })),
  };
}

/** The graph that a trained network is used by, and the tensors it needs. */
export interface InferenceGraph {
  /** Inputs: those of the task, parameters, statistics and states. Outputs: `output`, as the network gives it, and the next states. */
  readonly graph: Graph;
  readonly parameters: readonly Parameter[];
  readonly statistics: readonly Statistic[];
  /** Of a supernet whose choices are switches: the inputs that choose. */
  readonly switches: readonly Switch[];
  /** If `state` is requested: each is an input, and the output `nextState(name)`. */
  readonly states: readonly CarriedState[];
}

/**
 * Raw inputs [B, ...] -> output [B, ...]: all outputs of the task in one tensor, as the network gives them (logits, or
 * standardized targets of a regression).
 *
 * Throws TrainingFailure when the network cannot be built on this data.
 */
export function inferenceGraph(on: NetworkOnData<StepTask>, batchSize: number): InferenceGraph {
  const g = createGraph();
  const { parameters, statistics, switches, states, output } = lowerOnData(g, on, batchSize, 'infer');
  const next = Object.fromEntries(states.map((state) => [nextState(state.name), state.output]));
  return { graph: optimize(finish(g, { output, ...next })), parameters, statistics, switches, states };
}

/** An inference graph whose parameters and statistics come in vectors. */
export interface InferenceOnState extends InferenceGraph {
  readonly vectors: readonly Vector[];
}

/** The same on the state of a training program, in whose vectors parameters and statistics come. */
export function inferenceOnState(on: NetworkOnData<StepTask>, batchSize: number): InferenceOnState {
  const whole = inferenceGraph(on, batchSize);
  const alive = inputsOf(whole.graph);
  const isAlive = ({ path }: Parameter) => alive.has(path);
  const vectors = networkVectors(whole.parameters.filter(isAlive), whole.statistics.filter(isAlive));
  return { ...whole, graph: cutInputs(whole.graph, vectors).graph, vectors };
}
