import type { Command } from 'commander';
import { invalid } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import { showCount, showMetric } from '../report/numbers.ts';
import { formatArchitecture } from '../space/index.ts';
import { bestOf, type Contender, coverageOf } from '../study/ranking.ts';
import { define, outputOf, type Shell } from './command.ts';
import { nameOfMetric } from './objectives.ts';
import { table } from './output.ts';
import { costsToJson, type ReadStudy, readStudy } from './study.ts';

/** `netsmith best DIR`: { study, trials, best } */
export function addBest(program: Command, shell: Shell): void {
  define(program, 'best <dir>', 'Show the best trial of a study; of several objectives, its Pareto front', [
    'netsmith best runs/digits-small-cnn-1 --json',
  ]).action(async (dir: string, _options: unknown, command: Command) => {
    const study = await readStudy(dir);
    requireBest(study, dir);
    outputOf(command, shell).result(bestToJson(dir, study), bestText(study));
  });
}

/** What the study says is best (`bestOf`): one architecture, or the Pareto front of several objectives. */
export function bestTrials({ trials, problem }: Pick<ReadStudy, 'trials' | 'problem'>): readonly Contender[] {
  return bestOf(trials, problem.objectives);
}

/** The metrics that were measured, without the costs beside them. */
export function measuredMetrics({ metrics, costs }: Contender): Metrics {
  return Object.fromEntries(Object.entries(metrics).filter(([name]) => !(name in costs)));
}

/** Throws UserError where no trial is complete. */
export function requireBest(study: ReadStudy, dir: string): Contender {
  const [first] = bestTrials(study);
  if (first === undefined) throw invalid(`study "${dir}"`, 'no trial is complete', 'a study has a best when one is');
  return first;
}

/**
 * `study` is its folder as it was given: `{ study, trials, best: { trial, architecture, text, metrics, costs, runs } }`; `best`
 * is null before a trial is complete. Of several objectives it is the front, with `coverage: { hypervolume, worst, best }`.
 */
export function bestToJson(dir: string, study: ReadStudy) {
  const all = bestTrials(study).map((best) => ({
    trial: best.trial,
    architecture: best.architecture,
    text: formatArchitecture(study.space, best.architecture),
    metrics: measuredMetrics(best),
    costs: costsToJson(best.costs),
    runs: best.results.length,
  }));
  const trials = study.trials.filter(({ purpose }) => purpose === 'search').length;
  if (study.problem.objectives.length === 1) return { study: dir, trials, best: all[0] ?? null };
  const coverage = coverageOf(study.trials, study.problem.objectives);
  return { study: dir, trials, best: all, ...(coverage && { coverage: { ...coverage } }) };
}

export function bestText(study: ReadStudy): string {
  const { objectives } = study.problem;
  const names = [...new Set([...objectives.map(({ metric }) => metric), 'params', 'flops'])];
  const rows = bestTrials(study).map((best) => [
    String(best.trial),
    ...names.map((name) =>
      name === 'flops' ? showCount(best.costs.flops ?? 0) : showMetric(name, best.metrics[name]),
    ),
    String(best.results.length),
    formatArchitecture(study.space, best.architecture),
  ]);
  if (rows.length === 0) return 'No trial is complete.';
  const listed = table(
    ['best', ...names.map((name) => nameOfMetric(study.settings, name)), 'runs', 'architecture'],
    rows,
  );
  const coverage = coverageOf(study.trials, objectives);
  if (coverage === undefined) return listed;
  return `${listed}\nHypervolume ${coverage.hypervolume.toFixed(3)} (normalised to the range of each objective).`;
}
