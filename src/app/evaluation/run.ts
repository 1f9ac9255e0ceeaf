/** What follows the search of a `run`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BaselineRow } from '../../baseline/run.ts';
import type { Metrics } from '../../common/metrics.ts';
import { isArchitectureMethod } from '../../oneshot/names.ts';
import { mean, showMetric } from '../../report/numbers.ts';
import { verdict } from '../../report/verdict.ts';
import { testedObjective } from '../../study/objectives.ts';
import type { Afterwards } from '../../study/plan.ts';
import { parseDuration } from '../../study/quantities.ts';
import type { Store } from '../../study/store/store.ts';
import type { EnvironmentInfo } from '../../task/environment.ts';
import type { TimeLimit } from '../../train/pace.ts';
import type { Chosen } from '../choice.ts';
import { mostEpochsOf, START_SECONDS } from '../plan-run.ts';
import { writeReport } from '../report.ts';
import type { Setup } from '../setup.ts';
import type { ReadStudy } from '../study.ts';
import type { EvaluateOptions } from './evaluate.ts';
import { type EvaluationRecord, readEvaluation } from './evaluation.ts';
import { baselinesOf } from './final.ts';
import { evaluateInTime, timeOfEach } from './in-time.ts';

/** For all baselines that are no networks, where no time is given. */
export const BASELINE_SECONDS = 120;
/** Kept for the report. */
const REPORT_SECONDS = 1.5;

export interface RunEvaluation {
  readonly dir: string;
  readonly setup: Setup;
  readonly best: Chosen;
  readonly options: Afterwards;
  /** Seconds of the whole command so far, those of earlier sessions included. */
  elapsed(): number;
  evaluate(options: EvaluateOptions): Promise<EvaluationRecord>;
  export(): Promise<unknown>;
  fitBaselines(seconds: number): Promise<readonly BaselineRow[]>;
}

/** Final trainings, export, baselines that are no networks, and the report, within the time of the run if it has one. */
export async function evaluateRun(run: RunEvaluation): Promise<{
  readonly record: EvaluationRecord;
  readonly classical: readonly BaselineRow[];
  readonly report: string;
}> {
  const { dir, options, elapsed } = run;
  const { time } = options;
  const record = await evaluateNetworks(run);
  await run.export();
  const seconds = time === undefined ? BASELINE_SECONDS : Math.max(0, time.seconds - REPORT_SECONDS - elapsed());
  const classical = options.baselines ? await run.fitBaselines(seconds) : [];
  return { record, classical, report: await writeReport(dir) };
}

async function evaluateNetworks({
  dir,
  setup,
  best,
  options,
  elapsed,
  ...run
}: RunEvaluation): Promise<EvaluationRecord> {
  const { time } = options;
  if (time === undefined) return run.evaluate(options);
  // A run that has ended, and is resumed, trains nothing more.
  const hasEnded = options.isExtended !== true && existsSync(join(dir, 'report.html'));
  const finished = hasEnded ? readEvaluation(dir) : undefined;
  if (finished?.trial === best.choice.trial) {
    const { seeds, baselines } = finished;
    const limit = { seconds: time.seconds, mostEpochs: time.mostEpochs };
    return run.evaluate({ ...options, seeds: seeds.length, baselines: baselines.length > 0, time: limit });
  }
  return evaluateInTime({
    ...{ time, options, elapsed, startSeconds: time.startSeconds ?? START_SECONDS, evaluate: run.evaluate },
    leastSeconds: best.trial.seconds / 2,
    workers: setup.settings.workers,
    baselines: Object.keys(baselinesOf(setup)).length,
    export: async () => void (await run.export()),
  });
}

/**
 * The time that the search of a run with a time limit has in all, by the search's clock. A run that was interrupted after its search does
 * not search any more.
 */
export async function secondsOfSearch(store: Store, searchUntil: number, elapsed: number): Promise<number> {
  const { searchSeconds } = await store.clock();
  const isOver = (await store.trials('evaluate')).length > 0;
  return searchSeconds + Math.max(0.001, isOver ? 0 : searchUntil - elapsed);
}

/** The options of a run whose time is another now: the search ends when it was to end, and what follows has the difference. */
export function withTime(options: Afterwards, given: unknown): Afterwards {
  const seconds = typeof given === 'string' ? parseDuration(given) : undefined;
  const { time } = options;
  if (seconds === undefined || time === undefined || seconds === time.seconds) return options;
  return { ...options, time: { ...time, seconds }, isExtended: true };
}

/** Seconds that earlier sessions of a study have used: of search, and of the trainings that followed. */
export async function usedBefore(store: Store): Promise<number> {
  const { searchSeconds } = await store.clock();
  const trials = [...(await store.trials('confirm')), ...(await store.trials('evaluate'))];
  return trials.reduce((sum, { seconds }) => sum + seconds, searchSeconds);
}

/** What the result of a run is worth, in sentences. */
export function verdictOf(
  dir: string,
  setup: Setup,
  { trials }: ReadStudy,
  record: EvaluationRecord,
  classical: readonly BaselineRow[],
): readonly string[] {
  const { info } = setup.dataset.search;
  const objective = testedObjective(setup.problem.objectives, info);
  const { metric } = objective;
  if (info.environment !== undefined) return [successText(info.environment, record.metrics)];
  const valuesOf = (metrics: readonly Metrics[]) => metrics.flatMap((one) => one[metric] ?? []);
  return verdict({
    objective,
    testSamples: info.counts.test,
    found: { name: `trial ${record.trial}`, values: valuesOf(record.metrics) },
    baselines: [
      ...record.baselines.map(({ name, metrics }) => ({ name, values: valuesOf(metrics) })),
      ...classical.flatMap((row) => {
        if ('skipped' in row || row.test === undefined) return [];
        const { name, exported } = row;
        return [{ name, values: valuesOf([row.test]), ...(exported !== undefined && { file: join(dir, exported) }) }];
      }),
    ],
    ...(!isArchitectureMethod(setup.settings.strategy) && {
      candidates: trials.filter(({ purpose, state }) => purpose === 'search' && state === 'complete').length,
    }),
  });
}

/** `Success in 98 % of the test episodes: the pole stands for 475 of 500 steps.` */
function successText({ success: rule }: EnvironmentInfo, metrics: readonly Metrics[]): string {
  const share = mean(metrics.map(({ success = Number.NaN }) => success));
  return `Success in ${showMetric('success', share)} of the test episodes: ${rule}.`;
}

/** What --time leaves for each training, and for the baselines that are no networks. */
export function limitsOf(
  setup: Setup,
  { seeds, baselines }: EvaluateOptions,
  epochs: unknown,
  used: number,
): { readonly time: TimeLimit; readonly baselineSeconds: number } {
  const { settings, training, dataset } = setup;
  const seconds = parseDuration(settings.time ?? '') ?? 0;
  const baselineSeconds = baselines ? Math.min(BASELINE_SECONDS, 0.1 * seconds) : 0;
  const trainings = seeds * (1 + (baselines ? Object.keys(baselinesOf(setup)).length : 0));
  const { workers } = settings;
  // On a busy machine a worker process starts about as slowly as this one has.
  const startSeconds = Math.max(START_SECONDS, used);
  const each = timeOfEach({ seconds, used, startSeconds, baselineSeconds, trainings, workers });
  const mostEpochs = epochs === undefined ? mostEpochsOf(dataset.search.info, training.epochSamples) : training.epochs;
  return { time: { seconds: each, mostEpochs }, baselineSeconds };
}
