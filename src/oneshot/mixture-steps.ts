import { createGraph, finish, type GraphBuilder } from '../graph/builder.ts';
import type { Graph, HostTensor, NodeId, Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { optimize } from '../graph/passes.ts';
import type { ArchitectureParameter, RandomInput } from '../network/network.ts';
import { forwardGraph, inputsOf, lowerOnData, type NetworkOnData } from '../train/forward.ts';
import { adamWith } from '../train/optimizers.ts';
import {
  lossGradients,
  type StateParts,
  type TrainingGraph,
  trainingGraph,
  type UpdateSettings,
} from '../train/program.ts';
import { cutInputs, networkVectors, type Vector, vectorOf } from '../train/vectors.ts';
import { costGradientOf } from './cost/term.ts';
import { classifierFeatures } from './effective-rank.ts';

/** How the architecture's parameters of a mixture are trained: Adam with the betas of Liu et al. (2019). */
export const ARCHITECTURE_OPTIMIZER = adamWith('coupled', [0.5, 0.999]);

/** What the rule of the architecture's update is built from. */
export interface ArchitectureSettings {
  /** On the architecture's parameters alone; 1e-3 in the paper. */
  readonly weightDecay: number;
  /** What is added to the loss, times the scalar input `penalty`. */
  readonly penalty?: Penalty;
  /** Whether the gradient of costs is fed, for each parameter, as `costGradientOf` names it. */
  readonly costs?: boolean;
}

/** logSumExp: the mean over all decisions of the log-sum-exp of their parameters (Ye et al. 2022). */
export type Penalty = 'logSumExp';

/** A state entry that is worth nothing between steps: no checkpoint has it. */
export interface Scratch {
  readonly name: string;
  readonly shape: Shape;
}

/** A program on the state of a supernet that trains none of its tensors by itself. */
export interface StateGraph {
  readonly graph: Graph;
  readonly carries: Readonly<Record<string, string>>;
  /** The entries that it carries into, as far as they are no tensors of the supernet. */
  readonly scratch: readonly Scratch[];
}

/** A program of gradients: of a batch's loss, by the architecture's parameters and perhaps by the weights. */
export interface GradientGraph extends StateGraph {
  readonly architecture: readonly ArchitectureParameter[];
  /** The vectors of weights whose gradients it gives. */
  readonly trained: readonly Vector[];
  readonly randomInputs: readonly RandomInput[];
}

/** A program that gives the architecture's parameters their next values. */
export interface UpdateGraph extends StateGraph {
  readonly optimizerState: StateParts['optimizerState'];
  readonly vectors: readonly Vector[];
}

/** The programs of a mixture supernet; all work on one state. */
export interface SupernetSteps {
  /** Trains the weights on a batch: reads the architecture's parameters. */
  readonly weightStep: TrainingGraph;
  /** Gradients of a batch's loss by the architecture's parameters: reads the weights, leaves batch norm's statistics. */
  readonly archGradient: GradientGraph;
  /** Trains the architecture's parameters by these gradients. */
  readonly archUpdate: UpdateGraph;
  /** The state that they share, without what is worth nothing between steps. */
  readonly state: StateParts;
  readonly scratch: readonly Scratch[];
}

/**
 * The alternating steps of first-order DARTS (Liu et al. 2019, algorithm 1, ξ = 0) for a supernet (`supernet` of a space).
 * The two large programs take turns: compiled with `memory: 'returned'` they do not both keep their peak.
 * Scalars of the weight step are those of its optimizer, of the architecture's update those of `ARCHITECTURE_OPTIMIZER`.
 *
 * Throws TrainingFailure when the supernet cannot be built on this data.
 */
export function supernetSteps(
  on: NetworkOnData,
  weights: UpdateSettings,
  architecture: ArchitectureSettings & { readonly alsoWeightGradients?: boolean },
  batchSize: number,
): SupernetSteps {
  const mixed = { choices: 'mixture', ...on } as const;
  const weightStep = trainingGraph(mixed, weights, batchSize);
  const archGradient = gradientGraph(mixed, batchSize, architecture.alsoWeightGradients ? 'both' : 'architecture');
  const archUpdate = updateGraph(archGradient.architecture, architecture);
  return {
    weightStep,
    archGradient,
    archUpdate,
    state: stateOf(weightStep, archUpdate),
    scratch: archGradient.scratch,
  };
}

/** The state that the steps of the weights and of the architecture work on. */
export function stateOf(
  weightStep: StateParts,
  archUpdate: Pick<UpdateGraph, 'optimizerState' | 'vectors'>,
): StateParts {
  const vectors = new Map([...weightStep.vectors, ...archUpdate.vectors].map((vector) => [vector.name, vector]));
  const optimizerState = [...weightStep.optimizerState, ...archUpdate.optimizerState];
  return { ...weightStep, optimizerState, vectors: [...vectors.values()] };
}

/** The state entry that a gradient is carried into, by the name of what it is the gradient of. */
export const gradientOf = (name: string): string => `gradient:${name}`;

/** Gradients of a batch's loss, each carried into the state as `gradientOf` names it; returns the loss. Throws as `supernetSteps`. */
export function gradientGraph(on: NetworkOnData, batchSize: number, by: 'architecture' | 'both'): GradientGraph {
  const { graph, loss, architecture, trained, randomInputs } = forwardGraph(on, batchSize);
  const g = createGraph(graph);
  const vectors = by === 'both' ? trained : [];
  const nodes = architecture.map(({ node }) => node);
  const { byOthers, byVectors } = lossGradients(g, loss, vectors, nodes);
  const found = [
    ...architecture.map(({ path, shape }, i) => ({ name: path, shape, next: byOthers[i] as NodeId })),
    ...vectors.map(({ name, shape }, i) => ({ name, shape, next: byVectors[i] as NodeId })),
  ].map(({ name, ...one }) => ({ name: gradientOf(name), ...one }));
  const step = stateGraph(g, { loss }, found);
  const fed = inputsOf(step.graph);
  return {
    ...step,
    scratch: found.map(({ name, shape }) => ({ name, shape })),
    architecture,
    trained: vectors.map(({ name, shape, parts }) => ({ name, shape, parts })),
    randomInputs: randomInputs.filter(({ name }) => fed.has(name)),
  };
}

/**
 * The network's output for a batch, `output`, and what its last layer reads, `features` (`classifierFeatures`), as they are in training: batch norm has the batch's own statistics, whatever the weights of the
 * options are. Running statistics are those of the mixture, and no other weights suit them. Throws as `supernetSteps`.
 */
export function outputGraph(on: NetworkOnData, batchSize: number) {
  const g = createGraph();
  const { output, parameters, randomInputs } = lowerOnData(g, on, batchSize, 'train');
  const features = classifierFeatures(g, output);
  const whole = optimize(finish(g, { output, ...(features !== undefined && { features }) }));
  const fed = inputsOf(whole);
  const alive = parameters.filter(({ path }) => fed.has(path));
  const { graph } = cutInputs(whole, networkVectors(alive, []));
  return { graph, randomInputs: randomInputs.filter(({ name }) => fed.has(name)) };
}

/** The architecture's update by the gradients in the state entries that `entryOf` names. */
export function updateGraph(
  architecture: readonly ArchitectureParameter[],
  { weightDecay, penalty, costs = false }: ArchitectureSettings,
  entryOf: (path: string) => string = gradientOf,
): UpdateGraph {
  const g = createGraph();
  const nodes = architecture.map(({ path, shape }) => ops.input(g, path, shape));
  const ofLoss = architecture.map(({ path, shape }) => ops.input(g, entryOf(path), shape));
  const given = costs ? withCosts(g, architecture, ofLoss) : ofLoss;
  const gradients = penalty === undefined ? given : penalized(g, penalty, nodes, given);
  const parameters = architecture.map((one, i) => ({ ...one, node: nodes[i] as NodeId }));
  const update = ARCHITECTURE_OPTIMIZER.append(g, { weightDecay }, parameters, gradients);
  const next = [
    ...architecture.map(({ path }, i) => ({ name: path, next: update.parameters[i] as NodeId })),
    ...update.state,
  ];
  const optimizerState = update.state.map(({ name, shape }) => ({ name, shape }));
  const own = [...architecture.map(({ path, shape }) => ({ name: path, shape })), ...optimizerState];
  return {
    ...stateGraph(g, {}, next),
    scratch: [],
    optimizerState,
    vectors: own.map((one) => vectorOf(one.name, [one])),
  };
}

/** The gradients with those of costs, which are fed. */
export function withCosts(
  g: GraphBuilder,
  architecture: readonly ArchitectureParameter[],
  given: readonly NodeId[],
): NodeId[] {
  return architecture.map(({ path, shape }, i) =>
    ops.add(g, given[i] as NodeId, ops.input(g, costGradientOf(path), shape)),
  );
}

/** The gradients with the penalty's, which is the softmax of each row, times the scalar input `penalty`. */
function penalized(g: GraphBuilder, _: Penalty, nodes: readonly NodeId[], given: readonly NodeId[]): NodeId[] {
  const weight = ops.input(g, 'penalty', []);
  const decisions = nodes.reduce((sum, node) => sum + (g.shape(node)[0] ?? 0), 0);
  return nodes.map((node, i) => {
    const own = ops.scale(g, ops.softmax(g, node), 1 / decisions);
    return ops.add(g, given[i] as NodeId, ops.mul(g, own, weight));
  });
}

/** A graph that puts out `returned`, and carries each `next` into the entry of its name. */
export function stateGraph(
  g: GraphBuilder,
  returned: Readonly<Record<string, NodeId>>,
  carried: readonly { readonly name: string; readonly next: NodeId }[],
): Pick<StateGraph, 'graph' | 'carries'> {
  const next = carried.map(({ name, next: node }) => [`next:${name}`, node] as const);
  return {
    graph: optimize(finish(g, { ...returned, ...Object.fromEntries(next) })),
    carries: Object.fromEntries(carried.map(({ name }) => [`next:${name}`, name])),
  };
}

/** The share of each option by decision, as `derive` takes them: the softmax of the architecture's parameters. */
export function optionWeights(
  architecture: readonly ArchitectureParameter[],
  tensors: Readonly<Record<string, HostTensor>>,
): Record<string, Float64Array> {
  const rows = architecture.flatMap(({ path, decisions }) => {
    const data = tensors[path]?.data;
    if (data === undefined) throw new Error(`there is no tensor "${path}"`);
    let start = 0;
    return decisions.map(({ name, options }) => {
      const row = data.subarray(start, start + options.length);
      start += options.length;
      return [name, softmax(row)] as const;
    });
  });
  return Object.fromEntries(rows);
}

function softmax(values: Float32Array): Float64Array {
  const largest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const shares = Float64Array.from(values, (v) => Math.exp(v - largest));
  const total = shares.reduce((a, b) => a + b, 0);
  return shares.map((v) => v / total);
}
