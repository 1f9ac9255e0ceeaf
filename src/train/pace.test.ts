import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EpochRecord } from './checkpoint.ts';
import { paceOf } from './pace.ts';

const STEPS = 10;

/** Trains with epochs that take these seconds until the pace says that it is over. */
function trained(seconds: number, secondsOf: (epoch: number) => number, mostEpochs = 1000) {
  const history: EpochRecord[] = [];
  let clock = 0;
  const pace = paceOf({ seconds, mostEpochs }, history, 0, () => clock);
  const shares: number[] = [];
  while (history.length < pace.epochs()) {
    const before = clock;
    for (let step = 0; step < STEPS && (step === 0 || !pace.isOver()); step++) {
      shares.push(pace.share(step / STEPS));
      clock += (1000 * secondsOf(history.length)) / STEPS;
    }
    const progress = pace.share(1);
    history.push({ epoch: history.length + 1, loss: 1, valid: {}, seconds: (clock - before) / 1000, progress });
  }
  return { history, shares, used: clock / 1000 };
}

test('a training keeps its time, however fast it is, and its schedule ends with it', () => {
  for (const speed of [0.3, 1, 7, 20, 200]) {
    const { history, used } = trained(60, (epoch) => speed * (epoch % 2 === 0 ? 1 : 1.1));
    assert.ok(used <= 60 + speed / STEPS, `${used} s of 60`);
    assert.ok(used > 59 - 1.5 * speed, `${used} s of 60`);
    assert.ok((history.at(-1)?.progress ?? 0) > 0.9, `${speed}: ${history.at(-1)?.progress}`);
  }
});

test('the schedule never goes back, and never jumps by more than a few steps', () => {
  const { shares } = trained(60, (epoch) => (epoch < 10 ? 1 : 2));
  for (const [i, share] of shares.entries()) {
    const step = share - (shares[i - 1] ?? 0);
    assert.ok(step >= 0 && step < 0.02, `${step} at ${i}`);
  }
});

test('an epoch that there is no time for is cut short', () => {
  const { history, used } = trained(10, () => 40);
  assert.deepEqual([history.length, used], [1, 12]);
  const later = trained(10, (epoch) => (epoch === 0 ? 4 : 40));
  assert.equal(later.history.length, 2);
  assert.ok(later.used < 15);
});

test('it trains no more epochs than are of use', () => {
  const { history } = trained(1000, () => 1, 7);
  assert.equal(history.length, 7);
  assert.ok(Math.abs((history.at(-1)?.progress ?? 0) - 1) < 1e-9);
});

test('an attempt that continues has the time that earlier ones left', () => {
  const epoch = { loss: 1, valid: {}, seconds: 11, spent: { compile: 10, train: 1, valid: 0, idle: 0 }, progress: 0.1 };
  const history: EpochRecord[] = [{ epoch: 1, ...epoch }];
  let clock = 0;
  const pace = paceOf({ seconds: 32, mostEpochs: 100 }, history, 0, () => clock);
  // The time to compile is not taken for that of an epoch.
  assert.equal(pace.epochs(), 1 + 20);
  clock = 20_700;
  assert.ok(pace.isOver());
});
