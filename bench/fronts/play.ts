/** Searches of NAS-Bench-201 with measured latencies, looked up in the table, and what their fronts come to. */
import { hypervolume } from '../../src/common/hypervolume.ts';
import type { Metrics, Objective } from '../../src/common/metrics.ts';
import { type Measured, paretoFront } from '../../src/common/pareto.ts';
import { readTable } from '../../src/data/readers/table.node.ts';
import { LATENCY, latencies, withTableMetric } from '../../src/estimate/tabular/added-metric.ts';
import { openNasBench201 } from '../../src/estimate/tabular/nas-bench-201.node.ts';
import type { Table } from '../../src/estimate/tabular/table.ts';
import { openNasBench201Test } from '../../src/report/tabular/nas-bench-201-test.node.ts';
import { type Architecture, first, successor } from '../../src/space/index.ts';
import { architectureKey } from '../../src/space/tree/architecture.ts';
import { createStrategy, type ModelTools } from '../../src/strategy/index.ts';
import { simulate, tabularProblem } from '../../src/study/simulate.ts';

const DATASET = 'cifar-10';
const ACCURACY: Objective = { metric: 'accuracy', direction: 'maximize', unit: 'share' };
const OBJECTIVES = [ACCURACY, LATENCY] as const;
/** Of 12-epoch validation accuracy; of latency it is the largest of the device. */
const LEAST_ACCURACY = 0.75;

/** What one search came to. */
export interface FrontEnd {
  /** Of the hypervolume of the exact front. */
  readonly share: number;
  /** The same in (200-epoch test accuracy, latency): the found front's, of that of the exact front found on validation. */
  readonly testShare: number;
  /** The best test accuracy on the front, percent, and how many members it has. */
  readonly bestTest: number;
  readonly members: number;
  /** The numbers of its members, to judge them on another device. */
  readonly cells: readonly number[];
  readonly cpuSeconds: number;
}

export interface Device {
  readonly name: string;
  /** Cells that were measured and are connected. */
  readonly cells: number;
  readonly reference: Metrics;
  /** The numbers of the members of the exact front. */
  readonly front: readonly number[];
  /** Accuracy and latency by the number of a cell, for peers; null: left out. */
  readonly values: readonly (readonly [accuracy: number, latency: number] | null)[];
  play(
    strategy: string,
    options: Readonly<Record<string, unknown>>,
    seed: number,
    most: number,
    stated: boolean,
  ): Promise<FrontEnd>;
  /** What these cells, by their numbers, come to. */
  judge(cells: readonly number[], cpuSeconds: number): FrontEnd;
}

interface Cell extends Measured {
  readonly number: number;
  readonly architecture: Architecture;
}

/** The table of one device. Throws UserError for a column that the file does not have. */
export async function openDevice(file: string, name: string, tools: ModelTools): Promise<Device> {
  const plain = await openNasBench201();
  const cells = await readTable(file);
  const columns = { architecture: 'arch', latency: `${name}_ms` };
  const table = withTableMetric(plain, latencies(file, cells, plain.space, columns));
  const all = enumerate(table);
  const found = all.filter((one) => one !== undefined);
  const reference = {
    accuracy: LEAST_ACCURACY,
    latency: found.reduce((most, { metrics }) => Math.max(most, metrics.latency ?? 0), 0),
  };
  const best = { accuracy: 1, latency: 0 };
  const volume = (some: readonly Measured[]) => hypervolume(some, OBJECTIVES, reference, best);
  const exact = paretoFront(
    found.filter(({ metrics }) => (metrics.accuracy ?? 0) > LEAST_ACCURACY),
    OBJECTIVES,
  );
  const testOf = await openNasBench201Test(plain.space);
  const tested = (some: readonly Cell[]): Measured[] =>
    some.map(({ architecture, metrics }) => {
      return { metrics: { ...metrics, accuracy: testOf(architecture, DATASET) ?? Number.NaN } };
    });
  const [whole, wholeTested] = [volume(exact), volume(tested(exact))];

  const byKey = new Map(found.map((cell) => [architectureKey(cell.architecture), cell]));
  const judged = (some: readonly Cell[], cpuSeconds: number): FrontEnd => {
    const front = paretoFront(
      some.filter(({ metrics }) => (metrics.accuracy ?? 0) > LEAST_ACCURACY),
      OBJECTIVES,
    );
    const tests = tested(front);
    return {
      share: volume(front) / whole,
      testShare: volume(tests) / wholeTested,
      bestTest: 100 * tests.reduce((most, { metrics }) => Math.max(most, metrics.accuracy ?? 0), 0),
      members: front.length,
      cells: front.map(({ number }) => number),
      cpuSeconds,
    };
  };

  return {
    ...{ name, cells: found.length, reference, front: exact.map(({ number }) => number) },
    values: all.map((one) => (one ? [one.metrics.accuracy ?? 0, one.metrics.latency ?? 0] : null)),
    async play(strategy, options, seed, most, stated) {
      const problem = tabularProblem(table, DATASET, seed, { objectives: OBJECTIVES });
      const start = process.cpuUsage();
      const { trials } = await simulate({
        strategy: createStrategy(strategy, options, tools),
        problem: stated ? { ...problem, reference } : problem,
        ...{ table, dataset: DATASET, budget: { evaluations: most } },
      });
      const { user, system } = process.cpuUsage(start);
      const cells = trials.flatMap(({ architecture }) => byKey.get(architectureKey(architecture)) ?? []);
      return judged(cells, (user + system) / 1e6);
    },
    judge: (numbers, cpuSeconds) =>
      judged(
        numbers.flatMap((number) => all[number] ?? []),
        cpuSeconds,
      ),
  };
}

/** All cells in the order of their numbers. */
function enumerate(table: Table): (Cell | undefined)[] {
  const cells: (Cell | undefined)[] = [];
  for (let one: ReturnType<typeof successor> = first(table.space); one; one = successor(table.space, one)) {
    const row = table.lookup(one, DATASET);
    cells.push(row && { number: cells.length, architecture: one, metrics: row.metrics });
  }
  return cells;
}
