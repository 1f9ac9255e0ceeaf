/** What the searches of one strategy on one data set came to. */
import { median } from '../engine/statistics.ts';
import { markdown } from '../engine/tables.ts';
import type { SearchEnd } from './play.ts';

export interface Summary {
  readonly strategy: string;
  readonly dataset: string;
  readonly budgetSeconds: number;
  readonly seeds: number;
  /** Test accuracy of what was found, percent: mean and standard deviation over the seeds. */
  readonly mean: number;
  readonly sd: number;
  /**
   * Median over the seeds of the evaluations until one of the 16 best by the searched metric was evaluated, in a longer search.
   * A search that never found one counts as more than any number; null: more than half of them did not.
   */
  readonly evaluationsToTop: number | null;
  /** Share of the seeds that found one. */
  readonly foundTop: number;
  /** Below the best searched metric of the table, percentage points, mean. */
  readonly regret: number;
  /** Within the budget, mean. */
  readonly evaluations: number;
  /** Real time of a search, the longer part included; median. */
  readonly milliseconds: number;
}

export function summaryOf(
  about: Pick<Summary, 'strategy' | 'dataset' | 'budgetSeconds'>,
  ends: readonly SearchEnd[],
): Summary {
  const mean = average(ends.map(({ test }) => 100 * test));
  const variance = average(ends.map(({ test }) => (100 * test - mean) ** 2));
  const toTop = median(ends.map((end) => end.toTop ?? Number.POSITIVE_INFINITY));
  return {
    ...about,
    seeds: ends.length,
    mean,
    sd: Math.sqrt((variance * ends.length) / Math.max(1, ends.length - 1)),
    evaluationsToTop: Number.isFinite(toTop) ? toTop : null,
    foundTop: ends.filter((end) => end.toTop !== null).length / ends.length,
    regret: average(ends.map(({ regret }) => 100 * regret)),
    evaluations: average(ends.map(({ evaluations }) => evaluations)),
    milliseconds: median(ends.map(({ milliseconds }) => milliseconds)),
  };
}

/** Best mean first within a data set. */
export function summaryTable(rows: readonly Summary[]): string {
  const groups = Map.groupBy(rows, ({ dataset }) => dataset);
  return markdown(
    ['data set', 'strategy', 'seeds', 'test %', 'sd', 'regret, points', 'evaluations', 'to top', 'ms'],
    [...groups.values()].flatMap((group) =>
      group
        .toSorted((a, b) => b.mean - a.mean)
        .map(({ dataset, strategy, seeds, mean, sd, regret, evaluations, evaluationsToTop, milliseconds }) => [
          ...[dataset, strategy, seeds, mean.toFixed(2), sd.toFixed(2), regret.toFixed(3), Math.round(evaluations)],
          ...[evaluationsToTop ?? '-', Number(milliseconds.toPrecision(3))],
        ]),
    ),
  );
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
