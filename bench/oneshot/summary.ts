import { bootstrapInterval, kendall } from '../../src/common/correlation.ts';
import { type Architecture, parseArchitecture } from '../../src/space/index.ts';
import { markdown } from '../engine/tables.ts';
import type { SearchRow } from './rows.ts';
import type { BenchTable } from './table.ts';

/** One line of the result: a method over its seeds. */
export interface Summary {
  readonly method: string;
  readonly space: string;
  readonly seeds: number;
  readonly searchSeconds: number;
  readonly architectures: number;
  readonly tableAccuracy: MeanAndDeviation;
  readonly others: Readonly<Record<string, MeanAndDeviation>>;
  readonly kendall: number | null;
  readonly kendallAbove92: number | null;
  /** The middle 95 % of `kendall` over bootstrap samples of the cells, each bound the mean over the seeds. */
  readonly kendallInterval: readonly [low: number, high: number] | null;
  /** Of the number of parameters, on the same random cells. */
  readonly kendallOfParams: number;
  readonly kendallOfParamsAbove92: number;
}

interface MeanAndDeviation {
  readonly mean: number;
  readonly sd: number;
}

/** How many random cells are trained for 12 epochs to take the best of them: a search without a supernet. */
const BRIEFLY_TRAINED = 20;

/** A line for each method; the last two are of random cells, the best of some after 12 epochs each, and each taken without a search. */
export function summaries(rows: readonly SearchRow[], cells: readonly Architecture[], table: BenchTable): Summary[] {
  const truth = cells.map(table.accuracy);
  const params = cells.map(table.params);
  const good = truth.flatMap((value, i) => (value > 0.92 ? [i] : []));
  const at = (values: readonly number[]) => good.map((i) => values[i] ?? Number.NaN);
  const ofParams = {
    kendallOfParams: kendall(params, truth),
    kendallOfParamsAbove92: kendall(at(params), at(truth)),
  };
  const methods = [...Map.groupBy(rows, ({ method }) => method)].map(([method, all]): Summary => {
    const found = all.map(({ architecture }) => parseArchitecture(table.space, architecture));
    const ranked = all.map(({ shared }) => shared).filter(({ length }) => length === cells.length);
    const overSeeds = (of: (shared: readonly number[]) => number) =>
      ranked.length === 0 ? null : mean(ranked.map(of));
    const bounds = ranked.map((shared) => bootstrapInterval(kendall, shared, truth));
    return {
      ...{ method, space: table.space.name, seeds: all.length },
      searchSeconds: mean(all.map(({ seconds }) => seconds)),
      architectures: mean(all.map(({ architectures }) => architectures)),
      ...valuesIn(found, table),
      kendall: overSeeds((shared) => kendall(shared, truth)),
      kendallAbove92: good.length < 2 ? null : overSeeds((shared) => kendall(at(shared), at(truth))),
      kendallInterval:
        bounds.length === 0 ? null : [mean(bounds.map(([low]) => low)), mean(bounds.map(([, high]) => high))],
      ...ofParams,
    };
  });
  const random = (method: string, found: readonly Architecture[], architectures: number): Summary => ({
    ...{ method, space: table.space.name, seeds: found.length, searchSeconds: 0, architectures },
    ...valuesIn(found, table),
    ...{ kendall: null, kendallAbove92: null, kendallInterval: null, ...ofParams },
  });
  const draws = Math.floor(cells.length / BRIEFLY_TRAINED);
  const bestOfDraws = Array.from({ length: draws }, (_, draw) =>
    cells
      .slice(draw * BRIEFLY_TRAINED, (draw + 1) * BRIEFLY_TRAINED)
      .reduce((best, cell) => (table.early(cell) > table.early(best) ? cell : best)),
  );
  const briefly = `best of ${BRIEFLY_TRAINED} random cells after 12 epochs`;
  return [
    ...methods,
    ...(draws === 0 ? [] : [random(briefly, bestOfDraws, BRIEFLY_TRAINED)]),
    random('one random cell', cells, 1),
  ];
}

/** What the table has of these cells. */
function valuesIn(cells: readonly Architecture[], table: BenchTable): Pick<Summary, 'tableAccuracy' | 'others'> {
  const elsewhere = cells.map(table.others);
  return {
    tableAccuracy: meanAndDeviation(cells.map(table.accuracy)),
    others: Object.fromEntries(
      Object.keys(elsewhere[0] ?? {}).map((name) => [
        name,
        meanAndDeviation(elsewhere.map((values) => values[name] ?? Number.NaN)),
      ]),
    ),
  };
}

export function summaryTable(all: readonly Summary[], column: string): string {
  const percent = ({ mean, sd }: MeanAndDeviation) => `${(100 * mean).toFixed(2)} ± ${(100 * sd).toFixed(2)}`;
  const tau = (value: number | null) => (value === null ? '' : value.toFixed(3));
  const others = Object.keys(all[0]?.others ?? {});
  return markdown(
    ['method', 'seeds', 'seconds', `CIFAR-10 (%), ${column}`, ...others, 'tau', 'tau above 92 %', 'of parameters'],
    all.map((one) => [
      one.method,
      String(one.seeds),
      one.searchSeconds.toFixed(0),
      percent(one.tableAccuracy),
      ...others.map((name) => percent(one.others[name] ?? { mean: Number.NaN, sd: Number.NaN })),
      one.kendallInterval === null
        ? tau(one.kendall)
        : `${tau(one.kendall)} (${one.kendallInterval.map((bound) => bound.toFixed(3)).join(' to ')})`,
      tau(one.kendallAbove92),
      `${tau(one.kendallOfParams)}, ${tau(one.kendallOfParamsAbove92)}`,
    ]),
  );
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Over searches; the deviation of one is 0. */
function meanAndDeviation(values: readonly number[]): MeanAndDeviation {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return { mean: middle, sd: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) };
}
