import assert from 'node:assert/strict';
import { test } from 'node:test';
import { largest, smallest } from './extremes.ts';

test('extremes are those of Math.max and Math.min, of any number of values', () => {
  for (const values of [[], [3], [2, -1, 5], [1, Number.NaN], [-0, 0], [Number.NEGATIVE_INFINITY]]) {
    assert.equal(largest(values), Math.max(...values));
    assert.equal(smallest(values), Math.min(...values));
  }
  const many = Float64Array.from({ length: 1_000_000 }, (_, i) => (i * 7919) % 1_000_003);
  assert.ok(largest(many) > 1_000_000);
  assert.equal(smallest(many), 0);
});
