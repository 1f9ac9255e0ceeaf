import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../common/random.ts';
import { type BoostingRequest, type Column, fitBoosting } from './boosting.ts';
import { predictTrees } from './trees.ts';

const numbers = (count: number): Column[] => Array.from({ length: count }, (_, at) => ({ kind: 'number', at }));
const tableOf = (rows: readonly (readonly number[])[]) => {
  const columns = rows[0]?.length ?? 0;
  return { rows: rows.length, columns, data: Float32Array.from(rows.flat()) };
};
const squared = { loss: 'squared-error', outputs: 1 } as const;

/** Friedman's first function (Friedman 1991) of five columns that matter and five that do not. */
function friedman(label: string, count: number) {
  const stream = rng('boosting', label);
  const rows = Array.from({ length: count }, () => Array.from({ length: 10 }, () => stream.float()));
  const targets = rows.map(
    ([a = 0, b = 0, c = 0, d = 0, e = 0]) =>
      10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e + stream.normal(),
  );
  return { table: tableOf(rows), targets };
}

function r2(targets: readonly number[], found: ArrayLike<number>): number {
  const mean = targets.reduce((sum, y) => sum + y, 0) / targets.length;
  const left = targets.reduce((sum, y, i) => sum + (y - (found[i] ?? Number.NaN)) ** 2, 0);
  return 1 - left / targets.reduce((sum, y) => sum + (y - mean) ** 2, 0);
}

/** A table of a number with missing values, and of a category of eight, one-hot, where every ninth row has none. */
function mixed(label: string, count: number) {
  const stream = rng('mixed', label);
  const rows = Array.from({ length: count }, (_, i) => {
    const category = i % 9;
    const oneHot = Array.from({ length: 8 }, (_, k) => Number(k === category));
    return [stream.float() < 0.2 ? Number.NaN : stream.float(), ...oneHot];
  });
  const columns: Column[] = [
    { kind: 'number', at: 0 },
    { kind: 'category', at: 1, categories: 8 },
  ];
  return { rows, columns };
}

