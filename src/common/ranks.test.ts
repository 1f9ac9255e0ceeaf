import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from './random.ts';
import { holm, rankSumTest, ranksOf, signedRankTest } from './ranks.ts';

const close = (found: number, expected: number, within = 1e-9) =>
  assert.ok(Math.abs(found - expected) < within, `${found} is not ${expected}`);

/** Draws with ties. */
const drawn = (count: number, ...labels: (string | number)[]) => {
  const stream = rng('ranks', ...labels);
  return Array.from({ length: count }, () => stream.int(7));
};

test('equal values share the mean of their ranks', () => {
  assert.deepEqual(ranksOf([30, 10, 20, 20]), [4, 1, 2.5, 2.5]);
  assert.deepEqual(ranksOf([5, 5, 5]), [2, 2, 2]);
  assert.deepEqual(ranksOf([]), []);
});

test('signed ranks: p is the share of all signs that are as far out', () => {
  close(signedRankTest([1, 2, 3, 4, 5]), 2 / 32);
  close(signedRankTest([-1, -2, -3]), 2 / 8);
  assert.equal(signedRankTest([0, 0]), 1);
  for (let round = 0; round < 20; round++) {
    const differences = drawn(8, 'signed', round).map((value) => value - 2);
    const nonzero = differences.filter((value) => value !== 0);
    const ranks = ranksOf(nonzero.map(Math.abs));
    const half = ranks.reduce((sum, rank) => sum + rank, 0) / 2;
    const off = (isPositive: (i: number) => boolean) =>
      Math.abs(ranks.reduce((sum, rank, i) => sum + (isPositive(i) ? rank : 0), 0) - half);
    const found = off((i) => (nonzero[i] ?? 0) > 0);
    const all = Array.from({ length: 2 ** ranks.length }, (_, bits) => off((i) => (bits >> i) % 2 === 1));
    close(signedRankTest(differences), all.filter((one) => one >= found - 1e-9).length / all.length);
  }
});

test('rank sums: p is the share of all divisions that are as far out', () => {
  close(rankSumTest([11, 12, 13, 14, 15], [1, 2, 3, 4, 5]), 2 / 252);
  assert.equal(rankSumTest([1, 1], [1, 1, 1]), 1);
  assert.equal(rankSumTest([], [1]), 1);
  for (let round = 0; round < 20; round++) {
    const values = drawn(9, 'sums', round);
    const ranks = ranksOf(values);
    const off = (bits: number) =>
      Math.abs(ranks.reduce((sum, rank, i) => sum + ((bits >> i) % 2) * rank, 0) - (4 * 10) / 2);
    const all = Array.from({ length: 2 ** 9 }, (_, bits) => bits).filter(
      (bits) => ranks.reduce((count, _, i) => count + ((bits >> i) % 2), 0) === 4,
    );
    const expected = all.filter((bits) => off(bits) >= off(0b1111) - 1e-9).length / all.length;
    close(rankSumTest(values.slice(0, 4), values.slice(4)), expected);
  }
});

test('where many values change to the approximation, it agrees with the exact p', () => {
  const stream = rng('ranks', 'many');
  const values = Array.from({ length: 60 }, () => stream.normal() + 0.25);
  const exact = signedRankTest(values);
  assert.ok(exact > 0.001 && exact < 0.2, `${exact}`);
  close(signedRankTest([...values, 1e-9]), exact, 0.01); // The smallest of 61: it moves the sum by 1.
  const [a, b] = [values.slice(0, 30), values.slice(30).map((value) => value - 0.5)];
  close(rankSumTest([...a, 0.1], b), rankSumTest(a, b), 0.02);
});

test('rank sums, one-sided: only larger values of the first count', () => {
  const low = Array.from({ length: 10 }, (_, i) => i);
  const high = low.map((value) => value + 10);
  close(rankSumTest(high, low, 'greater'), 1 / 184756); // R: wilcox.test(10:19, 0:9, alternative = 'greater')
  assert.equal(rankSumTest(low, high, 'greater'), 1);
  const many = Array.from({ length: 40 }, (_, i) => i);
  const more = many.map((value) => value + 6);
  close(rankSumTest(more, many, 'greater'), rankSumTest(more, many) / 2, 1e-6);
  close(rankSumTest(many, more, 'greater'), 1 - rankSumTest(more, many, 'greater'), 0.01);
  const two = rankSumTest([3, 5, 6, 9], [1, 2, 4, 7]);
  close(rankSumTest([3, 5, 6, 9], [1, 2, 4, 7], 'greater'), two / 2); // Without ties the distribution is symmetric.
});

test('neither test calls equal samples different more often than its level says', () => {
  let [signed, summed] = [0, 0];
  for (let round = 0; round < 400; round++) {
    const stream = rng('ranks', 'level', round);
    const [a, b] = [0, 1].map(() => Array.from({ length: 12 }, () => stream.normal())) as [number[], number[]];
    if (signedRankTest(a.map((value, i) => value - (b[i] as number))) < 0.05) signed++;
    if (rankSumTest(a, b) < 0.05) summed++;
  }
  assert.ok(signed > 4 && signed < 36, `${signed}`);
  assert.ok(summed > 4 && summed < 36, `${summed}`);
});

test('Holm: the smallest p counts as often as there are claims, and none passes a smaller one', () => {
  assert.deepEqual(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
  assert.deepEqual(holm([0.5, 0.9]), [1, 1]);
  assert.deepEqual(holm([]), []);
});
