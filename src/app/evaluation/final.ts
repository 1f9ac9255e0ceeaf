import { invalid, messageOf, UserError } from '../../common/errors.ts';
import type { Metrics } from '../../common/metrics.ts';
import { rng } from '../../common/random.ts';
import type { Dataset, Samples } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import { estimateByTraining, loadCheckpoint } from '../../estimate/by-training.ts';
import { type Estimator, type FinalTraining, TrialFailure } from '../../estimate/estimator.ts';
import type { Pretrained } from '../../network/pretrained.ts';
import type { ShownEpisode } from '../../report/figures/episode.ts';
import { sampleTest } from '../../report/samples.node.ts';
import type { TestSamples } from '../../report/samples.ts';
import { type Architecture, resolve, resolveHyperparameters } from '../../space/index.ts';
import type { Baseline } from '../../space/spaces/index.ts';
import { taskOf } from '../../task/index.ts';
import type { Checkpoint } from '../../train/checkpoint.ts';
import { TrainingFailure } from '../../train/failure.ts';
import { openTraining, type Training } from '../../train/loop.ts';
import type { TimeLimit } from '../../train/pace.ts';
import { openPrograms, type Programs } from '../../train/programs.ts';
import { concatSamples } from '../../train/samples.ts';
import { type TrainSettings, withHyperparameters } from '../../train/settings.ts';
import { finalControlEstimator } from '../control/final.ts';
import { memoryOfPrograms } from '../memory.node.ts';
import { type Setup, treeOf } from '../setup.ts';
import { encodeWeights } from './evaluation.ts';

/** How a network is trained finally. */
export interface FinalRun {
  readonly engine: Engine;
  readonly programs: Programs;
  readonly dataset: Dataset;
  /** `epochs`: of this training. */
  readonly training: TrainSettings;
  /** The study's seed; with `repetition` it names every random stream. */
  readonly seed: number;
  readonly repetition: number;
  readonly time?: TimeLimit;
  readonly signal?: AbortSignal;
  readonly checkpoint?: Checkpoint;
  /** Weights to start from, where they fit. */
  readonly pretrained?: Pretrained | undefined;
}

/** A training on train + validation data together, from fresh or pretrained weights. Throws as `openTraining`. */
export function openFinalTraining(
  { space, architecture }: Baseline,
  { engine, programs, dataset, training, seed, repetition, time, signal, checkpoint, pretrained }: FinalRun,
): Promise<Training> {
  const { info, train, valid, task } = dataset.search;
  return openTraining({
    ...{ engine, programs, info },
    ...(task && { task }),
    network: resolve(space, architecture),
    train: concatSamples(info, train, valid, task),
    settings: withHyperparameters(training, resolveHyperparameters(space, architecture)),
    rng: (...labels) => rng(seed, 'evaluate', repetition, ...labels),
    ...(time && { time }),
    ...(signal && { signal }),
    ...(checkpoint && { checkpoint }),
    ...(pretrained && { pretrained }),
  });
}

/** The baselines of the study's task by name. What the code of a task of the user's own throws is a UserError. */
export function baselinesOf(setup: Setup): Readonly<Record<string, Baseline>> {
  const { info, task } = setup.dataset.search;
  try {
    return taskOf(info, task).baselines?.(treeOf(setup).task) ?? {};
  } catch (error) {
    throw error instanceof UserError
      ? error
      : new UserError(`baselines of ${info.kind}: ${messageOf(error)}`, { cause: error });
  }
}

/** The study's member or the baseline that a final training names. Throws UserError for a baseline that the task does not have. */
function memberOf(setup: Setup, architecture: Architecture, { baseline }: FinalTraining): Baseline {
  if (baseline === undefined) return { space: treeOf(setup), architecture };
  const found = baselinesOf(setup)[baseline];
  if (found !== undefined) return found;
  throw invalid('baseline', `"${baseline}"`, `is none of the task ${setup.dataset.search.info.kind}`);
}

