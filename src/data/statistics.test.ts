import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memorySource } from './samples.ts';
import { inputQuantiles, inputStatistics } from './statistics.ts';

const tableOf = (rows: readonly (readonly number[])[]) =>
  memorySource({
    values: Float32Array.from(rows.flat()),
    elements: rows[0]?.length ?? 0,
    targets: new Float32Array(rows.length),
  });

test('quantiles rise from the smallest to the largest value of the rows that are looked at, each once, only numbers have them, and frequent values leave as many to the others', async () => {
  const many = 30_000;
  // A number, one that is mostly 0, one that is often 40, the feature of a category, one that never changes; the last row is not of the training.
  const rows = Array.from({ length: many }, (_, i) => {
    const value = ((i * 7919) % many) / many;
    return [value, value < 0.9 ? 0 : 1000 * value, i % 2 === 0 ? 40 : 80 * value, i % 2, 5];
  });
  const samples = tableOf([...rows, [99, 1e6, 1e6, 7, 8]]);
  const indices = Array.from({ length: many }, (_, i) => i);
  const statistics = await inputStatistics(samples, indices, [5]);
  const [number = [], skewed = [], midst = [], ...others] = await inputQuantiles(samples, indices, statistics);
  assert.deepEqual(others, [[], []]);
  assert.equal(number.length, 65);
  const raw = (edges: readonly number[], feature: number) =>
    edges.map((edge) => edge * (statistics.deviation[feature] ?? 0) + (statistics.mean[feature] ?? 0));
  for (const [k, edge] of raw(number, 0).entries()) assert.ok(Math.abs(edge - k / 64) < 1e-3, `${k}: ${edge}`);
  const [zero, ...rest] = raw(skewed, 1);
  assert.equal(skewed.length, 65, 'nine rows of ten are 0; the others share 63 intervals');
  assert.ok(Math.abs(zero ?? 1) < 0.01, String(zero));
  for (const [k, edge] of rest.entries()) assert.ok(Math.abs(edge - 900 - (100 * k) / 63) < 1, `${k}: ${edge}`);
  const hours = raw(midst, 2);
  assert.ok(
    hours.length === 65 && hours.some((edge) => Math.abs(edge - 40) < 1e-5),
    'half of the rows are 40, in the midst of the others',
  );
  for (const edges of [number, skewed, midst])
    assert.deepEqual(
      edges,
      [...new Set(edges)].sort((a, b) => a - b),
    );
});
