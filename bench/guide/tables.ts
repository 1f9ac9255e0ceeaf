/** What the finds of many searches come to. */
import { markdown } from '../engine/tables.ts';
import type { Find, Largest } from './play.ts';

/** The rule of thumb, on random search: shares in percent, means over seeds with their standard errors. */
export interface ThumbRow {
  readonly dataset: string;
  readonly evaluations: number;
  readonly seeds: number;
  /** 100 / k, and what k draws of different architectures are expected to reach: 100 / (k + 1). */
  readonly rule: number;
  readonly expected: number;
  readonly top: number;
  readonly topError: number;
  readonly topTest: number;
  readonly topTestError: number;
}

/** A strategy at a budget: test accuracy in percent, mean and standard deviation over seeds. */
export interface BudgetRow {
  readonly dataset: string;
  readonly strategy: string;
  readonly evaluations: number;
  readonly seeds: number;
  readonly mean: number;
  readonly sd: number;
}

export function thumbRows(finds: readonly Find[]): readonly ThumbRow[] {
  return grouped(finds.filter(({ strategy }) => strategy === 'random')).map((group) => {
    const [{ dataset, evaluations }] = group;
    const [top, topTest] = [
      spread(group.map((find) => 100 * find.top)),
      spread(group.map((find) => 100 * find.topTest)),
    ];
    const error = (sd: number) => sd / Math.sqrt(group.length);
    return {
      ...{ dataset, evaluations, seeds: group.length, rule: 100 / evaluations, expected: 100 / (evaluations + 1) },
      ...{ top: top.mean, topError: error(top.sd), topTest: topTest.mean, topTestError: error(topTest.sd) },
    };
  });
}

export function budgetRows(finds: readonly Find[]): readonly BudgetRow[] {
  return grouped(finds).map((group) => {
    const [{ dataset, strategy, evaluations }] = group;
    return { dataset, strategy, evaluations, seeds: group.length, ...spread(group.map(({ test }) => 100 * test)) };
  });
}

export function resultText(result: {
  readonly largest: readonly Largest[];
  readonly thumb: readonly ThumbRow[];
  readonly budgets: readonly BudgetRow[];
}): string {
  const lines = result.largest.map(({ dataset, test, topTest }) => [
    ...[dataset, (100 * test).toFixed(2), (100 * topTest).toFixed(2)],
  ]);
  const largest = markdown(['largest network', 'test %', 'top %, test accuracy'], lines);
  return [largest, thumbTable(result.thumb), budgetTables(result.budgets)].join('\n\n');
}

function thumbTable(rows: readonly ThumbRow[]): string {
  return markdown(
    ['data set', 'k', '100/k', '100/(k + 1)', 'top %, searched metric', 'top %, test accuracy'],
    rows.map(({ dataset, evaluations, rule, expected, top, topError, topTest, topTestError }) => [
      ...[dataset, evaluations, rule.toFixed(2), expected.toFixed(2)],
      ...[`${top.toFixed(2)} ± ${topError.toFixed(2)}`, `${topTest.toFixed(2)} ± ${topTestError.toFixed(2)}`],
    ]),
  );
}

/** A line for each strategy, the best at the largest budget first; a table for each data set. */
function budgetTables(rows: readonly BudgetRow[]): string {
  const tables = [...Map.groupBy(rows, ({ dataset }) => dataset)].map(([dataset, own]) => {
    const budgets = [...new Set(own.map(({ evaluations }) => evaluations))];
    const lines = [...Map.groupBy(own, ({ strategy }) => strategy)].toSorted(
      ([, a], [, b]) => (b.at(-1)?.mean ?? 0) - (a.at(-1)?.mean ?? 0),
    );
    return markdown(
      [dataset, 'seeds', ...budgets.map(String)],
      lines.map(([strategy, line]) => [
        ...[strategy, line[0]?.seeds ?? 0],
        ...line.map(({ mean, sd }) => `${mean.toFixed(2)} ± ${sd.toFixed(2)}`),
      ]),
    );
  });
  return tables.join('\n\n');
}

type Group = readonly [Find, ...Find[]];

/** By data set, strategy and budget, in the order of their first finds. */
function grouped(finds: readonly Find[]): readonly Group[] {
  const groups = Map.groupBy(finds, ({ dataset, strategy, evaluations }) => [dataset, strategy, evaluations].join('|'));
  return [...groups.values()].flatMap(([head, ...rest]) => (head === undefined ? [] : [[head, ...rest] as const]));
}

function spread(values: readonly number[]): { readonly mean: number; readonly sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) };
}
