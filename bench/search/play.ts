/** One search of NAS-Bench-201, looked up in the table, and what it came to. */
import { openNasBench201 } from '../../src/estimate/tabular/nas-bench-201.node.ts';
import type { Table } from '../../src/estimate/tabular/table.ts';
import { openNasBench201Test } from '../../src/report/tabular/nas-bench-201-test.node.ts';
import { first, successor } from '../../src/space/index.ts';
import { createStrategy, type ModelTools } from '../../src/strategy/index.ts';
import { type SimulatedTrial, simulate, tabularProblem } from '../../src/study/simulate.ts';

/** Simulated seconds of CIFAR-10 training. */
export const BUDGET_SECONDS = 12_000;
/** What that affords on CIFAR-10 on average; the other data sets have no seconds. */
export const BUDGET_EVALUATIONS = 109;
/** One of so many best by the searched metric is to be found: 0.1 % of the table. */
const TOP = 16;

export interface SearchOrder {
  readonly strategy: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly dataset: string;
  readonly seed: number;
  /** Evaluations after which it is given up to find one of the best; 0: the search ends with its budget. */
  readonly most: number;
}

/** Accuracies are shares. */
export interface SearchEnd {
  /** On test samples, of the architecture with the best searched metric within the budget. */
  readonly test: number;
  /** Its searched metric, and how far that is below the best of the table. */
  readonly valid: number;
  readonly regret: number;
  /** Within the budget. */
  readonly evaluations: number;
  /** Number of the first evaluation of one of the best; null: not found among `most`. */
  readonly toTop: number | null;
  /** Of real time, for the whole of it. */
  readonly milliseconds: number;
}

export type Play = (order: SearchOrder) => Promise<SearchEnd>;

export async function openPlay(tools: ModelTools): Promise<Play> {
  const table = await openNasBench201();
  const testOf = await openNasBench201Test(table.space);
  const best = new Map(table.datasets.map((dataset) => [dataset, bestValues(table, dataset)]));
  return async ({ strategy: name, options, dataset, seed, most }) => {
    const start = performance.now();
    const values = best.get(dataset) ?? [];
    const [optimum = Number.NaN, top = Number.NaN] = [values[0], values[TOP - 1]];
    const isWithin = ({ endedAt }: SimulatedTrial, evaluations: number) =>
      dataset === 'cifar-10' ? endedAt <= BUDGET_SECONDS : evaluations <= BUDGET_EVALUATIONS;
    let [found, evaluations, within] = [null as number | null, 0, 0];
    let chosen: SimulatedTrial | undefined;
    await simulate({
      strategy: createStrategy(name, options, tools),
      problem: tabularProblem(table, dataset, seed),
      table,
      dataset,
      // A search does not know its budget: the first part of a longer one is the shorter one.
      budget: { evaluations: Math.max(most, 4 * BUDGET_EVALUATIONS) },
      until(trial) {
        evaluations++;
        const inBudget = isWithin(trial, evaluations);
        if (!inBudget && (found !== null || evaluations > most)) return true;
        const value = trial.metrics.accuracy ?? Number.NEGATIVE_INFINITY;
        if (found === null && value >= top) found = evaluations;
        if (!inBudget) return found !== null;
        within++;
        if (value > (chosen?.metrics.accuracy ?? Number.NEGATIVE_INFINITY)) chosen = trial;
        return false;
      },
    });
    const test = chosen && testOf(chosen.architecture, dataset);
    if (chosen === undefined || test === undefined) throw new Error(`${name}, seed ${seed}: no trial was completed`);
    const valid = chosen.metrics.accuracy ?? Number.NaN;
    return {
      ...{ test, valid, regret: optimum - valid, evaluations: within },
      toTop: found !== null && found <= most ? found : null,
      milliseconds: performance.now() - start,
    };
  };
}

/** The values of the searched metric, best first. */
function bestValues(table: Table, dataset: string): number[] {
  const values: number[] = [];
  for (let one = first(table.space); one !== undefined; one = successor(table.space, one) as typeof one)
    values.push(table.lookup(one, dataset)?.metrics.accuracy ?? Number.NaN);
  return values.sort((a, b) => b - a);
}