suite('boosting', () => {
  const train = friedman('train', 600);
  const valid = friedman('valid', 200);
  const held = friedman('held out', 300);
  const request: BoostingRequest = { ...train, columns: numbers(10), valid, ...squared };

  test('explains most of what it has not seen', () => {
    const { trees } = fitBoosting(request);
    const found = r2(held.targets, predictTrees(trees, held.table.data, 10));
    assert.ok(found > 0.87, `R² = ${found}`);
  });

  test('the same rows give the same trees', () => {
    assert.deepEqual(fitBoosting(request), fitBoosting(request));
  });

  test('the first split is the best of all', () => {
    const { rows, columns } = { ...train.table };
    const { trees } = fitBoosting({ ...request, options: { leaves: 2, rounds: 1, learningRate: 1 } });
    const value = (row: number, at: number) => train.table.data[row * columns + at] ?? Number.NaN;
    let best = { gain: 0, at: -1, border: 0 };
    const all = train.targets.reduce((sum, y) => sum + y, 0) / rows;
    for (let at = 0; at < columns; at++) {
      const order = [...train.targets.keys()].sort((a, b) => value(a, at) - value(b, at));
      let sum = 0;
      for (let n = 1; n <= rows - 20; n++) {
        sum += (train.targets[order[n - 1] ?? 0] ?? 0) - all;
        const gain = n < 20 ? 0 : (sum * sum) / n + (sum * sum) / (rows - n);
        if (gain > best.gain) best = { gain, at, border: value(order[n - 1] ?? 0, at) };
      }
    }
    assert.equal(trees.feature[0], best.at);
    // Bins are coarser than values.
    assert.ok(Math.abs((trees.threshold[0] ?? Number.NaN) - best.border) < 0.02);
  });

  test('bins and thresholds divide rows alike: with leaves of one row, the targets come back', () => {
    const { rows, columns } = mixed('exact', 180);
    const stream = rng('targets');
    // One target for rows that no column tells apart.
    const known = new Map<string, number>();
    const targets = rows.map((row) => {
      const key = row.join();
      const target = known.get(key) ?? Math.fround(stream.normal());
      known.set(key, target);
      return target;
    });
    const options = { leaves: 180, minLeaf: 1, learningRate: 1, rounds: 400, l2: 0 };
    const { trees } = fitBoosting({ table: tableOf(rows), targets, columns, ...squared, options });
    const found = predictTrees(trees, tableOf(rows).data, 9);
    const worst = Math.max(...targets.map((y, i) => Math.abs(y - (found[i] ?? Number.NaN))));
    assert.ok(worst < 0.02, `${worst}`);
  });

  test('missing values go where their rows belong', () => {
    const stream = rng('missing');
    const rows = Array.from({ length: 300 }, () => [stream.float() < 0.3 ? Number.NaN : stream.float()]);
    const targets = rows.map(([x = 0]) => (Number.isNaN(x) || x > 0.7 ? 1 : 0));
    const options = { leaves: 3, rounds: 1, learningRate: 1 };
    const { trees } = fitBoosting({ table: tableOf(rows), targets, columns: numbers(1), ...squared, options });
    const [missing = 0, high = 0, low = 0] = predictTrees(trees, [Number.NaN, 0.9, 0.1], 1);
    assert.ok(missing > 0.9 && high > 0.9 && low < 0.1, `${missing} ${high} ${low}`);
  });

  test('a column that tells only by what is missing is split between present and missing', () => {
    const rows = Array.from({ length: 200 }, (_, i) => [i % 2 === 0 ? Number.NaN : 5]);
    const targets = rows.map(([x = 0]) => Number(Number.isNaN(x)));
    const options = { leaves: 2, rounds: 1, learningRate: 1 };
    const { trees } = fitBoosting({ table: tableOf(rows), targets, columns: numbers(1), ...squared, options });
    assert.deepEqual([...predictTrees(trees, [Number.NaN, 5, 1e30], 1)], [1, 0, 0]);
  });

  test('one split divides categories in two groups, and an unknown one goes with those that are not listed', () => {
    const stream = rng('groups');
    const high = new Set([1, 4, 5, 11]);
    const oneHot = (category: number) => Array.from({ length: 12 }, (_, k) => Number(k === category));
    const categories = Array.from({ length: 600 }, () => stream.int(12));
    const targets = categories.map((category) => Number(high.has(category)));
    const options = { leaves: 2, rounds: 1, learningRate: 1 };
    const columns: Column[] = [{ kind: 'category', at: 0, categories: 12 }];
    const { trees } = fitBoosting({ table: tableOf(categories.map(oneHot)), targets, columns, ...squared, options });
    const found = predictTrees(trees, Array.from({ length: 13 }, (_, k) => oneHot(k)).flat(), 12);
    for (let k = 0; k < 13; k++)
      assert.ok(Math.abs((found[k] ?? Number.NaN) - Number(high.has(k))) < 1e-6, `category ${k}`);
    assert.equal(new Set(trees.yes.filter((node) => node >= 0)).size, 1, 'all tests of the group lead to one child');
  });

  test('two and three classes are told apart, with logits that are near the truth', () => {
    for (const classes of [2, 3]) {
      const stream = rng('classes', classes);
      const made = (count: number) => {
        const targets = Array.from({ length: count }, () => stream.int(classes));
        const rows = targets.map((of) => [of + 0.4 * stream.normal(), stream.normal()]);
        return { table: tableOf(rows), targets };
      };
      const [own, other] = [made(600), made(300)];
      const columns = numbers(2);
      const { trees } = fitBoosting({ ...own, columns, valid: made(300), loss: 'log-loss', outputs: classes });
      const logits = predictTrees(trees, other.table.data, 2);
      let [right, loss] = [0, 0];
      for (const [i, of] of other.targets.entries()) {
        const row = [...logits.subarray(i * classes, (i + 1) * classes)];
        if (row.indexOf(Math.max(...row)) === of) right++;
        loss += Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - (row[of] ?? 0);
      }
      assert.ok(right / 300 > 0.82, `${classes} classes: ${right} of 300`);
      assert.ok(loss / 300 < 0.5, `${classes} classes: loss ${loss / 300}`);
    }
  });

  test('several numbers at once are those of each one alone', () => {
    const options = { rounds: 5 };
    const columns = numbers(10);
    const opposite = train.targets.map((y) => -2 * y);
    const both = train.targets.flatMap((y, i) => [y, opposite[i] ?? 0]);
    const { table } = train;
    const together = fitBoosting({ table, targets: both, columns, loss: 'squared-error', outputs: 2, options });
    const alone = fitBoosting({ table, targets: opposite, columns, ...squared, options });
    const found = predictTrees(together.trees, held.table.data, 10).filter((_, i) => i % 2 === 1);
    assert.deepEqual(found, predictTrees(alone.trees, held.table.data, 10));
  });

  test('it ends where validation rows gain no more, and keeps the best rounds', () => {
    const stream = rng('noise');
    const noise = (count: number) => ({
      table: tableOf(Array.from({ length: count }, () => [stream.float(), stream.float()])),
      targets: Array.from({ length: count }, () => stream.int(2)),
    });
    const columns = numbers(2);
    const patience = 5;
    let asked = 0;
    const { rounds, stopped } = fitBoosting({
      ...{ ...noise(400), valid: noise(400), columns, loss: 'log-loss', outputs: 2, options: { patience } },
      shouldStop() {
        asked++;
        return false;
      },
    });
    assert.ok(rounds < 20, `${rounds} rounds of noise`);
    assert.ok(asked < 31 * (rounds + patience + 1));
    assert.equal(stopped, false);
  });

  test('told to stop, it gives what it had by then', () => {
    let asked = 0;
    const { valid: _, ...without } = request;
    const cut = fitBoosting({ ...without, shouldStop: () => ++asked > 100 });
    assert.ok(cut.stopped && cut.rounds > 0 && cut.rounds < 10, `${cut.rounds}`);
    assert.deepEqual(cut.trees, fitBoosting({ ...without, options: { rounds: cut.rounds } }).trees);
    assert.equal(fitBoosting({ ...request, shouldStop: () => true }).rounds, 0);
  });

  test('rows that are all alike, one row and constant targets give the mean', () => {
    const same = { table: tableOf([[1], [1], [1]]), targets: [1, 2, 6] };
    assert.deepEqual([...predictTrees(fitBoosting({ ...same, columns: numbers(1), ...squared }).trees, [1], 1)], [3]);
    const one = { table: tableOf([[1]]), targets: [4] };
    assert.deepEqual([...predictTrees(fitBoosting({ ...one, columns: numbers(1), ...squared }).trees, [9], 1)], [4]);
  });
});
