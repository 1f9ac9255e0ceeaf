/**
 * Measuring one path of a supernet of switches. Its batch norms' running statistics are means over the paths that were trained, so
 * they are computed again for a path before it is measured (Guo et al. 2020, arXiv:1904.00420, section 3.4), on batches of training
 * samples. Differs: they are the plain mean of the batches' moments, where the published code moves running means with a momentum of 0.1
 * over 200 batches, of which the last 20 make nearly nine tenths; and the samples are not augmented, as those that are
 * measured are not. Cost: `recalibrate` forward passes of the path, and those of the measurement.
 */
import type { Rng } from '../common/random.ts';
import type { Samples } from '../data/dataset.ts';
import { part } from '../data/samples.ts';
import type { Feeds, Program, State } from '../engine/engine.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { type Graph, type HostTensor, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { optimize, optimizeForward } from '../graph/passes.ts';
import type { RandomInput, Switch } from '../network/network.ts';
import type { Architecture } from '../space/space.ts';
import { taskOf } from '../task/index.ts';
import type { Measured } from '../task/metrics.ts';
import { noiseFor } from '../train/batch-steps.ts';
import { orderedBatches, runAhead } from '../train/batches.ts';
import type { Borrowed } from '../train/epochs.ts';
import { aliveNames, lowerOnData, type NetworkOnData } from '../train/forward.ts';
import { inferenceOver } from '../train/inference.ts';
import { inferenceOnState } from '../train/program.ts';
import type { ProgramLease, Programs } from '../train/programs.ts';
import { pathFeeds } from '../train/single-path.ts';
import { cutInputs, networkVectors, pack, type Vector } from '../train/vectors.ts';
import { classifierFeatures } from './effective-rank.ts';

/** Batches of training samples that the statistics of a path are computed on. */
export const RECALIBRATE = 20;

/** A network in training mode that is not trained: batch norms use the statistics of the batch. */
export interface BatchGraph {
  /**
   * Outputs: `output` [B, ...], as the network gives it, and `moments`, [elements of all `statistics` vectors]: what a training
   * step would move the running statistics towards; zeros for those of options that are not chosen. Without batch norms, no `moments`.
   * `features` [B, F]: what the last layer reads, where it is a linear one.
   */
  readonly graph: Graph;
  readonly switches: readonly Switch[];
  readonly randomInputs: readonly RandomInput[];
  /** The state entries of the running statistics, in the order of `moments`. */
  readonly statistics: readonly Vector[];
}

/** Throws TrainingFailure when the network cannot be built on this data. */
export function batchGraph(on: NetworkOnData, batchSize: number): BatchGraph {
  const alive = aliveNames(on, batchSize);
  const g = createGraph();
  const { output, parameters, statistics, switches, randomInputs } = lowerOnData(g, on, batchSize, 'train');
  const moving = statistics.filter(({ path, move }) => move !== undefined && alive.has(path));
  const moves = new Map(moving.map(({ path, move }) => [path, move]));
  const vectors = networkVectors([], moving);
  const moments = vectors.flatMap(({ parts }) =>
    parts.flatMap(({ name }) => {
      const move = moves.get(name);
      return move === undefined ? [] : [ops.scale(g, move.batch, move.factor)];
    }),
  );
  const features = classifierFeatures(g, output);
  const outputs = {
    output,
    ...(moments.length > 0 && { moments: pack(g, moments) }),
    ...(features !== undefined && { features }),
  };
  const weights = networkVectors(
    parameters.filter(({ path }) => alive.has(path)),
    [],
  );
  const { graph } = cutInputs(optimizeForward(finish(g, outputs)), weights);
  return { graph: optimize(graph), switches, randomInputs, statistics: vectors };
}

export interface PathMeterRequest {
  readonly programs: Programs;
  readonly borrow: Borrowed['borrow'];
  /** Its choices are switches, or generate the weights of a path. */
  readonly on: NetworkOnData;
  /** How many samples a path is measured on at a time. */
  readonly validBatch: number;
  /** How many samples are in a batch that statistics are computed on; all, if there are fewer. */
  readonly batchSize: number;
  readonly train: Samples;
  /** Batches that statistics are computed on, at most as many as there are; 0: the running statistics are used. */
  readonly recalibrate: number;
  /** Whether minibatches are measured, too. */
  readonly minibatches?: boolean;
  /** Draws the training samples, the same for every path, and the noise of dropout. */
  rng(...labels: readonly (string | number)[]): Rng;
}

