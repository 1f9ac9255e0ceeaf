import { createGraph, finish, type GraphBuilder } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import type { Graph, NodeId, Shape } from '../graph/ir.ts';
import { optimise } from '../graph/passes.ts';
import type { ArchitectureParameter, Parameter, RandomInput, Statistic, Switch } from '../network/network.ts';
import { type ForwardGraph, forwardGraph, inputsOf, lowerOnData, type NetworkOnData } from './forward.ts';
import { OPTIMISERS, type Update } from './optimisers.ts';
import { moveStatistics } from './running-statistics.ts';
import type { TrainSettings } from './settings.ts';

/** One training step as a graph, and what its state consists of. */
export interface TrainingGraph {
  /** Inputs: x, targets, the optimizer's scalars, the random inputs, and the state. Outputs: loss, and the carried. */
  readonly graph: Graph;
  /** Output to state entry, as `Engine.compile` takes it. */
  readonly carries: Readonly<Record<string, string>>;
  readonly parameters: readonly Parameter[];
  /** Of a supernet: what weighs the options of its choices. */
  readonly architecture: readonly ArchitectureParameter[];
  /** Of a supernet whose choices are switches: the inputs that choose. */
  readonly switches: readonly Switch[];
  readonly statistics: readonly Statistic[];
  readonly randomInputs: readonly RandomInput[];
  readonly optimiserState: readonly { readonly name: string; readonly shape: Shape }[];
}

/** What a training step does with the gradients: see `TrainSettings`. */
export type UpdateSettings = Pick<TrainSettings, 'optimizer' | 'momentum' | 'nesterov' | 'weightDecay' | 'clipNorm'>;

/**
 * The graph of one training step on `batchSize` samples: the network up to its loss (`forwardGraph`), gradients, which are
 * clipped, then the optimizer's rule, which gives the next parameters; each is carried, as are batch norm's statistics and
 * the optimizer's own tensors. What lies on no way to the network's output (the convolution of an edge that ends in a dead
 * node) is left as it was initialised, and costs no time. Of a supernet, the weights are trained and the architecture's
 * parameters read.
 *
 * Throws TrainingFailure when the network cannot be built on this data.
 */
export function trainingGraph(on: NetworkOnData, settings: UpdateSettings, batchSize: number): TrainingGraph {
  const forward = forwardGraph(on, batchSize);
  const { graph, loss, trained, moved } = forward;
  const g = createGraph(graph);
  const raw = gradients(
    g,
    loss,
    trained.map(({ node }) => node),
  );
  const update = g.within('optimizer', () => OPTIMISERS[settings.optimizer].append(g, settings, trained, raw));
  const statistics = g.within('statistics', () => moveStatistics(g, moved));
  return finishStep(g, forward, { loss }, trained, update, statistics);
}

/**
 * A training step from its parts: `returned` are outputs that come back to the host; the optimizer's `update` of the
 * `trained` tensors, and the next values of `moved` by path, take the place of state entries.
 */
export function finishStep(
  g: GraphBuilder,
  { parameters, statistics, architecture, switches, randomInputs }: ForwardGraph,
  returned: Readonly<Record<string, NodeId>>,
  trained: readonly Parameter[],
  update: Update,
  moved: readonly (readonly [path: string, next: NodeId])[] = [],
): TrainingGraph {
  const carried = [
    ...trained.map(({ path }, i) => [path, update.parameters[i] as NodeId] as const),
    ...moved,
    ...update.state.map(({ name, next }) => [name, next] as const),
  ];
  const next = carried.map(([name, node]) => [`next:${name}`, node] as const);
  const graph = optimise(finish(g, { ...returned, ...Object.fromEntries(next) }));
  const fed = inputsOf(graph);
  return {
    graph,
    carries: Object.fromEntries(carried.map(([name]) => [`next:${name}`, name])),
    parameters,
    architecture,
    switches,
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
