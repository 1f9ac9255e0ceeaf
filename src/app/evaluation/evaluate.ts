import { UserError } from '../../common/errors.ts';
import type { Metrics } from '../../common/metrics.ts';
import { costsOf } from '../../measure/index.ts';
import { type Architecture, formatArchitecture } from '../../space/index.ts';
import { BASELINES } from '../../space/spaces/index.ts';
import type { Choice } from '../../study/choice.ts';
import { TrainingFailure } from '../../train/failure.ts';
import type { Chosen } from '../choice.ts';
import type { EstimatorPlan } from '../estimators.ts';
import type { Setup } from '../setup.ts';
import { planOfSetup } from '../study.ts';
import {
  type Contestant,
  checkKeeps,
  type EvaluationRecord,
  type Summary,
  summarise,
  writeEvaluation,
  writeWeights,
} from './evaluation.ts';
import { keptTrainings } from './kept.ts';
import { writePredictions } from './predictions.ts';
import { type Retrained, type RetrainJob, retrainAll, type TrainingProgress } from './retraining.ts';

export interface EvaluateOptions {
  /** Trainings from scratch, each with random streams of its own. */
  readonly seeds: number;
  readonly baselines: boolean;
  /** Whether some test samples are kept for the report. */
  readonly samples?: boolean;
}

export const isTrained = ({ kind }: EstimatorPlan) => kind === 'train' || kind === 'table';

/** Metrics on the validation samples; none where the search has trained nothing. */
export function validMetrics({ estimator }: Pick<Setup, 'estimator'>, { metrics }: Chosen): Metrics {
  return isTrained(estimator) ? metrics : {};
}

/** What is told of an evaluation's trainings while they run. A training is named as people are told of it. */
export interface EvaluationEvents {
  /** Before the first: how many there are to do, and how many were done before and are kept. */
  onBegin?(trainings: number, kept: number): void;
  onProgress?(name: string, progress: TrainingProgress): void;
  /** Its process died; it is trained once more. */
  onRetry?(name: string, reason: string): void;
  /** TrainingFailure: a baseline that these settings cannot train. */
  onDone?(name: string, result: Pick<Retrained, 'metrics' | 'seconds'> | TrainingFailure): void;
}

/** A training's result without its weights, which are kept of the first seed alone. */
type Result = Pick<Retrained, 'metrics' | 'confusion' | 'seconds'>;

/**
 * Trains the chosen architecture and the baselines, all from scratch on train + valid with the same settings and number
 * of epochs (`setup.training`), and measures them on the test part. Keeps the result and the weights of the first seed,
 * with what these came to on the test part, in `best/`, and throws, before it trains anything, where they cannot be
 * written (`writeWhole`). Each training is kept when it has ended: after an interruption or a kill, those are not trained again.
 */
