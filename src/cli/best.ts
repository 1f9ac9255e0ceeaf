import type { Command } from 'commander';
import { invalid } from '../common/errors.ts';
import { compareBy, type Metrics } from '../common/metrics.ts';
import { mean, showCount, showMetric } from '../report/numbers.ts';
import { formatArchitecture } from '../space/index.ts';
import type { Problem } from '../strategy/strategy.ts';
import type { Trial } from '../study/store/store.ts';
import { define, outputOf, type Shell } from './command.ts';
import { table } from './output.ts';
import { type ReadStudy, readStudy, trialToJson } from './study.ts';

/** A search trial that nothing beats. */
export interface Best {
  readonly trial: Trial;
  /** Of a confirmed trial, the mean over its runs. */
  readonly metrics: Metrics;
  /** Trainings that the metrics come from. */
  readonly runs: number;
}

/** `netsmith best DIR`: { study, trials, best } */
export function addBest(program: Command, shell: Shell): void {
  define(program, 'best <dir>', 'Show the best trial of a study; of several objectives, its Pareto front', [
    'netsmith best runs/digits-small-cnn-1 --json',
  ]).action(async (dir: string, _options: unknown, command: Command) => {
    const study = await readStudy(dir);
    requireBest(study, dir);
    outputOf(command, shell).result(bestToJson(study), bestText(study));
  });
}

/**
 * The best trials: one of a single objective, the Pareto front of several (in order of the first). Where the top ones
 * were confirmed, only those can be best, by the mean over their runs. Ties go to the older trial.
 */
export function bestTrials({ trials, problem }: Pick<ReadStudy, 'trials' | 'problem'>): readonly Best[] {
  const { objectives } = problem;
  const complete = trials.filter(({ purpose, state }) => purpose === 'search' && state === 'complete');
  const measured = complete
    .map((trial): Best => {
      const repeats = trials.filter(
        (one) => one.purpose === 'confirm' && one.repeats === trial.trial && one.state === 'complete',
      );
      return {
        trial,
        metrics: meanMetrics([trial, ...repeats].map(({ metrics }) => metrics)),
        runs: 1 + repeats.length,
      };
    })
    .filter((best) => objectives.every(({ metric }) => Number.isFinite(valuesOf(best)[metric])));
  const confirmed = measured.filter(({ runs }) => runs > 1);
  const candidates = confirmed.length > 0 && objectives.length === 1 ? confirmed : measured;
  const sorted = [...candidates].sort((a, b) => compareBy(objectives[0], valuesOf(a), valuesOf(b)));
  if (objectives.length === 1) return sorted.slice(0, 1);
  return sorted.filter((best) => !sorted.some((other) => dominates(objectives, valuesOf(other), valuesOf(best))));
}

/** Metrics and costs together: an objective can be either. */
function valuesOf({ trial, metrics }: Best): Metrics {
  return { ...trial.costs, ...metrics };
}

function meanMetrics(all: readonly Metrics[]): Metrics {
  const names = Object.keys(all[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, mean(all.map((metrics) => metrics[name] ?? Number.NaN))]));
}

/** No worse in anything, better in something. */
function dominates(objectives: Problem['objectives'], a: Metrics, b: Metrics): boolean {
  const compared = objectives.map((objective) => compareBy(objective, a, b));
  return compared.every((order) => order <= 0) && compared.some((order) => order < 0);
}

/** Throws UserError where no trial is complete. */
export function requireBest(study: ReadStudy, dir: string): Best {
  const [first] = bestTrials(study);
  if (first === undefined) throw invalid(`study "${dir}"`, 'no trial is complete', 'has no best yet');
  return first;
}

/** `{ study, trials, best: { trial, architecture, text, metrics, costs } }`; `best` is null before a trial is complete. */
export function bestToJson(study: ReadStudy) {
  const all = bestTrials(study).map(({ trial, metrics, runs }) => {
    const { architecture, text, costs } = trialToJson(study.space, trial);
    return { trial: trial.trial, architecture, text, metrics, costs, runs };
  });
  const trials = study.trials.filter(({ purpose }) => purpose === 'search').length;
  return { study: study.record.name, trials, best: study.problem.objectives.length > 1 ? all : (all[0] ?? null) };
}

export function bestText(study: ReadStudy): string {
  const { objectives } = study.problem;
  const names = [...new Set([...objectives.map(({ metric }) => metric), 'params', 'flops'])];
  const rows = bestTrials(study).map((best) => [
    String(best.trial.trial),
    ...names.map((name) =>
      name === 'flops' ? showCount(best.trial.costs.flops ?? 0) : showMetric(name, valuesOf(best)[name]),
    ),
    String(best.runs),
    formatArchitecture(study.space, best.trial.architecture),
  ]);
  return rows.length === 0 ? 'No trial is complete.' : table(['best', ...names, 'runs', 'architecture'], rows);
}
