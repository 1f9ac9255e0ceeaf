import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rank } from '../../common/pareto.ts';
import { rng } from '../../common/random.ts';
import { sample } from '../../space/index.ts';
import { sampleWithin } from '../limits.ts';
import type { Outcome, Problem } from '../strategy.ts';
import { assertBeatsRandom } from '../testing/against-random.ts';
import { strategyConformance } from '../testing/conformance.ts';
import { continuousSpace, nasBench201, problemOf, pseudoOutcome, tinySpace } from '../testing/problems.ts';
import { breed, type Member } from './breed.ts';
import { type EvolutionOptions, evolution } from './evolution.ts';
import { nsga2 } from './nsga2.ts';

const problem = problemOf(nasBench201);
const two = problemOf(nasBench201, {
  objectives: [...problem.objectives, { metric: 'params', direction: 'minimize', unit: 'parameters' }],
});
const steady: EvolutionOptions = {
  ...{ replacement: 'steady-state', population: 4, elite: 1, tournament: 5, crossover: 0.9, mutation: 0.5 },
};
const generational: EvolutionOptions = { ...steady, replacement: 'generational' };

/** One trial for each list of metrics, of as many different architectures. */
function outcomes(metrics: readonly Readonly<Record<string, number>>[]): Outcome[] {
  return metrics.map((one, trial) => {
    const architecture = sample(nasBench201, rng('outcome', trial));
    return { ...pseudoOutcome({ architecture, fidelity: 0, start: { kind: 'fresh' } }, trial), metrics: one };
  });
}
const accuracies = (values: readonly number[]) => outcomes(values.map((accuracy) => ({ accuracy })));
const trials = (members: readonly Member[]) => members.map(({ trial }) => trial);

strategyConformance(() => evolution(generational), problem);
strategyConformance(() => evolution({ ...steady, crossover: 1, mutation: 0 }), problemOf(tinySpace));
strategyConformance(() => evolution(steady), problemOf(continuousSpace));
strategyConformance(() => nsga2({ population: 5, crossover: 0.9, mutation: 0.5 }), {
  ...two,
  costs: problem.costs,
});
strategyConformance(() => nsga2({ population: 4, crossover: 1, mutation: 0 }), problemOf(continuousSpace));

suite('evolution', () => {
  test('steady state: the worst makes room, the best never dies, the younger of equals ranks first', async () => {
    const strategy = evolution(steady);
    const state = await strategy.tell(problem, strategy.init(problem), accuracies([0.9, 0.1, 0.2, 0.3, 0.4, 0.3]));
    assert.deepEqual(trials(state.population), [0, 4, 5, 3]);
  });

  test('generational: the elite and the children live, once there are enough of them', async () => {
    const strategy = evolution(generational);
    const told = accuracies([0.9, 0.8, 0.1, 0.2, 0.3, 0.4, 0.5, 0.95]);
    const first = await strategy.tell(problem, strategy.init(problem), told.slice(0, 6));
    assert.deepEqual(
      [trials(first.population), trials(first.children)],
      [
        [0, 1, 3, 2],
        [5, 4],
      ],
    );
    const second = await strategy.tell(problem, first, told.slice(6));
    assert.deepEqual([trials(second.population), trials(second.children)], [[0, 6, 5, 4], [7]]);
  });

  test('failed, paused and pruned trials have no children', async () => {
    const told = accuracies([0.9, 0.8, 0.7]).map(
      (outcome, i): Outcome => ({ ...outcome, state: (['failed', 'paused', 'pruned'] as const)[i] ?? 'failed' }),
    );
    for (const strategy of [evolution(steady), evolution(generational)]) {
      const state = await strategy.tell(problem, strategy.init(problem), told);
      assert.deepEqual([state.population, state.children], [[], []]);
    }
  });

  test('of an earlier study the best are part of the first population, in place of random ones', async () => {
    const told = accuracies([0.1, 0.9, 0.8, 0.7, 0.6, 0.2]).map(
      (outcome): Outcome => ({ ...outcome, trial: outcome.trial - 6, origin: 'earlier study' }),
    );
    const sampled = Array.from({ length: 4 }, (_, trial) => sampleWithin(problem, trial));
    for (const strategy of [evolution(steady), evolution(generational), nsga2({ ...steady })]) {
      const full = await strategy.tell(problem, strategy.init(problem), told);
      assert.deepEqual(trials(full.population), [-5, -4, -3, -2]);
      const [, children] = await strategy.ask(problem, full, 0, 4);
      for (const [i, { architecture }] of children.entries()) assert.notDeepEqual(architecture, sampled[i]);

      const half = await strategy.tell(problem, strategy.init(problem), told.slice(4));
      const [asked, first] = await strategy.ask(problem, half, 0, 4);
      assert.deepEqual(
        first.map(({ architecture }, i) => JSON.stringify(architecture) === JSON.stringify(sampled[i])),
        [true, true, false, false],
      );
      const state = await strategy.tell(problem, asked, accuracies([0.5, 0.4]));
      assert.deepEqual(trials(state.population), [-2, 0, 1, -1]);
    }
  });

  test('without mutation a child has every value from one of its parents; what is known is not bred again', () => {
    const [a, b] = accuracies([0.9, 0.8]) as [Outcome, Outcome];
    const known: string[] = [];
    for (let trial = 0; trial < 50; trial++) {
      const child = breed(problem, trial, [a, b], known, { crossover: 1, mutation: 0, tournament: 1 });
      for (const [name, value] of Object.entries(child))
        assert.ok(value === a.architecture[name] || value === b.architecture[name]);
    }
  });

  test('a tournament of the whole population finds the best', () => {
    const members = accuracies([0.9, 0.8, 0.7, 0.6]);
    for (let trial = 0; trial < 20; trial++) {
      const child = breed(problem, trial, members, [], { crossover: 0, mutation: 0, tournament: 200 });
      const changed = Object.keys(child).filter((name) => child[name] !== members[0]?.architecture[name]);
      assert.equal(changed.length, 1);
    }
  });

  test('beats random search on NAS-Bench-201, either way', async () => {
    await assertBeatsRandom(() => evolution({ ...steady, population: 20 }));
    await assertBeatsRandom(() => evolution({ ...generational, population: 10, elite: 2 }));
  });
});

