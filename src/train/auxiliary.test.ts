import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { networkCosts } from '../network/costs.ts';
import * as s from '../space/tree/builders.ts';
import type { Module } from '../space/tree/module.ts';
import { openTraining, type TrainRequest } from './loop.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { blobs } from './testing/blobs.ts';
import { referenceEngine } from './testing/reference-engine.ts';

const data = blobs(48, 12);
const settings = { ...DEFAULT_SETTINGS, epochs: 4, batchSize: 16, schedule: 'constant', warmupEpochs: 0 } as const;
const open = (network: Module, change: Partial<TrainRequest> = {}) =>
  openTraining({
    engine: referenceEngine(),
    ...data,
    network,
    settings,
    rng: (...labels) => rng('auxiliary', ...labels),
    ...change,
  });

const body = s.sequential(s.linear(5), s.relu());
const plain = s.sequential(body, s.linear('outputs'));
const withHead = s.sequential(s.auxiliary(body, s.linear('outputs'), 0.5), s.linear('outputs'));

test('an auxiliary head adds its loss by its weight to that of a training, and nothing to what is measured', async () => {
  const once = { settings: { ...settings, batchSize: data.train.count } };
  const training = await open(withHead, once);
  const weights = await training.weights();
  const own = Object.fromEntries(Object.entries(weights).filter(([path]) => !path.includes('auxiliary')));
  const head = Object.fromEntries(
    Object.entries(weights).flatMap(([path, tensor]) =>
      path.startsWith('1/') ? [] : [[path.replace('0/auxiliary', '1'), tensor]],
    ),
  );
  const [alone, ofHead] = await Promise.all([
    open(plain, { ...once, initial: own }),
    open(plain, { ...once, initial: head }),
  ]);
  assert.deepEqual((await training.measure(data.valid)).metrics, (await alone.measure(data.valid)).metrics);
  const [total, main, other] = [await training.epoch(), await alone.epoch(), await ofHead.epoch()];
  assert.ok(Math.abs(total.loss - (main.loss + 0.5 * other.loss)) < 1e-5, `${total.loss} ${main.loss} ${other.loss}`);

  const after = await training.weights();
  for (const path of ['0/auxiliary/weight', '0/0/weight', '1/weight'])
    assert.notDeepEqual(after[path]?.data, weights[path]?.data, path);
  const { kind, input, outputs } = data.info;
  assert.equal(
    networkCosts(withHead, { kind, input, outputs }).params,
    networkCosts(plain, { kind, input, outputs }).params,
  );
});

test('a training with an auxiliary head continues from a checkpoint as if it had never stopped', async () => {
  const whole = await open(withHead);
  await whole.epoch();
  const checkpoint = await whole.checkpoint();
  const resumed = await open(withHead, { checkpoint });
  const [a, b] = [await whole.epoch(), await resumed.epoch()];
  assert.deepEqual([b.loss, b.valid], [a.loss, a.valid]);
});

test('drop path that grows drops nothing in the first epoch, and more in each later one', async () => {
  const network = (rate: number, growing: boolean) =>
    s.sequential(body, ...(rate > 0 ? [s.dropPath(rate, { growing })] : []), s.linear('outputs'));
  const losses = async (rate: number, growing = false) => {
    // The last layer has the same path, and so the same fresh weights, whatever stands before it.
    const wrapped = s.sequential(s.sequential(...network(rate, growing).children.slice(0, -1)), s.linear('outputs'));
    const training = await open(wrapped, { settings: { ...settings, learningRate: 1e-9 } });
    const found = [await training.epoch(), await training.epoch(), await training.epoch(), await training.epoch()];
    await training.dispose();
    return found.map(({ loss }) => loss);
  };
  const [none, always, growing] = [await losses(0), await losses(0.8), await losses(0.8, true)];
  assert.ok(Math.abs((growing[0] ?? 0) - (none[0] ?? 0)) < 1e-6);
  assert.ok(Math.abs((always[0] ?? 0) - (none[0] ?? 0)) > 1e-3);
  assert.ok(Math.abs((growing[3] ?? 0) - (none[3] ?? 0)) > 1e-3);
});
