import type { Command } from 'commander';
import { invalid, type UserError } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import { showCount, showMetric } from '../report/numbers.ts';
import { formatArchitecture } from '../space/index.ts';
import type { Choice } from '../study/choice.ts';
import { bestOf, type Contender, coverageOf } from '../study/ranking.ts';
import { define, outputOf, type Shell } from './command.ts';
import { trainsTrials } from './config.ts';
import { readEvaluation } from './evaluation.ts';
import { nameOfMetric, shownCosts } from './objectives.ts';
import { table } from './output.ts';
import { costsToJson, type ReadStudy, readStudy } from './study.ts';

/** `netsmith best DIR`: { study, trials, choice, best } */
export function addBest(program: Command, shell: Shell): void {
  define(program, 'best <dir>', 'Show the best trial of a study, or the Pareto front if it has several objectives', [
    'netsmith best runs/digits-small-cnn-1 --json',
  ]).action(async (dir: string, _options: unknown, command: Command) => {
    const study = await readStudy(dir);
    requireBest(study, dir);
    const taken = evaluatedOf(dir, study);
    outputOf(command, shell).result(bestToJson(dir, study, taken), bestText(study, taken));
  });
}

/** The network of the front that was evaluated: `export`, `report` and `show` take it. Undefined where there is none. */
function evaluatedOf(dir: string, study: ReadStudy): Choice | undefined {
  if (study.problem.objectives.length === 1) return undefined;
  const front = bestTrials(study).map(({ trial }) => trial);
  const trial = readEvaluation(dir)?.trial;
  return trial !== undefined && front.includes(trial) ? { trial, by: 'evaluation', front } : undefined;
}

/** What the study says is best (`bestOf`): one architecture, or the Pareto front of several objectives. */
export function bestTrials({ trials, problem }: Pick<ReadStudy, 'trials' | 'problem'>): readonly Contender[] {
  return bestOf(trials, problem.objectives);
}

/** The metrics that were measured, without the costs beside them. */
export function measuredMetrics({ metrics, costs }: Contender): Metrics {
  return Object.fromEntries(Object.entries(metrics).filter(([name]) => !(name in costs)));
}

/** The best; of several objectives by the first. Throws UserError where no trial is complete. */
export function requireBest(study: ReadStudy, dir: string): Contender {
  const [first] = bestTrials(study);
  if (first === undefined) throw nothingComplete(dir);
  return first;
}

export function nothingComplete(dir: string): UserError {
  return invalid(`study "${dir}"`, 'no trial is complete', 'a study needs a complete trial to have a best one');
}

/**
 * `study` is its folder as it was given: `{ study, trials, best: { trial, architecture, text, metrics, costs, runs,
 * confirmations } }`; `best` is null before a trial is complete. Of several objectives it is the front, the best by the
 * first objective first, with `choice`, the one that is taken of it, and `coverage: { hypervolume, worst, best }`.
 */
export function bestToJson(dir: string, study: ReadStudy, choice?: Choice) {
  const front = bestTrials(study);
  const all = front.map((best) => ({
    trial: best.trial,
    architecture: best.architecture,
    text: formatArchitecture(study.space, best.architecture),
    metrics: measuredMetrics(best),
    costs: costsToJson(best.costs),
    runs: best.results.length,
    confirmations: best.confirmations,
  }));
  const trials = study.trials.filter(({ purpose }) => purpose === 'search').length;
  if (study.problem.objectives.length === 1) return { study: dir, trials, best: all[0] ?? null };
  const coverage = coverageOf(study.trials, study.problem.objectives);
  const trialsOfFront = front.map(({ trial }) => trial);
  const byFirst = front[0] && { trial: front[0].trial, by: study.problem.objectives[0].metric, front: trialsOfFront };
  const taken = choice ?? byFirst;
  return {
    study: dir,
    trials,
    best: all,
    choice: taken === undefined ? null : { ...taken },
    ...(coverage && { coverage: { ...coverage } }),
  };
}

/** The best as a table, and by what rule they are. `taken`: the network of the front that was evaluated. */
export function bestText(study: ReadStudy, taken?: Choice): string {
  const [first] = bestTrials(study);
  return first === undefined ? 'No trial is complete.' : `${bestTable(study)}\n${ruleText(study, first, taken)}`;
}

/** By what the best is the best (`bestOf`): `mean accuracy over search trial and confirmations`. */
function ruleName({ problem: { objectives }, settings }: ReadStudy, { confirmations, results }: Contender): string {
  const name = nameOfMetric(settings, objectives[0].metric);
  if (confirmations > 0) return `mean ${name} over search trial and confirmations`;
  return results.length > 1 ? `mean ${name} over its ${results.length} search trials` : name;
}

/** How a report begins its sentence on the network that was taken. */
export function takenBy(study: ReadStudy, front: readonly Contender[], taken: Contender): string {
  const rule = `best by ${ruleName(study, taken)}`;
  if (study.problem.objectives.length === 1) return `The ${rule}`;
  const which = taken === front[0] ? rule : 'one that was evaluated';
  return `The ${which} of ${front.length} on the Pareto front`;
}

/** How the best was found out, and which of a front the commands take. */
function ruleText(study: ReadStudy, first: Contender, taken: Choice | undefined): string {
  const { objectives } = study.problem;
  const rule = ruleName(study, first);
  if (objectives.length > 1 && taken !== undefined && taken.trial !== first.trial)
    return `export, report and show take trial ${taken.trial}, which was evaluated; trial ${first.trial} is the best by ${rule}.`;
  if (objectives.length > 1)
    return `Commands take trial ${first.trial}, the best by ${rule}; --trial N or --choose knee takes another.`;
  const isOneTraining = first.results.length === 1 && trainsTrials(study.settings);
  return isOneTraining
    ? `Best by ${rule} of a single training run; --confirm N retrains the top N with new seeds.`
    : `Best by ${rule}.`;
}

/** The best alone, or the Pareto front. */
export function bestTable(study: ReadStudy): string {
  const { objectives } = study.problem;
  const names = [...new Set([...objectives.map(({ metric }) => metric), ...shownCosts(study.problem)])];
  const rows = bestTrials(study).map((best) => [
    String(best.trial),
    ...names.map((name) =>
      name === 'flops' ? showCount(best.costs.flops ?? 0) : showMetric(name, best.metrics[name]),
    ),
    String(best.results.length),
    formatArchitecture(study.space, best.architecture),
  ]);
  const listed = table(
    ['best', ...names.map((name) => nameOfMetric(study.settings, name)), 'runs', 'architecture'],
    rows,
  );
  const coverage = coverageOf(study.trials, objectives);
  if (coverage === undefined) return listed;
  return `${listed}\nHypervolume ${coverage.hypervolume.toFixed(3)} (normalized to the range of each objective).`;
}
