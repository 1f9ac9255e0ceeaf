import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { rankSumTest } from '../common/ranks.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { formatArchitecture } from '../space/index.ts';
import { agingEvolution } from './evolution/aging-evolution.ts';
import { createStrategy, OBJECTIVES_OF, STRATEGIES } from './index.ts';
import type { Outcome, Strategy } from './strategy.ts';
import { strategyConformance } from './testing/conformance.ts';
import {
  continuousSpace,
  NAS_BENCH_201,
  nasBench201,
  nasBench201Accuracy,
  problemOf,
  pseudoOutcome,
  RISING,
  tinySpace,
} from './testing/problems.ts';
import { ridgeSearch } from './testing/ridge.ts';

const problem = problemOf(nasBench201);

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
after(() => engine.dispose());
const tools = { engine: async () => engine };

// Strategies for genomes have theirs in evolution/neat.test.ts.
/** Where a search with the defaults takes seconds: smaller models, which keep the same rules. */
const SMALLER: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  bananas: { initial: 5, every: 5, members: 2, mutations: 20 },
};
for (const definition of Object.values(STRATEGIES))
  if (!('needsGenome' in definition))
    strategyConformance(() => createStrategy(definition.name, SMALLER[definition.name] ?? {}, tools), problem);
strategyConformance(() => agingEvolution({ population: 5, sample: 3 }), problem);
strategyConformance(() => agingEvolution({ population: 5, sample: 3 }), problemOf(continuousSpace));
strategyConformance(() => ridgeSearch(), problem);

const size = { metric: 'params', direction: 'minimize', unit: 'parameters' } as const;
const several = { ...problem, objectives: [...problem.objectives, size] } as const;
for (const [name, use] of Object.entries(OBJECTIVES_OF))
  if (use === 'front' && STRATEGIES[name as keyof typeof STRATEGIES].rungs === undefined)
    strategyConformance(() => createStrategy(name, {}, tools), several);

suite('exhaustive', () => {
  test('proposes every architecture once, then nothing', async () => {
    const strategy = createStrategy('exhaustive');
    const tiny = problemOf(tinySpace);
    const [state, all] = await strategy.ask(tiny, strategy.init(tiny), 0, 100);
    assert.equal(new Set(all.map(({ architecture }) => formatArchitecture(tinySpace, architecture))).size, 3 * 2 * 3);
    assert.equal(all.length, 18);
    assert.deepEqual((await strategy.ask(tiny, state, 18, 1))[1], []);
  });

  test('refuses a continuous space', () => {
    assert.throws(() => createStrategy('exhaustive').init(problemOf(continuousSpace)), { name: 'UserError' });
  });
});

