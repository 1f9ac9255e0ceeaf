import type { Command } from 'commander';
import { bestToJson, bestTrials, conditionOf, requireBest, ruleName } from '../app/best.ts';
import { choiceOf } from '../app/choice.ts';
import { readEvaluation } from '../app/evaluation/evaluation.ts';
import { type ReadStudy, readStudy } from '../app/study.ts';
import { invalid } from '../common/errors.ts';
import { coverageText, showCount, showMetric } from '../report/numbers.ts';
import type { Choice } from '../study/choice.ts';
import { nameOfMetric, shownCosts } from '../study/objectives.ts';
import { type Contender, coverageOf } from '../study/ranking.ts';
import { trainsTrials } from '../study/spec.ts';
import { table } from '../terminal/output.ts';
import { CHOOSE, choiceText } from './choice.ts';
import { define, outputOf, type Shell } from './command.ts';

/** `netsmith best DIR`: { study, trials, choice, best } */
export function addBest(program: Command, shell: Shell): void {
  const command = define(program, 'best <dir>', 'Show the best trial of a study, or the Pareto front', [
    'netsmith best runs/digits-residual-cnn-1 --json',
    "netsmith best runs/digits-residual-cnn-1 --where 'params<20000,accuracy>=0.9'",
  ]);
  command.option(...CHOOSE).option('--where <conditions>', 'only networks like this: latency<5, accuracy>=0.9');
  command.action(async (dir: string, { where, choose }: { where?: string; choose?: string }) => {
    const study = await readStudy(dir);
    requireBest(study, dir);
    const front = bestTrials(study, where === undefined ? undefined : conditionOf(where, study));
    if (front.length === 0) throw invalid('--where', `"${where}"`, 'no network of the study is like this');
    const taken = choose === undefined ? evaluatedOf(dir, study, front) : choiceOf(study, front, choose);
    outputOf(command, shell).result(bestToJson(dir, study, taken, front), bestText(study, taken, front));
  });
}

/** The network of the front that was evaluated: `export`, `report` and `show` take it. Undefined where there is none. */
function evaluatedOf(dir: string, study: ReadStudy, best: readonly Contender[]): Choice | undefined {
  if (study.problem.objectives.length === 1) return undefined;
  const front = best.map(({ trial }) => trial);
  const trial = readEvaluation(dir)?.trial;
  return trial !== undefined && front.includes(trial) ? { trial, by: 'evaluation', front } : undefined;
}

/** The best as a table, and by what rule they are. `taken`: the network of the front that was evaluated. */
export function bestText(study: ReadStudy, taken?: Choice, front = bestTrials(study)): string {
  const [first] = front;
  return first === undefined ? 'No trial is complete.' : `${bestTable(study, front)}\n${ruleText(study, first, taken)}`;
}

/** How the best was found out, and which of a front the commands take. */
function ruleText(study: ReadStudy, first: Contender, taken: Choice | undefined): string {
  const { objectives } = study.problem;
  const rule = ruleName(study, first);
  if (taken !== undefined && taken.by !== 'evaluation') return choiceText(taken, objectives) ?? `Best by ${rule}.`;
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
export function bestTable(study: ReadStudy, best = bestTrials(study)): string {
  const { objectives, reference } = study.problem;
  const costs = shownCosts(study.problem, study.settings, best);
  const names = [...new Set([...objectives.map(({ metric }) => metric), ...costs])];
  const rows = best.map((best) => [
    String(best.trial),
    ...names.map((name) =>
      name === 'flops' ? showCount(best.costs.flops ?? 0) : showMetric(name, best.metrics[name]),
    ),
    String(best.results.length),
    study.space.format(best.architecture),
  ]);
  const isConfirmed = best.some(({ confirmations }) => confirmations > 0);
  const listed = table(
    ['best', ...names.map((name) => nameOfMetric(study.settings, name, isConfirmed)), 'runs', 'architecture'],
    rows,
  );
  const coverage = coverageOf(study.trials, objectives, reference);
  return coverage === undefined ? listed : `${listed}\n${coverageText(coverage)}`;
}