export interface PathMeter {
  readonly inference: ProgramLease<object>;
  /** The state entries that a path may need. */
  readonly vectors: readonly Vector[];
  /** Measures an architecture with the weights of `state`, which does not change. Throws UserError if it is not in the space. */
  measure(state: State, architecture: Architecture, samples: Samples, signal?: AbortSignal): Promise<Measured>;
  /**
   * Measures an architecture on exactly a batch of samples, batch norm using the statistics of the batch. Where `minibatches` was
   * requested. `random` draws the noise of dropout.
   */
  measureBatch(state: State, architecture: Architecture, samples: Samples, random: Rng): Promise<Measured>;
  /** Samples in a batch that statistics are computed on. */
  readonly batchSize: number;
  /**
   * What the last layer of an architecture reads for a batch of samples, [B, F], batch norm using the statistics of the batch; undefined where
   * the last layer is not linear, no statistics are computed again, or there are not `batchSize` samples.
   */
  features(state: State, architecture: Architecture, samples: Samples, random: Rng): Promise<HostTensor | undefined>;
}

/** Throws TrainingFailure when the supernet cannot be built on this data. */
export async function openPathMeter(request: PathMeterRequest): Promise<PathMeter> {
  const { programs, borrow, on, validBatch, train } = request;
  const inference = await borrow(
    programs.program({
      kind: 'single-path inference',
      on,
      batchSize: validBatch,
      build() {
        const whole = inferenceOnState(on, validBatch);
        return { ...whole, feedsOf: pathFeeds(on, whole) };
      },
    }),
  );
  const { feedsOf, vectors } = inference.built;
  const batchSize = Math.max(1, Math.min(request.batchSize, train.count));
  const count = Math.min(request.recalibrate, Math.floor(train.count / batchSize));
  const lease =
    count === 0 && request.minibatches !== true
      ? undefined
      : await borrow(programs.program({ kind: 'batch', on, batchSize, build: () => batchGraph(on, batchSize) }));
  const order = request.rng('recalibration', 'samples').shuffle(Array.from({ length: train.count }, (_, i) => i));
  const samples = part(train, Int32Array.from(order.slice(0, count * batchSize)));
  const spec = taskOf(on.info, on.task).spec(on.info);

  // Growing drop path drops nothing here, as in inference (progress 0).
  /** The statistics of a path as feeds, which take the place of those in the state. */
  async function statisticsOf(state: State, switches: Feeds, signal: AbortSignal | undefined): Promise<Feeds> {
    if (lease === undefined || count === 0 || lease.built.statistics.length === 0) return {};
    const { built, program } = lease;
    const batches = orderedBatches(samples, spec, batchSize);
    const noise = noiseFor(built.randomInputs, request.rng('recalibration', 'noise'), 0);
    const prepare = async (step: number) => {
      const { feeds } = await batches.read(step);
      signal?.throwIfAborted();
      return { ...feeds, ...switches, ...noise() };
    };
    return asFeeds(built.statistics, await meanMoments(program, state, count, prepare));
  }

  return {
    inference,
    vectors,
    async measure(state, architecture, measured, signal) {
      const switches = feedsOf(architecture);
      const feeds = { ...switches, ...(await statisticsOf(state, switches, signal)) };
      return inferenceOver(inference.program, on, state, validBatch, feeds).measure(measured, signal);
    },
    async measureBatch(state, architecture, measured, random) {
      if (lease === undefined || measured.count !== batchSize)
        throw new RangeError(`a minibatch of ${measured.count} samples; must be ${batchSize}`);
      const feeds = { ...feedsOf(architecture), ...noiseFor(lease.built.randomInputs, random, 0)() };
      return inferenceOver(lease.program, on, state, batchSize, feeds).measure(measured);
    },
    batchSize,
    async features(state, architecture, given, random) {
      if (lease === undefined || given.count !== batchSize) return undefined;
      const { feeds } = await orderedBatches(given, spec, batchSize).read(0);
      const noise = noiseFor(lease.built.randomInputs, random, 0)();
      return (await lease.program.run({ ...feeds, ...feedsOf(architecture), ...noise }, state)).features;
    },
  };
}

async function meanMoments(
  program: Program,
  state: State,
  count: number,
  prepare: (step: number) => Promise<Feeds>,
): Promise<Float64Array> {
  let total: Float64Array | undefined;
  await runAhead({
    count,
    prepare,
    run: (feeds) => program.run(feeds, state),
    take({ moments }) {
      const { data } = moments ?? { data: new Float32Array() };
      total ??= new Float64Array(data.length);
      for (const [i, value] of data.entries()) total[i] = (total[i] ?? Number.NaN) + value / count;
    },
  });
  return total ?? new Float64Array();
}

/** Vectors that lie end to end. */
function asFeeds(vectors: readonly Vector[], values: Float64Array): Record<string, HostTensor> {
  let start = 0;
  return Object.fromEntries(
    vectors.map(({ name, shape }) => {
      const end = start + sizeOf(shape);
      const data = Float32Array.from(values.subarray(start, end));
      start = end;
      return [name, { shape, data }];
    }),
  );
}
