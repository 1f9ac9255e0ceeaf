import type { Command } from 'commander';
import { bestToJson, bestTrials, requireBest, ruleName } from '../app/best.ts';
import { type ReadStudy, readStudy } from '../app/study.ts';
import { showCount, showMetric } from '../report/numbers.ts';
import { formatArchitecture } from '../space/index.ts';
import { nameOfMetric } from '../study/objectives.ts';
import { type Contender, coverageOf } from '../study/ranking.ts';
import { trainsTrials } from '../study/spec.ts';
import { define, outputOf, type Shell } from './command.ts';
import { table } from './output.ts';

/** `netsmith best DIR`: { study, trials, choice, best } */
export function addBest(program: Command, shell: Shell): void {
  define(program, 'best <dir>', 'Show the best trial of a study; of several objectives, its Pareto front', [
    'netsmith best runs/digits-small-cnn-1 --json',
  ]).action(async (dir: string, _options: unknown, command: Command) => {
    const study = await readStudy(dir);
    requireBest(study, dir);
    outputOf(command, shell).result(bestToJson(dir, study), bestText(study));
  });
}

/** The best as a table, and by what rule they are. */
export function bestText(study: ReadStudy): string {
  const [first] = bestTrials(study);
  return first === undefined ? 'No trial is complete.' : `${bestTable(study)}\n${ruleText(study, first)}`;
}

/** How the best was found out, and which of a front the commands take. */
function ruleText(study: ReadStudy, first: Contender): string {
  const { objectives } = study.problem;
  const rule = ruleName(study, first);
  if (objectives.length > 1)
    return `Commands take trial ${first.trial}, the best by ${rule}; --trial N or --choose knee takes another.`;
  const isOneTraining = first.results.length === 1 && trainsTrials(study.settings);
  return isOneTraining
    ? `Best by ${rule} of one training; --confirm N trains the top N again with other seeds.`
    : `Best by ${rule}.`;
}

/** The best alone, or the Pareto front. */
export function bestTable(study: ReadStudy): string {
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
  const listed = table(
    ['best', ...names.map((name) => nameOfMetric(study.settings, name)), 'runs', 'architecture'],
    rows,
  );
  const coverage = coverageOf(study.trials, objectives);
  if (coverage === undefined) return listed;
  return `${listed}\nHypervolume ${coverage.hypervolume.toFixed(3)} (normalised to the range of each objective).`;
}
