import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../common/random.ts';
import { fitForest, type Table } from './forest.ts';

/** Friedman's first function (Friedman 1991) of five columns that matter and five that do not. */
const friedman = ([a = 0, b = 0, c = 0, d = 0, e = 0]: readonly number[]) =>
  10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e;

function sample(label: string, rows: number): { table: Table; points: number[][]; targets: number[] } {
  const stream = rng('forest', label);
  const points = Array.from({ length: rows }, () => Array.from({ length: 10 }, () => stream.float()));
  return { table: { rows, columns: 10, data: points.flat() }, points, targets: points.map(friedman) };
}

suite('forest', () => {
  const train = sample('train', 300);
  const held = sample('held out', 200);
  const forest = fitForest(train.table, train.targets, rng('trees'));

  test('explains most of what it has not seen', () => {
    const mean = held.targets.reduce((sum, y) => sum + y, 0) / held.targets.length;
    const total = held.targets.reduce((sum, y) => sum + (y - mean) ** 2, 0);
    const left = held.points.reduce((sum, x, i) => sum + ((held.targets[i] ?? 0) - forest.predict(x).mean) ** 2, 0);
    assert.ok(1 - left / total > 0.75, `R² = ${1 - left / total}`);
  });

  test('its deviation says how wrong it may be', () => {
    const within = held.points.filter((x, i) => {
      const { mean, variance } = forest.predict(x);
      return Math.abs((held.targets[i] ?? 0) - mean) < 2 * Math.sqrt(variance);
    });
    assert.ok(within.length > 0.9 * held.points.length, `${within.length} of ${held.points.length}`);
    const spread = held.points.map((x) => forest.predict(x).variance);
    assert.ok(Math.max(...spread) > 2 * Math.min(...spread));
  });

  test('the same labels grow the same trees, others others', () => {
    const again = fitForest(train.table, train.targets, rng('trees'));
    const other = fitForest(train.table, train.targets, rng('other trees'));
    const x = held.points[0] ?? [];
    assert.deepEqual(again.predict(x), forest.predict(x));
    assert.notDeepEqual(other.predict(x), forest.predict(x));
  });

  test('without bootstrap and with leaves of one row it knows its rows by heart', () => {
    const exact = fitForest(train.table, train.targets, rng('exact'), { bootstrap: false, leaf: 1, trees: 5 });
    for (const [i, x] of train.points.entries()) {
      const { mean, variance } = exact.predict(x);
      assert.ok(Math.abs(mean - (train.targets[i] ?? 0)) < 1e-6 && variance < 1e-6);
    }
  });

  test('one row, or rows that do not differ, are their mean', () => {
    const one = fitForest({ rows: 1, columns: 1, data: [3] }, [7], rng('one'));
    assert.deepEqual(one.predict([0]), { mean: 7, variance: 0 });
    const alike = { rows: 2, columns: 1, data: [3, 3] };
    const { mean, variance } = fitForest(alike, [6, 8], rng('alike'), { bootstrap: false }).predict([3]);
    assert.deepEqual([mean, variance], [7, 1]);
  });
});
