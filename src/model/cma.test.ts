import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { pointOf, pointsFor, startAt, updated } from './cma.ts';

/** The best value after a number of evaluations, minimizing. */
function minimize(f: (x: readonly number[]) => number, from: readonly number[], evaluations: number): number {
  const points = pointsFor(from.length);
  let [distribution, best, done] = [startAt(from, 0.5), Number.POSITIVE_INFINITY, 0];
  while (done < evaluations) {
    const drawn = Array.from({ length: points }, (_, i) => pointOf(distribution, rng('cma', done + i)));
    const ranked = drawn.map((x) => ({ x, value: f(x) })).sort((a, b) => a.value - b.value);
    best = Math.min(best, ranked[0]?.value ?? best);
    distribution = updated(
      distribution,
      ranked.map(({ x }) => x),
    );
    done += points;
  }
  return best;
}

const sphere = (x: readonly number[]) => x.reduce((sum, v) => sum + v * v, 0);
/** Axes of a thousand different lengths. */
const ellipsoid = (x: readonly number[]) => x.reduce((sum, v, i) => sum + 1e6 ** (i / (x.length - 1)) * v * v, 0);
const rosenbrock = (x: readonly number[]) =>
  x.slice(1).reduce((sum, v, i) => sum + 100 * (v - (x[i] ?? 0) ** 2) ** 2 + (1 - (x[i] ?? 0)) ** 2, 0);

test('finds the minimum of the sphere, a badly scaled ellipsoid and the valley of Rosenbrock', () => {
  const ones = Array.from({ length: 8 }, () => 1);
  assert.ok(minimize(sphere, ones, 1500) < 1e-9);
  assert.ok(minimize(ellipsoid, ones, 6000) < 1e-9);
  assert.ok(
    minimize(
      rosenbrock,
      ones.map(() => 0),
      8000,
    ) < 1e-9,
  );
});

test('an update is plain data, and the covariance stays symmetric', () => {
  const start = startAt([1, 2, 3], 0.3);
  const points = Array.from({ length: 7 }, (_, i) => pointOf(start, rng(i)));
  const next = updated(start, points);
  assert.deepEqual(JSON.parse(JSON.stringify(next)), next);
  for (const [i, row] of next.covariance.entries())
    for (const [j, value] of row.entries()) assert.ok(Math.abs(value - (next.covariance[j]?.[i] ?? 0)) < 1e-12);
});
