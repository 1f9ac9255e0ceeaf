import { join } from 'node:path';
import { smallest } from '../../common/extremes.ts';
import { valuesWithoutFolders } from '../../common/paths.ts';
import { analyze, type Significance, type Spread } from '../../report/compare/analysis.ts';
import { comparisonCsv, trajectoryCsv } from '../../report/compare/csv.ts';
import type { Comparison } from '../../report/compare/data.ts';
import { renderComparison } from '../../report/compare/html.ts';
import { ranked, showP, winnerOf } from '../../report/compare/verdict.ts';
import { showDeviation, showDifference, showMetric, showSeconds } from '../../report/numbers.ts';
import { writeWhole } from '../../study/store/files.node.ts';
import { type Output, table } from '../output.ts';

/** Fewer seeds than this say next to nothing. */
const FEWEST_SEEDS = 3;

/** What a reader should beware of, by the numbers of seeds. */
export function warningsOf({ competitors }: Pick<Comparison, 'competitors'>): readonly string[] {
  const fewest = smallest(competitors.map(({ runs }) => runs.length));
  const few = competitors.filter(({ runs }) => runs.length < FEWEST_SEEDS).map(({ name }) => name);
  if (few.length > 0) {
    const seeds = fewest === 1 ? '1 seed' : `${fewest} seeds`;
    return [
      `Fewer than ${FEWEST_SEEDS} seeds of ${few.join(', ')}: ${seeds} cannot distinguish a better strategy from luck.`,
    ];
  }
  const least = 2 ** (1 - fewest);
  return least > 0.05
    ? [
        `With ${fewest} seeds, no difference can be significant at 0.05 (smallest possible p: ${least}). Use at least 6.`,
      ]
    : [];
}

/** Writes the report and the tables, and tells the result. Returns the report's file. */
export async function tellComparison(dir: string, given: Comparison, output: Output): Promise<string> {
  const comparison = valuesWithoutFolders(given);
  const analysis = analyze(comparison);
  const files = {
    report: join(dir, 'comparison.html'),
    runs: join(dir, 'comparison.csv'),
    trajectories: join(dir, 'trajectories.csv'),
  };
  writeWhole(files.report, await renderComparison(comparison, analysis));
  writeWhole(files.runs, comparisonCsv(comparison));
  writeWhole(files.trajectories, trajectoryCsv(comparison));
  for (const warning of comparison.warnings) output.note(`Warning: ${warning}`);

  const { objective, axis, budget, reference, warnings, optimum, title } = comparison;
  const { metric } = objective;
  const { text: conclusion } = winnerOf(comparison, analysis);
  const order = ranked(comparison, analysis);
  const hasTest = order.some(({ test }) => test !== undefined);
  const hasValid = order.some(({ valid }) => valid !== undefined);
  const spread = (value: Spread | undefined) =>
    value === undefined
      ? '–'
      : `${showMetric(metric, value.mean)}${value.count < 2 ? '' : ` ± ${showDeviation(metric, value.sd)}`}`;
  const p = (value: Significance | undefined) => (value === undefined ? '–' : showP(value.holm));
  const rows = order.map((one) => [
    one.name,
    one.seeds.length,
    ...(hasTest ? [spread(one.test), p(one.against?.test)] : []),
    ...(hasValid ? [spread(one.valid), p(one.against?.valid)] : []),
    ...(optimum === undefined ? [] : [one.regret === undefined ? '–' : showDeviation(metric, one.regret.mean)]),
    ...(hasTest && hasValid ? [one.gap === undefined ? '–' : showDifference(metric, one.gap.mean)] : []),
    one.evaluations.mean.toFixed(0),
    showSeconds(one.totalSeconds),
    one.likeness === undefined ? '–' : one.likeness.distance.toFixed(2),
    one.likeness === undefined ? '–' : `${(100 * one.likeness.equal).toFixed(0)} %`,
  ]);
  const head = [
    ...['', 'seeds'],
    ...(hasTest ? [`test ${metric}`, 'p'] : []),
    ...(hasValid ? [`validation ${metric}`, 'p'] : []),
    ...(optimum === undefined ? [] : ['regret']),
    ...(hasTest && hasValid ? ['gap'] : []),
    ...['evaluations', 'computing', 'distance', 'equal'],
  ];
  const lines = [
    `${title}; ${budget}`,
    '',
    table(head, rows),
    '',
    `p: ${analysis.test}, against ${reference}, Holm-corrected.${hasTest && hasValid ? ' gap = validation minus test.' : ''}`,
    'distance = mean number of differing decisions between seeds; equal = share of seed pairs that found the same architecture. See docs/compare.md.',
    '',
    `Report   ${files.report}`,
    `Tables   ${files.runs}, ${files.trajectories}`,
    '',
    conclusion,
  ];
  const value = {
    title,
    objective: { ...objective },
    budget,
    axis,
    reference,
    significance: analysis.test,
    warnings,
    ...(optimum !== undefined && { optimum: { ...optimum } }),
    competitors: order,
    conclusion,
    files,
  };
  output.result(JSON.parse(JSON.stringify(value)), lines.join('\n'));
  return files.report;
}
