import type { Command } from 'commander';
import { bestToJson, bestTrials, requireBest, ruleName } from '../app/best.ts';
import { readEvaluation } from '../app/evaluation/evaluation.ts';
import { type ReadStudy, readStudy } from '../app/study.ts';
import { showCount, showMetric } from '../report/numbers.ts';
import type { Choice } from '../study/choice.ts';
import { nameOfMetric, shownCosts } from '../study/objectives.ts';
import { type Contender, coverageOf } from '../study/ranking.ts';
import { trainsTrials } from '../study/spec.ts';
import { table } from '../terminal/output.ts';
import { define, outputOf, type Shell } from './command.ts';

/** `netsmith best DIR`: { study, trials, choice, best } */
export function addBest(program: Command, shell: Shell): void {
  define(program, 'best <dir>', 'Show the best trial of a study, or the Pareto front if it has several objectives', [
    'netsmith best runs/digits-residual-cnn-1 --json',
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

/** The best as a table, and by what rule they are. `taken`: the network of the front that was evaluated. */
export function bestText(study: ReadStudy, taken?: Choice): string {
  const [first] = bestTrials(study);
  return first === undefined ? 'No trial is complete.' : `${bestTable(study)}\n${ruleText(study, first, taken)}`;
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
  const best = bestTrials(study);
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
  const listed = table(
    ['best', ...names.map((name) => nameOfMetric(study.settings, name)), 'runs', 'architecture'],
    rows,
  );
  const coverage = coverageOf(study.trials, objectives);
  if (coverage === undefined) return listed;
  return `${listed}\nHypervolume ${coverage.hypervolume.toFixed(3)} (normalized to the range of each objective).`;
}
