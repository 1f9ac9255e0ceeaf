import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EpochRecord } from './checkpoint.ts';
import { paceOf } from './pace.ts';

/** Trains with epochs that take these seconds until the pace says that it is over. */
function trained(seconds: number, secondsOf: (epoch: number) => number, mostEpochs = 1000) {
  const history: EpochRecord[] = [];
  let clock = 0;
  const pace = paceOf({ seconds, mostEpochs }, history, () => clock);
  const starts: number[] = [];
  while (history.length < pace.epochs()) {
    starts.push(pace.share(0));
    clock += secondsOf(history.length);
    const progress = pace.share(1);
    history.push({ epoch: history.length + 1, loss: 1, valid: {}, seconds: secondsOf(history.length), progress });
  }
  return { history, starts, used: history.reduce((sum, record) => sum + record.seconds, 0) };
}

test('a training keeps its time, however fast it is', () => {
  for (const speed of [0.3, 1, 7, 20]) {
    const { history, used } = trained(60, (epoch) => speed * (epoch % 2 === 0 ? 1 : 1.1));
    assert.ok(used <= 60, `${used} s of 60`);
    assert.ok(used > 59 - 2.5 * speed, `${used} s of 60`);
    assert.ok((history.at(-1)?.progress ?? 0) > 0.7);
  }
});

test('the schedule never jumps and never goes back', () => {
  const { history, starts } = trained(60, (epoch) => (epoch < 10 ? 1 : 2));
  for (const [i, start] of starts.entries()) assert.equal(start, history[i - 1]?.progress ?? 0);
  assert.ok(history.every(({ progress = 0 }, i) => progress > (history[i - 1]?.progress ?? 0)));
  assert.ok(Math.abs((history.at(-1)?.progress ?? 0) - 1) < 0.05);
});

test('it trains at least one epoch, and no more than are of use', () => {
  assert.equal(trained(1, () => 10).history.length, 1);
  const few = trained(1000, () => 1, 7);
  assert.equal(few.history.length, 7);
  assert.equal(few.history.at(-1)?.progress, 1);
});

test('the time to compile is not taken for that of an epoch', () => {
  const history: EpochRecord[] = [
    { epoch: 1, loss: 1, valid: {}, seconds: 11, spent: { compile: 10, train: 1, valid: 0, idle: 0 }, progress: 0.1 },
  ];
  assert.equal(paceOf({ seconds: 32, mostEpochs: 100 }, history, () => 0).epochs(), 1 + 20);
});
