import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../common/random.ts';
import { signedRankTest } from '../common/ranks.ts';
import { openNasBench201 } from '../estimate/tabular/nas-bench-201.node.ts';
import { sample } from '../space/index.ts';
import { createStrategy, STRATEGIES, type Strategy } from '../strategy/index.ts';
import { nasBench201, problemOf, pseudoOutcome, RISING } from '../strategy/testing/problems.ts';
import { beginning } from './earlier.ts';
import { simulate, tabularProblem } from './simulate.ts';
import type { EarlierTrial } from './store/store.ts';

const SEEDS = 40;

/** They get earlier trials as the others do, but this test has no engine. */
const NEED_AN_ENGINE: readonly string[] = ['controller', 'bananas'];

suite('trials of an earlier study', () => {
  for (const [name, options] of [
    ['tpe', {}],
    ['aging-evolution', {}],
    ['evolution', {}],
    ['nsga2', {}],
    ['gaussian-process', { candidates: 50 }],
  ] as const) {
    test(`let ${name} begin better`, async () => {
      const table = await openNasBench201();
      const [dataset, budget] = ['cifar-10', { evaluations: 10 }];
      const bestOf = async (strategy: Strategy, seed: number) => {
        const problem = tabularProblem(table, dataset, seed);
        return (await simulate({ strategy, problem, table, dataset, budget })).best?.metrics.accuracy ?? 0;
      };
      const differences: number[] = [];
      for (let seed = 0; seed < SEEDS; seed++) {
        const problem = tabularProblem(table, dataset, 1000 + seed);
        const { trials } = await simulate({
          ...{ strategy: createStrategy('random'), problem, table, dataset },
          budget: { evaluations: 60 },
        });
        const earlier = trials.map(({ trial, architecture, metrics, endedAt, startedAt }): EarlierTrial => {
          const { accuracy = 0, ...costs } = metrics;
          return { study: 'random', trial, architecture, metrics: { accuracy }, costs, seconds: endedAt - startedAt };
        });
        const strategy = createStrategy(name, options);
        const state = await beginning(strategy, tabularProblem(table, dataset, seed), earlier);
        const warm = await bestOf({ ...strategy, init: () => state }, seed);
        differences.push(warm - (await bestOf(strategy, seed)));
      }
      const better = differences.filter((difference) => difference > 0).length;
      assert.ok(better > SEEDS / 2, `${better} of ${SEEDS}`);
      assert.ok(signedRankTest(differences) < 0.001);
    });
  }

  test('are never continued, whatever the strategy', async () => {
    const problem = problemOf(nasBench201, { fidelities: RISING });
    const stream = rng('earlier');
    const earlier = Array.from({ length: 30 }, (_, trial): EarlierTrial => {
      const costs = { params: 1, flops: 1 };
      const metrics = { accuracy: stream.float() };
      return { study: 'a', trial, architecture: sample(nasBench201, stream), metrics, costs, seconds: 1 };
    });
    const onTrees = Object.values(STRATEGIES).filter((one) => !('needsGenome' in one));
    const names = onTrees.map(({ name }) => name).filter((name) => !NEED_AN_ENGINE.includes(name));
    for (const name of names) {
      const strategy = createStrategy(name);
      let state = await beginning(strategy, problem, earlier);
      for (let trial = 0; trial < 20; ) {
        const [asked, proposals] = await strategy.ask(problem, state, trial, 4);
        state = asked;
        assert.ok(proposals.length > 0, name);
        for (const proposal of proposals) {
          const { start } = proposal;
          assert.ok(start.kind === 'fresh' || (start.trial >= 0 && start.trial < trial), name);
          state = await strategy.tell(problem, state, [pseudoOutcome(proposal, trial++)]);
        }
      }
    }
  });

  test('are older than any of the study and of the full fidelity; without any, the state is that of `init`', async () => {
    const table = await openNasBench201();
    const problem = tabularProblem(table, 'cifar-10', 0);
    const told: unknown[] = [];
    const strategy: Strategy = {
      ...createStrategy('random'),
      async tell(_, state, outcomes) {
        told.push(...outcomes);
        return state;
      },
    };
    assert.deepEqual(await beginning(strategy, problem, []), strategy.init(problem));
    const one = { study: 'a', architecture: {}, metrics: { accuracy: 0.5 }, costs: { params: 7 }, seconds: 3 };
    await beginning(
      strategy,
      problem,
      [4, 9].map((trial) => ({ ...one, trial })),
    );
    const expected = { architecture: {}, fidelity: 0, state: 'complete', origin: 'earlier study', seconds: 3 };
    const metrics = { accuracy: 0.5, params: 7 };
    assert.deepEqual(
      told,
      [-2, -1].map((trial) => ({ ...expected, metrics, trial })),
    );
  });
});
