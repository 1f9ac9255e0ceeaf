import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../common/errors.ts';
import { isEnough, likelyEpochs, planTime, type TimePlanRequest } from './time-plan.ts';

/** Fashion-MNIST in a ResNet-8 on a laptop's core. */
const images: TimePlanRequest = {
  seconds: 300,
  used: 3,
  startSeconds: 3,
  compileSeconds: 1.5,
  sampleSeconds: 0.001,
  measureSeconds: 0.0003,
  counts: { train: 45_000, valid: 15_000, test: 10_000 },
  mostPasses: 200,
  workers: 1,
  batchSize: 128,
  isTable: false,
};
/** A table of a thousand rows in a small network. */
const rows: TimePlanRequest = {
  ...images,
  seconds: 60,
  used: 1,
  startSeconds: 2,
  compileSeconds: 0.3,
  sampleSeconds: 0.00001,
  measureSeconds: 0.000005,
  counts: { train: 600, valid: 200, test: 200 },
  mostPasses: 60,
  batchSize: 32,
  isTable: true,
};

test('five minutes on one core are for one hand-designed network', () => {
  const plan = planTime(images);
  assert.deepEqual([plan.search, plan.candidates, plan.confirm], ['none', 1, 0]);
  assert.ok(plan.searchUntil < 30 && plan.finalSeconds > 240);
  assert.equal(plan.epochSamples % images.batchSize, 0);
});

test('a busy machine keeps more time for what comes after the final training', () => {
  const [idle, busy] = [planTime(images), planTime({ ...images, startSeconds: 10, slowness: 5 })];
  assert.ok(busy.closingSeconds - idle.closingSeconds === 8 && busy.finalSeconds < idle.finalSeconds - 20);
});

test('an hour is for a search of short trials first, more of them with more workers', () => {
  const hour = planTime({ ...images, seconds: 3600 });
  assert.equal(hour.search, 'short');
  assert.ok(hour.candidates >= 6 && hour.candidates <= 10);
  assert.ok(hour.finalSeconds > 0.6 * 3600);
  // At least 1,000 steps, in the same few epochs for every network.
  assert.ok(hour.epochSamples * hour.trialEpochs >= 0.99 * 1000 * images.batchSize);
  const two = planTime({ ...images, seconds: 1500, workers: 2 });
  assert.ok(two.candidates > planTime({ ...images, seconds: 1500 }).candidates);
});

test('small data are searched with trials of full length, and the best confirmed', () => {
  const plan = planTime(rows);
  assert.deepEqual([plan.search, plan.confirm], ['full', 3]);
  assert.ok(plan.candidates >= 10);
  // Whole passes, so many that reporting an epoch costs little.
  assert.ok(plan.epochSamples > rows.counts.train);
  assert.ok(Math.abs(plan.mostEpochs * plan.epochSamples - 60 * 600) <= plan.epochSamples);
});

test('a table is searched with trials of full length or not at all', () => {
  const slow = { ...rows, sampleSeconds: 0.0003 };
  assert.equal(planTime(slow).search, 'none');
  assert.equal(planTime({ ...slow, seconds: 600 }).search, 'full');
});

test('the parts of a plan fit into its time', () => {
  for (const base of [images, rows])
    for (const seconds of [30, 60, 120, 300, 600, 1800, 3600, 36_000])
      for (const workers of [1, 2, 8]) {
        const plan = planTime({ ...base, seconds, workers });
        const parts = plan.searchUntil + base.startSeconds + plan.baselineSeconds + plan.closingSeconds;
        assert.ok(parts < seconds, `${seconds} s, ${workers} workers: ${JSON.stringify(plan)}`);
        assert.ok(plan.trialSeconds > base.compileSeconds);
        assert.ok(plan.validSamples >= 1 && plan.validSamples <= 5000);
        for (const count of [plan.candidates, plan.epochSamples, plan.mostEpochs]) assert.ok(count >= 1);
      }
});

test('a time in which nothing can be trained is refused before anything starts, with the time that is needed', () => {
  assert.throws(
    () => planTime({ ...images, seconds: 10 }),
    (error) => error instanceof UserError && /--time: 10 s; must be at least \d+ s for these data/.test(error.message),
  );
});

test('the epochs that are likely to fit follow from those that are done, up to the most', () => {
  assert.equal(likelyEpochs(60, 200, 0, 0), 200);
  assert.equal(likelyEpochs(60, 200, 10, 20), 30);
  assert.equal(likelyEpochs(60, 25, 10, 20), 25);
  assert.equal(likelyEpochs(60, 200, 10, 90), 10);
});

test('a larger network needs 6,000 steps, or all the passes that are of use', () => {
  const speed = { sampleSeconds: 0.001, batchSize: 100, mostPasses: 200 };
  assert.deepEqual(
    [599, 600].map((seconds) => isEnough(seconds, { ...speed, train: 50_000 })),
    [false, true],
  );
  assert.deepEqual(
    [199, 200].map((seconds) => isEnough(seconds, { ...speed, train: 1000 })),
    [false, true],
  );
});

test('a one-shot method has half of the time for its supernet and a first model, the final training the rest', () => {
  const plan = planTime({ ...images, seconds: 600, hasSupernet: true });
  assert.deepEqual([plan.search, plan.candidates, plan.confirm], ['supernet', 1, 0]);
  assert.ok(plan.trialSeconds < 0.2 * plan.searchSeconds);
  assert.ok(plan.searchSeconds > 250 && plan.finalSeconds > 250);
});
