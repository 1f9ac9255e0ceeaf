import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { DatasetInfo, SearchData } from '../data/dataset.ts';
import { allWindows, trainingWindows } from '../data/text/windows.ts';
import { embedding, linear, recurrent, sequential } from '../space/tree/builders.ts';
import { trainingBatches } from './batches.ts';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { evaluateNetwork } from './inference.ts';
import { openTraining, type TrainRequest } from './loop.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { referenceEngine } from './testing/reference-engine.ts';

const TOKENS = 4;

/** Token t + 9 is token t, so that a network needs a memory of nine tokens: more than a window of four. */
function periodic(length: number): Int32Array {
  const random = rng('periodic');
  const period = Array.from({ length: 9 }, () => random.int(TOKENS));
  return Int32Array.from({ length }, (_, t) => period[t % 9] ?? 0);
}

function text(length: number, train = periodic(161), valid = periodic(60)): SearchData {
  const [samples, measured] = [trainingWindows(train, length), allWindows(valid, length)];
  const info: DatasetInfo = {
    ...{ name: 'periodic', kind: 'language-model', input: [length], outputs: TOKENS, labels: [...'abcd'] },
    ...{ mean: [], deviation: [], notes: [], counts: { train: samples.count, valid: measured.count, test: 0 } },
  };
  return { info, train: samples, valid: measured };
}

const network = sequential(embedding('inputs', 6), recurrent('lstm', 8), linear('outputs'));
const settings = { ...DEFAULT_SETTINGS, optimizer: 'adam', learningRate: 0.02, epochs: 4, batchSize: 4 } as const;
const request = (change: Partial<TrainRequest> = {}): TrainRequest => ({
  ...{ engine: referenceEngine(), network, ...text(4), settings, rng: (...labels) => rng('continued', ...labels) },
  ...change,
});

test('measured in batches, a recurrent network reads a text as if it were one long sample', async () => {
  const whole = text(60, periodic(161), periodic(60));
  const weights = await (await openTraining(request())).weights();
  const of = (data: SearchData, batchSize: number) =>
    evaluateNetwork({ engine: referenceEngine(), network, info: data.info, weights, samples: data.valid, batchSize });
  const [once, inTurn] = [await of(whole, 1), await of(text(4), 1)];
  assert.ok(Math.abs((once.metrics.loss ?? 0) - (inTurn.metrics.loss ?? 1)) < 1e-6);
  // In lanes, each begins with zeros.
  const lanes = await of(text(4), 5);
  assert.notEqual(lanes.metrics.loss, inTurn.metrics.loss);
  assert.ok(Math.abs((lanes.metrics.loss ?? 0) - (inTurn.metrics.loss ?? 9)) < 0.1);
});

test('batches go on where the ones before ended, and begin elsewhere in each pass', async () => {
  const tokens = Int32Array.from({ length: 83 }, (_, t) => t);
  const info = { ...text(4).info, outputs: 100 };
  const batches = trainingBatches(trainingWindows(tokens, 4), info, { ...settings, batchSize: 3 });
  assert.equal(batches.stepsPerEpoch, 6);
  const firsts: number[] = [];
  for (const index of [0, 1]) {
    const epoch = batches.continuedEpoch(index, (...labels) => rng('order', ...labels));
    let before: number[] = [];
    for (let step = 0; step < batches.stepsPerEpoch; step++) {
      assert.equal(epoch.startsOver(), step === 0);
      const { tokens: fed, next } = await epoch.prepare();
      const rows = [0, 1, 2].map((k) => [...(fed?.data.slice(4 * k, 4 * k + 4) ?? [])]);
      assert.deepEqual(
        [...(next?.data ?? [])],
        rows.flat().map((token) => token + 1),
      );
      for (const [k, row] of rows.entries()) if (step > 0) assert.equal(row[0], (before[k] ?? 0) + 1);
      if (step === 0) firsts.push(rows[0]?.[0] ?? 0);
      before = rows.map((row) => row[3] ?? 0);
    }
  }
  assert.ok(firsts.every((first) => first < 4));
  assert.notEqual(firsts[0], firsts[1]);
});

test('training carries states from batch to batch: without steps, its loss is that of one long sample', async () => {
  const { count, read } = trainingWindows(periodic(161), 4);
  const [train, valid] = [{ count, read }, allWindows(periodic(161).subarray(0, 4 * count + 1), 4)];
  const training = await openTraining(request({ train, settings: { ...settings, batchSize: 1, learningRate: 1e-9 } }));
  const { loss } = await training.epoch();
  const { info } = text(4);
  const weights = await training.weights();
  const once = await evaluateNetwork({
    engine: referenceEngine(),
    network,
    info,
    weights,
    samples: valid,
    batchSize: 1,
  });
  assert.ok(Math.abs(loss - (once.metrics.loss ?? 0)) < 1e-5, `${loss}, ${once.metrics.loss}`);
  const cold = await evaluateNetwork({
    engine: referenceEngine(),
    network,
    info,
    weights,
    samples: valid,
    batchSize: count,
  });
  assert.ok(Math.abs(loss - (cold.metrics.loss ?? 0)) > 1e-4);
});

test('a resumed training continues bit for bit', async () => {
  // Two of the nine steps of a pass: the states go on from epoch to epoch.
  const parts = { settings: { ...settings, epochSamples: 8 } };
  const whole = await openTraining(request(parts));
  while (whole.history.length < 4) await whole.epoch();
  assert.ok((whole.history.at(-1)?.loss ?? 9) < (whole.history[0]?.loss ?? 0));
  const first = await openTraining(request(parts));
  await first.epoch();
  const checkpoint = decodeCheckpoint(encodeCheckpoint(await first.checkpoint()));
  const second = await openTraining(request({ ...parts, checkpoint }));
  while (second.history.length < 4) await second.epoch();
  assert.deepEqual(await second.weights(), await whole.weights());
  assert.deepEqual(second.history.at(-1)?.valid, whole.history.at(-1)?.valid);
});