/** Whether the weights of this training, and some of its answers, are kept: of the first seed of the study's own network. */
export const isKept = ({ baseline, repetition }: FinalTraining) => baseline === undefined && repetition === 0;

/** What a final training leaves besides its metrics. */
export interface Answers {
  /** [true class][predicted class] */
  readonly confusion?: readonly (readonly number[])[];
  readonly samples?: TestSamples;
  /** Of a policy. */
  readonly episode?: ShownEpisode;
}

/** Names of the artifacts that a final training leaves: `weights` as a checkpoint, `answers` as JSON. */
export const [WEIGHTS, ANSWERS] = ['weights', 'answers'] as const;

/**
 * Trains from scratch on train + validation data and measures on the test part, which nothing else may open. A training continues from its
 * checkpoint. `test`: the test part.
 */
function finalEstimator(setup: Setup, engine: Engine, programs: Programs, test: Samples): Estimator {
  const { settings, dataset } = setup;
  return {
    async estimate({ architecture }, run) {
      const { final } = run;
      if (final === undefined) throw new Error('only final trainings may open the test part');
      const checkpoint = run.checkpoint && (await loadCheckpoint(run, run.checkpoint, 'it starts over'));
      let training: Training | undefined;
      try {
        training = await openFinalTraining(memberOf(setup, architecture, final), {
          ...{ engine, programs, dataset, signal: run.signal, seed: settings.seed, repetition: final.repetition },
          training: { ...setup.training, epochs: final.epochs },
          ...(final.time && { time: final.time }),
          ...(checkpoint && { checkpoint }),
          // Baselines show what there is without.
          ...(final.baseline === undefined && { pretrained: setup.pretrained?.weights }),
        });
        const { checkpoint: _, ...evaluation } = await estimateByTraining(training, run);
        if (evaluation.state !== 'complete') return evaluation;
        const { info, task } = dataset.search;
        // The outputs for all positions of a text are too many to keep.
        const isText = taskOf(info, task).spec(info).continued === true;
        const outputs = isText ? undefined : await training.outputs(test);
        const { metrics, confusion } = outputs?.measured ?? (await training.measure(test));
        const samples = isKept(final) && outputs !== undefined ? await sampleTest(test, info, outputs) : undefined;
        const answers: Answers = { ...(confusion && { confusion }), ...(samples && { samples }) };
        const artifacts = {
          [ANSWERS]: await run.artifacts.put(new TextEncoder().encode(JSON.stringify(answers))),
          ...(isKept(final) && { [WEIGHTS]: await run.artifacts.put(encodeWeights(await training.weights())) }),
        };
        return { ...evaluation, metrics, artifacts };
      } catch (error) {
        const isOwn = error instanceof TrainingFailure || error instanceof UserError;
        throw isOwn ? new TrialFailure(error.message, { cause: error }) : error;
      } finally {
        await training?.dispose();
      }
    },
  };
}

/** The estimator of a process that makes final trainings. */
export async function openFinalEstimator(setup: Setup, engine: Engine, memoryBytes: number): Promise<Estimator> {
  const programs = openPrograms(engine, { memory: memoryOfPrograms(memoryBytes) });
  if (setup.control !== undefined)
    return finalControlEstimator(setup, setup.control, engine, programs, async (run, weights, episode) => {
      const { artifacts, final } = run;
      const answers: Answers = final !== undefined && isKept(final) && episode !== undefined ? { episode } : {};
      return {
        [ANSWERS]: await artifacts.put(new TextEncoder().encode(JSON.stringify(answers))),
        ...(weights && final && isKept(final) && { [WEIGHTS]: await artifacts.put(encodeWeights(weights)) }),
      };
    });
  return finalEstimator(setup, engine, programs, await setup.dataset.openTest());
}

/** The result of one complete final training. */
export interface FinalResult extends Answers {
  readonly metrics: Metrics;
  readonly seconds: number;
}