export async function evaluate(
  dir: string,
  setup: Setup,
  best: Chosen,
  options: EvaluateOptions,
  events: EvaluationEvents,
  signal: AbortSignal,
): Promise<EvaluationRecord> {
  const { epochs } = setup.training;
  const { architecture, trial } = best.trial;
  checkKeeps(dir);
  const seeds = Array.from({ length: options.seeds }, (_, repetition) => repetition);
  const baselines = options.baselines ? baselinesFor(setup) : [];
  const entrants = [
    { architecture },
    ...baselines.map(([baseline, of]) => ({ baseline, architecture: of.architecture })),
  ];
  const isFirst = ({ baseline, repetition }: RetrainJob) => baseline === undefined && repetition === 0;
  const jobs = entrants.flatMap((entrant) =>
    seeds.map((repetition): RetrainJob => {
      const job = { ...entrant, repetition, epochs };
      return isFirst(job) && options.samples === true ? { ...job, sampled: true } : job;
    }),
  );
  const nameOf = ({ baseline, repetition }: RetrainJob) =>
    `${baseline === undefined ? `trial ${trial}` : `baseline ${baseline}`}, seed ${repetition}`;
  const kept = keptTrainings(dir, setup);
  const results = new Map<RetrainJob, Result>();
  for (const job of jobs) {
    const result = kept.read(job);
    if (result !== undefined && (!isFirst(job) || kept.hasWeights(job, trial, result.metrics)))
      results.set(job, result);
  }
  const left = jobs.filter((job) => !results.has(job));
  events.onBegin?.(left.length, results.size);
  await retrainAll(left, planOfSetup(setup), signal, {
    onRetry: (job, reason) => events.onRetry?.(nameOf(job), reason),
    onProgress: (job, progress) => events.onProgress?.(nameOf(job), progress),
    onDone(job, result) {
      if (!(result instanceof TrainingFailure)) {
        results.set(job, result);
        if (isFirst(job)) {
          writeWeights(dir, { architecture, epochs, seed: 0, test: result.metrics }, result.weights);
          writePredictions(dir, trial, epochs, result.samples);
        }
        // Last: where it is there, so is what belongs to it.
        kept.write(job, result);
      }
      events.onDone?.(nameOf(job), result);
    },
  });

  const resultsOf = (name: string | undefined) =>
    jobs.filter(({ baseline }) => baseline === name).flatMap((job) => results.get(job) ?? []);
  const found = resultsOf(undefined);
  if (options.samples !== true) writePredictions(dir, trial, epochs, undefined);
  const confusions = found.flatMap(({ confusion }) => (confusion === undefined ? [] : [confusion]));
  const record: EvaluationRecord = {
    trial,
    architecture,
    seeds,
    epochs,
    metrics: found.map(({ metrics }) => metrics),
    ...(confusions.length > 0 && { confusion: confusions.reduce(addMatrices) }),
    trainedOn: 'train + valid',
    baselines: baselines.flatMap(([name, { space, architecture }]) => {
      const { params = 0, flops = 0 } = costsOf(space, architecture);
      const metrics = resultsOf(name).map((result) => result.metrics);
      return metrics.length < seeds.length ? [] : [{ name, architecture, seeds, metrics, costs: { params, flops } }];
    }),
  };
  writeEvaluation(dir, record);
  return record;
}

/** The baselines that can serve this task: a ResNet needs images. */
function baselinesFor({ space: { task } }: Setup): readonly (readonly [string, Contestant])[] {
  return Object.entries(BASELINES).flatMap(([name, create]) => {
    try {
      return [[name, create(task)] as const];
    } catch (error) {
      if (error instanceof UserError) return [];
      throw error;
    }
  });
}

function addMatrices(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] {
  return a.map((row, i) => row.map((count, j) => count + (b[i]?.[j] ?? 0)));
}

export interface EvaluationResult {
  readonly study: string;
  readonly trial: number;
  readonly choice: Choice;
  readonly architecture: Architecture;
  readonly text: string;
  readonly params: number;
  readonly flops: number;
  readonly epochs: number;
  readonly seeds: readonly number[];
  readonly test: Summary;
  /** The seed whose weights are kept for `export`, and what they come to on the test split. Absent for a table. */
  readonly kept?: { readonly seed: number; readonly test: Metrics };
  /** Validation metrics of the search (of confirmed trials: the mean over their runs). Empty where it has trained nothing. */
  readonly valid: Metrics;
  /** What the search chose it by, where that is no training. */
  readonly estimate?: { readonly estimator: string; readonly metrics: Metrics };
  /** Validation minus mean test, for each metric that both have. */
  readonly gap: Metrics;
  readonly baselines: Readonly<
    Record<string, { readonly test: Summary; readonly params: number; readonly flops: number }>
  >;
}

export function evaluationToJson(
  study: string,
  setup: Setup,
  best: Chosen,
  record: EvaluationRecord,
): EvaluationResult {
  const test = summarise(record.metrics);
  const { space, estimator } = setup;
  const found = validMetrics(setup, best);
  const shared = Object.entries(found).filter(([name]) => test[name] !== undefined);
  const { params = 0, flops = 0 } = best.trial.costs;
  return {
    study,
    trial: record.trial,
    choice: best.choice,
    architecture: record.architecture,
    text: formatArchitecture(space, record.architecture),
    params,
    flops,
    epochs: record.epochs,
    seeds: record.seeds,
    test,
    ...(estimator.kind !== 'table' && { kept: { seed: record.seeds[0] ?? 0, test: record.metrics[0] ?? {} } }),
    valid: found,
    ...(!isTrained(estimator) && { estimate: { estimator: estimator.kind, metrics: best.metrics } }),
    gap: Object.fromEntries(shared.map(([name, valid]) => [name, valid - (test[name]?.mean ?? Number.NaN)])),
    baselines: Object.fromEntries(
      record.baselines.map(({ name, metrics, costs }) => [name, { test: summarise(metrics), ...costs }]),
    ),
  };
}
