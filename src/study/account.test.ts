import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountOf, computingSeconds } from './account.ts';
import { newTrial } from './store/transitions.ts';

const trial = (number: number) => newTrial({ purpose: 'search', trial: number, architecture: {}, fidelity: 0 });
const report = { step: 1, metrics: {}, seconds: 1 };

test('the parts add up to the time of the workers; the unaccounted rest is other', () => {
  const trials = [
    { ...trial(0), curve: [{ ...report, spent: { compile: 1, train: 20, valid: 2, idle: 0.5 } }] },
    { ...trial(1), curve: [report, { ...report, step: 2, spent: { compile: 0, train: 30, valid: 3, idle: 0.5 } }] },
    trial(2),
  ];
  const account = accountOf(trials, { searchSeconds: 30, workerSeconds: 60 });
  assert.deepEqual(account, { workerSeconds: 60, compile: 1, train: 50, valid: 5, idle: 1, other: 3 });
});

test('without reports, all is other', () => {
  const nothing = { compile: 0, train: 0, valid: 0, idle: 0 };
  assert.deepEqual(accountOf([], { searchSeconds: 5, workerSeconds: 10 }), {
    workerSeconds: 10,
    ...nothing,
    other: 10,
  });
});

test('the time of a continued trial counts once, and again where it had to restart', () => {
  const start = { kind: 'continue', trial: 0 } as const;
  const at = (step: number, seconds: number) => ({ step, metrics: {}, seconds });
  const first = { ...trial(0), curve: [at(1, 10), at(2, 20)], seconds: 20 };
  const further = { ...trial(1), start, curve: [at(3, 32), at(4, 44)], seconds: 44 };
  const furthest = { ...trial(2), start: { ...start, trial: 1 }, curve: [at(5, 60)], seconds: 60 };
  assert.equal(computingSeconds([first, further, furthest]), 60);
  const anew = { ...further, curve: [at(1, 11), at(2, 22), at(3, 33), at(4, 45)], seconds: 45 };
  assert.equal(computingSeconds([first, anew]), 20 + 45);
  const failed = { ...trial(1), start, state: 'failed' as const };
  assert.equal(computingSeconds([first, failed]), 20);
});