suite('NSGA-II', () => {
  test('of parents and children the first fronts live; within the last one, the most isolated', async () => {
    // Accuracy up, params down. Front 1: trials 0, 2, 5. Front 2: 1, 3, 4, 6; the ends of it, 6 and 4, are isolated.
    const points: (readonly [number, number])[] = [
      [0.9, 50],
      [0.8, 50],
      [0.6, 20],
      [0.7, 48],
      [0.8, 60],
      [0.3, 5],
      [0.2, 6],
    ];
    const told = outcomes(points.map(([accuracy, params]) => ({ accuracy, params })));
    const strategy = nsga2({ population: 4, crossover: 0.9, mutation: 0.5 });
    const half = await strategy.tell(two, strategy.init(two), told.slice(0, 4));
    assert.equal(half.population.length, 4);
    const state = await strategy.tell(two, half, [...told.slice(4), ...outcomes([{ accuracy: 0, params: 99 }])]);
    assert.deepEqual(trials(state.population).slice(0, 3).sort(), [0, 2, 5]);
    assert.equal(state.population.length, 4);
    assert.deepEqual(state.population, rank(state.population, two.objectives));
  });

  test('finds more of the front of two objectives than random architectures do', async () => {
    // Accuracy counts 3x3 convolutions, params what they cost: the front is known, 7 points from none to all.
    const measure = (architecture: Outcome['architecture']) => {
      const values = Object.values(architecture);
      const convs = values.filter((value) => value === 'nor_conv_3x3').length;
      const waste = values.filter((value) => value === 'avg_pool_3x3' || value === 'nor_conv_1x1').length;
      return { accuracy: convs - waste / 2, params: convs + waste };
    };
    const covered = async (strategy: ReturnType<typeof nsga2>, seeded: Problem) => {
      const found = new Set<number>();
      let state = strategy.init(seeded);
      for (let trial = 0; trial < 300; trial++) {
        const [next, [proposal]] = await strategy.ask(seeded, state, trial, 1);
        assert.ok(proposal);
        const metrics = measure(proposal.architecture);
        if (metrics.accuracy === metrics.params) found.add(metrics.params);
        state = await strategy.tell(seeded, next, [{ ...pseudoOutcome(proposal, trial), metrics }]);
      }
      return found.size;
    };
    let [ours, random] = [0, 0];
    for (let seed = 0; seed < 4; seed++) {
      ours += await covered(nsga2({ population: 20, crossover: 0.9, mutation: 0.5 }), { ...two, seed });
      random += await covered(nsga2({ population: 1000, crossover: 0.9, mutation: 0.5 }), { ...two, seed });
    }
    assert.ok(ours >= 26 && random <= 24, `${ours} and ${random} of 28`);
  });

  test('with one objective it beats random search on NAS-Bench-201', () =>
    assertBeatsRandom(() => nsga2({ population: 10, crossover: 0.9, mutation: 0.5 })));
});
