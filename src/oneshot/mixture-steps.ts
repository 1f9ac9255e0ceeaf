import { createGraph } from '../graph/builder.ts';
import type { HostTensor } from '../graph/ir.ts';
import type { ArchitectureParameter } from '../network/network.ts';
import { forwardGraph, type NetworkOnData } from '../train/forward.ts';
import { adamWith, normOf } from '../train/optimizers.ts';
import {
  finishStep,
  lossGradients,
  type StateParts,
  type TrainingGraph,
  trainingGraph,
  type UpdateSettings,
} from '../train/program.ts';
import { vectorOf } from '../train/vectors.ts';

/** How the architecture's parameters of a mixture are trained: Adam with the betas of Liu et al. (2019). */
export const ARCHITECTURE_OPTIMIZER = adamWith('coupled', [0.5, 0.999]);

export interface ArchitectureSettings {
  /** On the architecture's parameters alone; 1e-3 in the paper. */
  readonly weightDecay: number;
  /**
   * Also computes the gradients of the weights, and returns their norm as `weightGradientNorm`: nothing uses them, but
   * published code computes them in this step.
   */
  readonly alsoWeightGradients?: boolean;
}

/** The two programs of a mixture supernet; both work on one state. */
export interface SupernetSteps {
  /** Trains the weights on a batch: reads the architecture's parameters. */
  readonly weightStep: TrainingGraph;
  /** Trains the architecture's parameters on a batch: reads the weights, leaves batch norm's statistics. */
  readonly archStep: TrainingGraph;
  /** The state that both steps share. */
  readonly state: StateParts;
}

/**
 * The alternating steps of first-order DARTS (Liu et al. 2019, algorithm 1, ξ = 0) for a supernet (`supernet` of a space).
 * Their programs take turns: compiled with `memory: 'returned'` they do not both keep their peak.
 * Scalars of the weight step are those of its optimizer, of the architecture step those of `ARCHITECTURE_OPTIMIZER`.
 *
 * Throws TrainingFailure when the supernet cannot be built on this data.
 */
export function supernetSteps(
  on: Omit<NetworkOnData, 'choices'>,
  weights: UpdateSettings,
  architecture: ArchitectureSettings,
  batchSize: number,
): SupernetSteps {
  const mixed = { ...on, choices: 'mixture' } as const;
  const weightStep = trainingGraph(mixed, weights, batchSize);
  const archStep = architectureGraph(mixed, architecture, batchSize);
  return { weightStep, archStep, state: stateOfBoth(weightStep, archStep) };
}

/** The state that both steps work on. */
export function stateOfBoth(weightStep: StateParts, archStep: StateParts): StateParts {
  const vectors = new Map([...weightStep.vectors, ...archStep.vectors].map((vector) => [vector.name, vector]));
  const optimizerState = [...weightStep.optimizerState, ...archStep.optimizerState];
  return { ...weightStep, optimizerState, vectors: [...vectors.values()] };
}

/** One step of the architecture's parameters by their gradient of the loss, as a graph. */
export function architectureGraph(
  on: NetworkOnData,
  { weightDecay, alsoWeightGradients = false }: ArchitectureSettings,
  batchSize: number,
): TrainingGraph {
  const forward = forwardGraph(on, batchSize);
  const { graph, loss, architecture } = forward;
  const g = createGraph(graph);
  const nodes = architecture.map(({ node }) => node);
  const { byOthers, byVectors } = lossGradients(g, loss, alsoWeightGradients ? forward.trained : [], nodes);
  const update = g.within('optimizer', () => ARCHITECTURE_OPTIMIZER.append(g, { weightDecay }, architecture, byOthers));
  const norm = alsoWeightGradients ? { weightGradientNorm: normOf(g, byVectors) } : {};
  const trained = architecture.map(({ path, shape }) => vectorOf(path, [{ name: path, shape }]));
  return finishStep(g, forward, { returned: { loss, ...norm }, trained, update });
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
