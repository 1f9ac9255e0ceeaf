import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { latencyOf } from './latency.ts';

test('the median is that of the runs without the slowest tenth', () => {
  const runs = [5, 1, 2, 3, 4, 6, 7, 8, 9, 1000];
  assert.deepEqual(latencyOf(runs), { ms: 5, interval: [2, 8], runs: 10 });
  assert.deepEqual(latencyOf([7]), { ms: 7, interval: [7, 7], runs: 1 });
  assert.throws(() => latencyOf([]), RangeError);
});

test('few runs have the interval of all of them; the order statistics are those of the binomial distribution', () => {
  assert.deepEqual(latencyOf([3, 1, 2]).interval, [1, 3]);
  // Of 9 kept: 1 on either side leaves 96.1 %; of 10, 97.9 %.
  assert.deepEqual(latencyOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).interval, [2, 8]);
  const spread = latencyOf(Array.from({ length: 2000 }, (_, i) => i)).interval;
  assert.ok(spread[0] < 900 && spread[1] > 900, `${spread}`);
});

test('of 200 measurements of one device, about 95 % of the intervals hold its median', () => {
  const random = rng('latency');
  const truth = 2 + 0.45;
  let held = 0;
  for (let i = 0; i < 200; i++) {
    const { interval } = latencyOf(Array.from({ length: 40 }, () => 2 + random.float()));
    if (interval[0] <= truth && truth <= interval[1]) held++;
  }
  assert.ok(held >= 185, `${held} of 200`);
});

test('a device that becomes slower has a wide interval', () => {
  const random = rng('drift');
  const drifting = Array.from({ length: 500 }, (_, i) => 1 + i / 500 + 0.01 * random.float());
  const steady = Array.from({ length: 500 }, () => 1.5 + 0.01 * random.float());
  const width = (runs: readonly number[]) => {
    const { ms, interval } = latencyOf(runs);
    return (interval[1] - interval[0]) / ms;
  };
  assert.ok(width(steady) < 0.01, `${width(steady)}`);
  assert.ok(width(drifting) > 0.3, `${width(drifting)}`);
});
