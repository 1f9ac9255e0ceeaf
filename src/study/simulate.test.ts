import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { tableOfColumns } from '../estimate/tabular/columns.ts';
import { openNasBench201 } from '../estimate/tabular/nas-bench-201.node.ts';
import { ordinalIn } from '../estimate/tabular/ordinal.ts';
import type { Table } from '../estimate/tabular/table.ts';
import { agingEvolution } from '../strategy/evolution/aging-evolution.ts';
import { exhaustiveSearch } from '../strategy/exhaustive.ts';
import { randomSearch } from '../strategy/random.ts';
import type { Outcome, Strategy } from '../strategy/strategy.ts';
import { tinySpace } from '../strategy/testing/problems.ts';
import { type Simulation, simulate, tabularProblem } from './simulate.ts';

/** 18 architectures; number i has accuracy i / 100 and took i + 1 seconds. `size`: the table ends there. */
function tiny(size = 18): Table {
  const numbers = Array.from({ length: size }, (_, i) => i);
  const ordinal = ordinalIn(tinySpace);
  const metrics = { accuracy: numbers.map((i) => i / 100) };
  return tableOfColumns({
    name: 'tiny',
    space: tinySpace,
    fidelity: { epochs: 1, data: 1, resolution: 1, width: 1 },
    objectives: [{ metric: 'accuracy', direction: 'maximize', unit: 'share' }],
    size,
    rowOf(architecture) {
      const row = ordinal(architecture);
      return row !== undefined && row < size ? row : undefined;
    },
    datasets: { timed: { metrics, seconds: numbers.map((i) => i + 1) }, untimed: { metrics } },
    costs: { params: numbers.map((i) => 10 * i) },
  });
}

const table = tiny();

function play(changes: Partial<Simulation> = {}) {
  const { table: of = table, dataset = 'timed' } = changes;
  return simulate({
    strategy: exhaustiveSearch(),
    problem: tabularProblem(of, dataset, 1),
    table: of,
    dataset,
    budget: { evaluations: 1000 },
    ...changes,
  });
}

/** Always the architecture of that number. */
function always(number: number): Strategy {
  return {
    ...randomSearch(),
    async ask(problem, state, firstTrial, count) {
      const strategy = exhaustiveSearch();
      const [, proposals] = await strategy.ask(problem, strategy.init(problem), firstTrial, number + 1);
      const [last] = proposals.slice(-1);
      return [state, last === undefined ? [] : Array.from({ length: count }, () => last)];
    },
  };
}

suite('a simulated search', () => {
  test('charges each trial what its training took, until the strategy has no more', async () => {
    const { trials, seconds, end, best, trajectory } = await play();
    assert.deepEqual([trials.length, seconds, end], [18, (18 * 19) / 2, 'exhausted']);
    assert.deepEqual([trials[3]?.startedAt, trials[3]?.endedAt], [6, 10]);
    assert.deepEqual(trials[3]?.metrics, { accuracy: 0.03, params: 30 });
    assert.deepEqual([best?.trial, trajectory.length], [17, 18]);
  });

  test('counts what ends within its seconds, and no more', async () => {
    for (const [budget, done] of [
      [10, 4],
      [14.9, 4],
      [15, 5],
    ] as const) {
      const { trials, end } = await play({ budget: { seconds: budget } });
      assert.deepEqual([trials.length, end], [done, 'budget']);
    }
  });

  test('ends with its evaluations; then no seconds are needed', async () => {
    const { trials, end } = await play({ dataset: 'untimed', budget: { evaluations: 7 }, width: 3 });
    assert.deepEqual([trials.length, end], [7, 'budget']);
    await assert.rejects(play({ dataset: 'untimed', budget: { seconds: 7 } }), /no seconds for data set "untimed"/);
    await assert.rejects(play({ budget: {} }), { name: 'UserError' });
    await assert.rejects(play({ budget: { seconds: 0 } }), { name: 'UserError' });
  });

  test('of several at a time, the one that ends first is reported first, and a free worker asks', async () => {
    const strategy = exhaustiveSearch();
    const { trials } = await play({ strategy, width: 3 });
    assert.deepEqual(
      trials.slice(0, 5).map(({ trial, startedAt, endedAt }) => [trial, startedAt, endedAt]),
      [
        [0, 0, 1],
        [1, 0, 2],
        [2, 0, 3],
        [3, 1, 5],
        [4, 2, 7],
      ],
    );
    assert.equal(trials.length, 18);
  });

  test('an architecture that the table does not have fails, and the search continues', async () => {
    const told: Outcome[] = [];
    const exhaustive = exhaustiveSearch();
    const strategy: Strategy = {
      ...exhaustive,
      ask: (problem, state, first, count) => exhaustive.ask(problem, state as never, first, count),
      async tell(_, state, outcomes) {
        told.push(...outcomes);
        return state;
      },
    };
    const { trials, best } = await play({ table: tiny(16), strategy });
    assert.deepEqual(trials.map(({ state }) => state).slice(15), ['complete', 'failed', 'failed']);
    assert.equal(best?.trial, 15);
    assert.deepEqual([told[16]?.state, told[16]?.metrics, told[16]?.seconds], ['failed', {}, 0]);
    assert.match(told[16]?.reason ?? '', /no such architecture/);
  });

  test('an architecture is paid for each time, unless what is known is free', async () => {
    const budget = { seconds: 20 };
    const paid = await play({ strategy: always(4), budget });
    assert.deepEqual([paid.trials.length, paid.end], [4, 'budget']);
    const free = await play({ strategy: always(4), budget, cached: true });
    assert.deepEqual([free.seconds, free.end], [5, 'stalled']);
    const counted = await play({ strategy: always(4), budget: { evaluations: 3 }, cached: true });
    assert.equal(counted.end, 'stalled');
  });

  test('a strategy that finds nothing known ends, too', async () => {
    const { best, end } = await play({ table: tiny(4), strategy: always(7), budget: { seconds: 5 } });
    assert.deepEqual([best, end], [undefined, 'stalled']);
  });

  test('ends when it is enough', async () => {
    const { trials, end } = await play({ until: ({ metrics }) => (metrics.accuracy ?? 0) >= 0.05 });
    assert.deepEqual([trials.length, end], [6, 'until']);
  });

  test('the costs of the problem are those of the table, and limits are kept', async () => {
    const limited = tabularProblem(table, 'timed', 3, { limits: [{ cost: 'params', max: 40 }] });
    const { trials, best } = await play({ problem: limited });
    assert.deepEqual([trials.length, best?.metrics.params], [5, 40]);
    assert.throws(() => limited.costs({ channels: 5 }), /no such architecture/);
  });

  test('depends on nothing but its arguments', async () => {
    const nasBench201 = await openNasBench201();
    const run = (seed: number) =>
      play({
        table: nasBench201,
        dataset: 'cifar-10',
        strategy: agingEvolution({ population: 10, sample: 5 }),
        problem: tabularProblem(nasBench201, 'cifar-10', seed),
        budget: { seconds: 12_000 },
        width: 2,
      });
    assert.deepEqual(await run(1), await run(1));
    assert.notDeepEqual((await run(2)).trials, (await run(1)).trials);
  });
});
