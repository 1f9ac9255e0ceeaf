import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learningRates } from './schedules.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

const settings = { ...DEFAULT_SETTINGS, epochs: 10, learningRate: 0.1, warmupEpochs: 0 };
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);

test('cosine begins at the full rate, is half at the middle and nearly nothing at the end', () => {
  const rate = learningRates({ ...settings, schedule: 'cosine' }, 4);
  near(rate(0, 0), 0.1);
  near(rate(5, 0), 0.05);
  near(rate(9, 3), (0.1 * (1 + Math.cos((Math.PI * 39) / 40))) / 2);
  near(rate(10, 0), 0);
  near(rate(12, 0), 0);
});

test('the rate depends on the position in epochs, not on the number of steps', () => {
  const many = learningRates({ ...settings, schedule: 'cosine' }, 100);
  const few = learningRates({ ...settings, schedule: 'cosine' }, 4);
  near(many(3, 50), few(3, 2));
});

test('warm-up rises linearly to the full rate, then the schedule takes over', () => {
  const rate = learningRates({ ...settings, schedule: 'cosine', warmupEpochs: 2 }, 4);
  const rising = [0, 1, 2, 3].flatMap((step) => [rate(0, step), rate(1, step)]).sort((a, b) => a - b);
  for (const [i, value] of rising.entries()) near(value, (0.1 * (i + 1)) / 8);
  near(rate(2, 0), 0.1);
  near(rate(6, 0), 0.05);
});

test('step drops by the factor every N epochs', () => {
  const rate = learningRates({ ...settings, schedule: 'step', stepEpochs: 3, stepFactor: 0.5 }, 4);
  near(rate(2, 3), 0.1);
  near(rate(3, 0), 0.05);
  near(rate(9, 0), 0.0125);
});

test('constant is constant', () => {
  const rate = learningRates({ ...settings, schedule: 'constant' }, 4);
  assert.deepEqual([rate(0, 0), rate(9, 3)], [0.1, 0.1]);
});

test('a warm-up as long as the training itself works', () => {
  const rate = learningRates({ ...settings, schedule: 'cosine', warmupEpochs: 10 }, 1);
  near(rate(9, 0), 0.1);
  assert.ok(Number.isFinite(rate(10, 0)));
});
