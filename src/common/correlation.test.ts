import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrapInterval, kendall, spearman } from './correlation.ts';
import { rng } from './random.ts';

const near = (found: number, wanted: number) =>
  assert.ok(Math.abs(found - wanted) < 1e-12, `${found} is not ${wanted}`);

test('correlations of orders that are equal, opposite and worked out by hand', () => {
  for (const correlation of [spearman, kendall]) {
    near(correlation([1, 2, 3, 4], [10, 20, 30, 1e6]), 1);
    near(correlation([1, 2, 3, 4], [4, 3, 2, 1]), -1);
    assert.ok(Number.isNaN(correlation([1, 1, 1], [1, 2, 3])));
  }
  // Ranks 1 2 3 4 5 and 2 1 4 3 5: 1 - 6 * 4 / (5 * 24); 8 pairs agree, 2 do not.
  near(spearman([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]), 0.8);
  near(kendall([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]), 0.6);
  // With ties: ranks 1.5 1.5 3 4 against 1 2 3 4; of 5 and 6 untied pairs 5 agree.
  near(spearman([1, 1, 2, 3], [1, 2, 3, 4]), 4.5 / Math.sqrt(4.5 * 5));
  near(kendall([1, 1, 2, 3], [1, 2, 3, 4]), 5 / Math.sqrt(30));
});

test('the bootstrap interval is the same each time, lies around the correlation and shrinks with the sample', () => {
  const random = rng('correlation test');
  const of = (count: number) => {
    const a = Array.from({ length: count }, () => random.normal());
    const b = a.map((value) => value + random.normal());
    const [low, high] = bootstrapInterval(spearman, a, b, 300);
    assert.deepEqual(bootstrapInterval(spearman, a, b, 300), [low, high]);
    assert.ok(low < spearman(a, b) && spearman(a, b) < high);
    return high - low;
  };
  assert.ok(of(400) < of(40));
});
