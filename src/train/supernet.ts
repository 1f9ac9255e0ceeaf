import type { Rng } from '../common/random.ts';
import { createGraph } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import { initialise } from '../network/initialise.ts';
import type { ArchitectureParameter } from '../network/network.ts';
import { forwardGraph, type NetworkOnData } from './forward.ts';
import { adamWith, normOf } from './optimisers.ts';
import { finishStep, type TrainingGraph, trainingGraph, type UpdateSettings } from './program.ts';

/** How the architecture's parameters of a mixture are trained: Adam with the betas of Liu et al. (2019). */
export const ARCHITECTURE_OPTIMISER = adamWith('coupled', [0.5, 0.999]);

export interface ArchitectureSettings {
  /** On the architecture's parameters alone; 1e-3 in the paper. */
  readonly weightDecay: number;
  /**
   * Also computes the gradients of the weights, and returns their norm as `weightGradientNorm`: nothing uses them, but
   * published code computes them in this step.
   */
  readonly alsoWeightGradients?: boolean;
}

/** The two programs of a mixture supernet; both work on one state, `supernetState`. */
export interface SupernetSteps {
  /** Trains the weights on a batch: reads the architecture's parameters. */
  readonly weightStep: TrainingGraph;
  /** Trains the architecture's parameters on a batch: reads the weights, leaves batch norm's statistics. */
  readonly archStep: TrainingGraph;
}

/**
 * The alternating steps of first-order DARTS (Liu et al. 2019, algorithm 1, ξ = 0) for a supernet (`supernet` of a space).
 * Scalars of the weight step are those of its optimizer, of the architecture step those of `ARCHITECTURE_OPTIMISER`.
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
  return {
    weightStep: trainingGraph(mixed, weights, batchSize),
    archStep: architectureGraph(mixed, architecture, batchSize),
  };
}

function architectureGraph(
  on: NetworkOnData,
  { weightDecay, alsoWeightGradients = false }: ArchitectureSettings,
  batchSize: number,
): TrainingGraph {
  const forward = forwardGraph(on, batchSize);
  const { graph, loss, architecture, trained } = forward;
  const g = createGraph(graph);
  const wanted = [...architecture, ...(alsoWeightGradients ? trained : [])];
  const found = gradients(
    g,
    loss,
    wanted.map(({ node }) => node),
  );
  const own = found.slice(0, architecture.length);
  const update = g.within('optimizer', () => ARCHITECTURE_OPTIMISER.append(g, { weightDecay }, architecture, own));
  const norm = alsoWeightGradients ? { weightGradientNorm: normOf(g, found.slice(architecture.length)) } : {};
  return finishStep(g, forward, { loss, ...norm }, architecture, update);
}

/** What both steps need of state, fresh; each tensor from the stream that its path names. */
export function supernetState(
  { weightStep, archStep }: SupernetSteps,
  rng: (...labels: readonly string[]) => Rng,
): Record<string, HostTensor> {
  const { parameters, architecture, statistics } = weightStep;
  const zeros = [...weightStep.optimiserState, ...archStep.optimiserState].map(
    ({ name, shape }) => [name, { shape, data: new Float32Array(sizeOf(shape)) }] as const,
  );
  return { ...initialise([...parameters, ...architecture, ...statistics], rng), ...Object.fromEntries(zeros) };
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
