import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureLatency, showLatency } from './measure.ts';

/** A device whose rounds take these times, one after another. */
function device(rounds: readonly number[], peakBytes?: number) {
  let asked = 0;
  return {
    get asked() {
      return asked;
    },
    async time() {
      const ms = rounds[asked++] ?? Number.NaN;
      const milliseconds = Array.from({ length: 20 }, (_, i) => ms * (1 + 0.001 * (i % 3)));
      return { milliseconds, ...(peakBytes !== undefined && { peakBytes: peakBytes + asked }) };
    },
  };
}

const model = new Uint8Array();

test('rounds are made until the two fastest agree, and these alone count', async () => {
  const quiet = device([2, 2.02]);
  const { ms, runs } = await measureLatency(quiet, model);
  assert.equal(quiet.asked, 2);
  assert.ok(Math.abs(ms - 2.01) < 0.01, `${ms}`);
  assert.equal(runs, 40);
  const busy = device([5, 2, 4, 2.04]);
  const measured = await measureLatency(busy, model);
  assert.equal(busy.asked, 4);
  assert.ok(Math.abs(measured.ms - 2.02) < 0.01, `${measured.ms}`);
  assert.ok(measured.interval[1] < 2.1);
});

test('where no two agree, the interval says so', async () => {
  const never = device([8, 7, 6, 5, 4, 3, 2, 1]);
  const { ms, interval } = await measureLatency(never, model);
  assert.equal(never.asked, 8);
  assert.ok(interval[0] <= 1 && interval[1] >= 2 && ms > 1, `${ms} ${interval}`);
});

test('one round is enough where it is all that is asked for; the peak is the largest', async () => {
  const one = device([3, 3], 100);
  const measured = await measureLatency(one, model, { rounds: { least: 1, most: 1 } });
  assert.equal(one.asked, 1);
  assert.equal(measured.peakBytes, 101);
  assert.match(showLatency(measured), /^3\.00 ms \(3\.00 to 3\.00\)$/);
  assert.equal((await measureLatency(device([1, 1], 5), model)).peakBytes, 7);
});
