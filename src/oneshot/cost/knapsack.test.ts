import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Rng, rng } from '../../common/random.ts';
import { type Alternative, bestWithin } from './knapsack.ts';

const uniform = (random: Rng) => random.int(1_000_000) / 1_000_000;

function byEnumeration(groups: readonly (readonly Alternative[])[], limits: readonly number[]): number | undefined {
  let best: number | undefined;
  const visit = (g: number, score: number, costs: readonly number[]): void => {
    const group = groups[g];
    if (group !== undefined) {
      for (const one of group)
        visit(
          g + 1,
          score + one.score,
          costs.map((cost, i) => cost + (one.costs[i] ?? 0)),
        );
    } else if (costs.every((cost, i) => cost <= (limits[i] ?? 0))) best = Math.max(best ?? score, score);
  };
  visit(
    0,
    0,
    limits.map(() => 0),
  );
  return best;
}

for (const count of [1, 2])
  test(`the best alternatives within ${count} limit${count === 1 ? '' : 's'}, as enumeration finds them`, () => {
    const random = rng('knapsack', count);
    let infeasible = 0;
    for (let i = 0; i < 200; i++) {
      const groups = Array.from({ length: 1 + random.int(5) }, () =>
        Array.from({ length: 1 + random.int(5) }, () => ({
          costs: Array.from({ length: count }, () => (uniform(random) - 0.2) * 1e6),
          score: Math.log(uniform(random) + 1e-6),
        })),
      );
      const limits = Array.from({ length: count }, () => (uniform(random) - 0.1) * groups.length * 5e5);
      const found = bestWithin(groups, limits);
      const wanted = byEnumeration(groups, limits);
      if (wanted === undefined) infeasible++;
      const taken = found?.map((k, g) => groups[g]?.[k]);
      const score = taken?.reduce((sum, one) => sum + (one?.score ?? Number.NaN), 0);
      assert.ok(
        score === wanted || Math.abs((score ?? Number.NaN) - (wanted ?? Number.NaN)) < 1e-9,
        `${score}, ${wanted}`,
      );
      if (taken === undefined) continue;
      for (const [l, limit] of limits.entries())
        assert.ok(taken.reduce((sum, one) => sum + (one?.costs[l] ?? Number.NaN), 0) <= limit + 1e-3);
    }
    assert.ok(infeasible > 10 && infeasible < 190, `${infeasible}`);
  });

test('forty groups of seven, as dynamic programming over whole costs finds them', () => {
  const random = rng('large knapsack');
  const groups = Array.from({ length: 40 }, () =>
    Array.from({ length: 7 }, () => ({ costs: [random.int(1000)], score: Math.log(uniform(random) + 1e-3) })),
  );
  const limit = 12_000;
  // The best score at each sum of costs.
  const best = groups.reduce<readonly number[]>(
    (scores, group) =>
      scores.map((_, sum) =>
        Math.max(
          ...group.map(({ costs: [cost = 0], score }) => (scores[sum - cost] ?? Number.NEGATIVE_INFINITY) + score),
        ),
      ),
    Array.from({ length: limit + 1 }, () => 0),
  );
  const taken = (bestWithin(groups, [limit]) ?? []).map((k, g) => groups[g]?.[k]);
  const sum = (of: (one: Alternative) => number) =>
    taken.reduce((total, one) => total + (one === undefined ? Number.NaN : of(one)), 0);
  assert.ok(sum(({ costs }) => costs[0] ?? 0) <= limit);
  assert.ok(
    Math.abs(sum(({ score }) => score) - (best[limit] ?? 0)) < 1e-9,
    `${sum(({ score }) => score)}, ${best[limit]}`,
  );
});

test('a limit of nothing takes what costs nothing', () => {
  const groups = [
    [
      { costs: [1], score: 0 },
      { costs: [0], score: -5 },
    ],
  ];
  assert.deepEqual(bestWithin(groups, [0]), [1]);
  assert.equal(bestWithin([[{ costs: [1], score: 0 }]], [0]), undefined);
  assert.deepEqual(bestWithin([], [0]), []);
});
