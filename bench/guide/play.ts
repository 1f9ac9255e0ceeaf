/** Searches of NAS-Bench-201, and what each has found by then at several budgets. */
import { openNasBench201 } from '../../src/estimate/tabular/nas-bench-201.node.ts';
import type { Table } from '../../src/estimate/tabular/table.ts';
import { openNasBench201Test } from '../../src/report/tabular/nas-bench-201-test.node.ts';
import type { TestAccuracy } from '../../src/report/tabular/nas-bench-201-test.ts';
import { first, successor } from '../../src/space/index.ts';
import { createStrategy, type ModelTools } from '../../src/strategy/index.ts';
import { type SimulatedTrial, simulate, tabularProblem } from '../../src/study/simulate.ts';

/** Evaluations. A search does not know its budget, so one that goes to a larger one passes through the smaller ones. */
export const BUDGETS: readonly number[] = [10, 30, 100, 300];

/** The best of a search after a number of evaluations, by the searched metric. */
export interface Find {
  readonly strategy: string;
  readonly dataset: string;
  readonly seed: number;
  readonly evaluations: number;
  /** A share: after 200 epochs, on test samples. */
  readonly test: number;
  /** The share of all architectures that are at least as good, itself among them: by the searched metric, and by test accuracy. */
  readonly top: number;
  readonly topTest: number;
}

export interface Order {
  readonly strategy: string;
  readonly dataset: string;
  readonly seed: number;
  /** The largest budget. */
  readonly most: number;
}

/** What there is without a search: the network with the most parameters, test accuracy as a share. */
export interface Largest {
  readonly dataset: string;
  readonly test: number;
  /** As of a `Find`. */
  readonly topTest: number;
}

export interface Searches {
  readonly search: (order: Order) => Promise<readonly Find[]>;
  readonly largest: (dataset: string) => Largest;
}

export async function openSearches(tools: ModelTools): Promise<Searches> {
  const table = await openNasBench201();
  const testOf = await openNasBench201Test(table.space);
  const columns = new Map(table.datasets.map((dataset) => [dataset, columnsOf(table, testOf, dataset)]));
  const columnsFor = (dataset: string) => {
    const found = columns.get(dataset);
    if (found === undefined) throw new Error(`the table has no data set ${dataset}`);
    return found;
  };
  const largest = (dataset: string): Largest => {
    const { test, largest: value } = columnsFor(dataset);
    return { dataset, test: value, topTest: topShare(test, value) };
  };
  const search = async ({ strategy: name, dataset, seed, most }: Order): Promise<readonly Find[]> => {
    const { valid, test } = columnsFor(dataset);
    const { trials } = await simulate({
      strategy: createStrategy(name, {}, tools),
      problem: tabularProblem(table, dataset, seed),
      table,
      dataset,
      budget: { evaluations: most },
    });
    return BUDGETS.filter((budget) => budget <= most).map((evaluations): Find => {
      const best = bestOf(trials.slice(0, evaluations));
      if (best === undefined) throw new Error(`${name}, seed ${seed}: no trial was completed`);
      const found = testOf(best.architecture, dataset) ?? Number.NaN;
      const about = { strategy: name, dataset, seed, evaluations, test: found };
      return { ...about, top: topShare(valid, accuracyOf(best)), topTest: topShare(test, found) };
    });
  };
  return { search, largest };
}

const accuracyOf = ({ metrics }: Pick<SimulatedTrial, 'metrics'>) => metrics.accuracy ?? Number.NEGATIVE_INFINITY;

const bestOf = (trials: readonly SimulatedTrial[]) =>
  trials.reduce<SimulatedTrial | undefined>(
    (best, trial) => (best === undefined || accuracyOf(trial) > accuracyOf(best) ? trial : best),
    undefined,
  );

/** All values of a table, the best first: those that a search sees, and those of the test samples; of these, that of the largest network. */
function columnsOf(table: Table, testOf: TestAccuracy, dataset: string) {
  const [valid, test]: [number[], number[]] = [[], []];
  let [most, largest] = [0, Number.NaN];
  for (let one = first(table.space); one !== undefined; one = successor(table.space, one) as typeof one) {
    const row = table.lookup(one, dataset);
    const tested = testOf(one, dataset) ?? Number.NaN;
    valid.push(row?.metrics.accuracy ?? Number.NaN);
    test.push(tested);
    const { params = 0 } = row?.costs ?? {};
    if (params > most) [most, largest] = [params, tested];
  }
  return { valid: valid.sort((a, b) => b - a), test: test.sort((a, b) => b - a), largest };
}

/** The share of `sorted`, largest first, that is at least `value`. */
export function topShare(sorted: readonly number[], value: number): number {
  const below = sorted.findIndex((one) => one < value);
  return (below < 0 ? sorted.length : below) / sorted.length;
}