suite('aging evolution', () => {
  const strategy = agingEvolution({ population: 4, sample: 4 });
  const outcomes = async (values: readonly (number | 'failed')[]): Promise<Outcome[]> => {
    const [, proposals] = await createStrategy('random').ask(problem, null, 0, values.length);
    return proposals.map((proposal, trial) => {
      const value = values[trial];
      if (typeof value !== 'number') return { ...pseudoOutcome(proposal, trial), state: 'failed', metrics: {} };
      return { ...pseudoOutcome(proposal, trial), metrics: { accuracy: value } };
    });
  };
  const ages = (state: { population: readonly { trial: number }[] }) => state.population.map(({ trial }) => trial);

  test('the oldest die, whatever their accuracy and whatever the order of arrival', async () => {
    const told = await outcomes([0.9, 0.1, 0.2, 0.3, 0.4, 0.5]);
    for (const order of [told, told.toReversed()])
      assert.deepEqual(ages(await strategy.tell(problem, strategy.init(problem), order)), [2, 3, 4, 5]);
  });

  test('failed, paused and pruned trials and lower fidelities never become parents', async () => {
    const rising = problemOf(nasBench201, { fidelities: RISING });
    const told = (await outcomes([0.9, 'failed', 0.8, 0.7, 0.6])).map((outcome): Outcome => {
      if (outcome.trial === 2) return { ...outcome, fidelity: 2, state: 'paused' };
      if (outcome.trial === 3) return { ...outcome, fidelity: 2, state: 'pruned' };
      return outcome.trial === 4 ? { ...outcome, fidelity: 2 } : outcome;
    });
    assert.deepEqual(ages(await strategy.tell(rising, strategy.init(rising), told)), [4]);
  });

  test('a child differs from the best of the sample in one decision; the younger of two equals is the parent', async () => {
    const told = await outcomes([0.5, 0.9, 0.9, 0.1]);
    const greedy = agingEvolution({ population: 4, sample: 200 }); // So many draws with replacement see all four.
    const state = await greedy.tell(problem, { asked: 4, population: [] }, told);
    const [, proposals] = await greedy.ask(problem, state, 4, 5);
    for (const { architecture } of proposals) {
      const parent = told[2]?.architecture ?? {};
      assert.equal(Object.keys(parent).filter((name) => parent[name] !== architecture[name]).length, 1);
    }
  });

  test('with two objectives the parent is not dominated', async () => {
    const two = problemOf(nasBench201, {
      objectives: [...problem.objectives, { metric: 'params', direction: 'minimize', unit: 'parameters' }],
    });
    const told = (await outcomes([0.9, 0.8, 0.7, 0.6])).map((outcome, i) => {
      return { ...outcome, metrics: { ...outcome.metrics, params: [10, 20, 5, 30][i] ?? 0 } };
    });
    const greedy = agingEvolution({ population: 4, sample: 200 });
    const state = await greedy.tell(two, { asked: 4, population: [] }, told);
    const [, proposals] = await greedy.ask(two, state, 4, 5);
    const parent = told[2]?.architecture ?? {}; // Trials 0 and 2 are the front; 2 is the younger.
    for (const { architecture } of proposals)
      assert.equal(Object.keys(parent).filter((name) => parent[name] !== architecture[name]).length, 1);
  });

  test('beats random search on NAS-Bench-201 (30 seeds each, 150 trials, p < 0.001)', {
    skip: NAS_BENCH_201.skip,
  }, async () => {
    const accuracy = nasBench201Accuracy();
    const bestOf = async (strategy: Strategy, seed: number): Promise<number> => {
      const seeded = { ...problem, seed };
      let [state, best] = [strategy.init(seeded), 0];
      for (let trial = 0; trial < 150; trial++) {
        const [asked, proposals] = await strategy.ask(seeded, state, trial, 1);
        const told = proposals.map((proposal): Outcome => {
          return { ...pseudoOutcome(proposal, trial), metrics: { accuracy: accuracy(proposal.architecture) } };
        });
        state = await strategy.tell(seeded, asked, told);
        best = Math.max(best, ...told.map(({ metrics }) => metrics.accuracy ?? 0));
      }
      return best;
    };
    const seeds = Array.from({ length: 30 }, (_, seed) => seed);
    const evolution = createStrategy('aging-evolution', { population: 20, sample: 5 });
    const evolved = await Promise.all(seeds.map((seed) => bestOf(evolution, seed)));
    const sampled = await Promise.all(seeds.map((seed) => bestOf(createStrategy('random'), 1000 + seed)));
    const p = rankSumTest(evolved, sampled, 'greater');
    assert.ok(p < 0.001, `p = ${p}`);
  });
});

suite('the registry', () => {
  test('lists the strategies with their defaults', () => {
    for (const [key, { name }] of Object.entries(STRATEGIES)) assert.equal(name, key);
    assert.deepEqual(STRATEGIES['aging-evolution'].defaults, { population: 25, sample: 15 });
  });

  test('refuses what it does not know, naming strategy, option and value', () => {
    const message = (name: string, options: Record<string, unknown>): string => {
      try {
        createStrategy(name, options);
      } catch (error) {
        assert.ok(error instanceof Error && error.name === 'UserError');
        return error.message;
      }
      return 'accepted';
    };
    assert.match(message('bayes', {}), /unknown strategy "bayes"; it must be one of random/);
    assert.match(message('random', { population: 3 }), /"random": unknown option "population"; there are none/);
    assert.match(message('aging-evolution', { population: 0 }), /option population is 0; .*1/);
    assert.match(message('aging-evolution', { population: '5' }), /option population is "5"/);
    assert.match(message('aging-evolution', { population: 5, sample: 6 }), /sample must be at most population/);
    assert.equal(message('aging-evolution', { population: 20, sample: 5 }), 'accepted');
  });
});
