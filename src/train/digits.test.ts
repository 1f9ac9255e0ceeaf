/** Real training: a small convolutional network on the handwritten digits, on the CPU. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { openDataset } from '../data/open.node.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { threadedRuntime } from '../engine/runtime/thread.node.ts';
import { conv, dropout, globalAvgPool, linear, maxPool, sequential } from '../space/builders.ts';
import { convBnRelu } from '../space/composites.ts';
import type { EpochRecord } from './checkpoint.ts';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { TrainingFailure } from './failure.ts';
import { evaluateNetwork } from './inference.ts';
import { type Training, type TrainRequest, trainNetwork } from './loop.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

const { search } = await openDataset({ name: 'digits', seed: 1, validShare: 0.25 });
const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 2 });

const network = sequential(
  conv(16, 3, { bias: true }),
  convBnRelu(3, 32),
  maxPool(2, { stride: 2 }),
  convBnRelu(3, 32),
  globalAvgPool(),
  dropout(0.1),
  linear('outputs'),
);
const settings = { ...DEFAULT_SETTINGS, epochs: 6, cropPadding: 1, mixup: 0.1, labelSmoothing: 0.05, clipNorm: 5 };

function request(change: Partial<TrainRequest> = {}): TrainRequest {
  return {
    engine,
    network,
    info: search.info,
    train: search.train,
    valid: search.valid,
    settings,
    rng: (...labels) => rng('digits', ...labels),
    ...change,
  };
}

/** What must be equal between two runs of the same training: everything but the time. */
async function outcome(training: Training) {
  const curve = training.history.map(({ epoch, loss, valid }: EpochRecord) => ({ epoch, loss, valid }));
  const { tensors, steps } = await training.checkpoint();
  await training.dispose();
  return { curve, steps, tensors };
}

test('digits are learnt, the same way twice, and the same way when taken up again after epoch 2', async () => {
  const whole = await outcome(await trainNetwork(request()));
  const last = whole.curve.at(-1);
  assert.ok((last?.valid.accuracy ?? 0) > 0.9, `validation accuracy ${last?.valid.accuracy}`);
  assert.ok((last?.valid.f1 ?? 0) > 0.9 && (last?.valid.loss ?? 9) < 0.6);

  assert.deepEqual(await outcome(await trainNetwork(request())), whole);

  const first = await trainNetwork({ ...request(), epochs: 2 });
  const bytes = encodeCheckpoint(await first.checkpoint());
  await first.dispose();
  const resumed = await trainNetwork(request({ checkpoint: decodeCheckpoint(bytes) }));
  assert.deepEqual(await outcome(resumed), whole);

  const measured = await evaluateNetwork({
    engine,
    network,
    info: search.info,
    weights: whole.tensors,
    samples: search.valid,
    batchSize: 100,
  });
  assert.equal(measured.metrics.accuracy, last?.valid.accuracy);
});

test('in either layout the same seed gives the same weights, bit for bit, and nearly those of the other', async () => {
  const trained = async (layout: 'auto' | 'portable') => {
    const own = await createEngine(threadedRuntime(), { device: 'cpu', threads: 2, layout });
    // A schedule that ends early: rounding grows with every step.
    const short = { ...settings, epochs: 1, learningRate: 1e-3, warmupEpochs: 0 };
    const training = await trainNetwork(request({ engine: own, settings: short, data: 0.25 }));
    const weights = await training.weights();
    await training.dispose();
    await own.dispose();
    return weights;
  };
  const [auto, portable] = [await trained('auto'), await trained('portable')];
  assert.deepEqual(await trained('auto'), auto);
  assert.deepEqual(await trained('portable'), portable);
  for (const [name, { data }] of Object.entries(auto)) {
    const other = portable[name]?.data ?? new Float32Array();
    const difference = Math.hypot(...data.map((value, i) => value - (other[i] ?? Number.NaN)));
    assert.ok(difference < 0.01 * Math.hypot(...data) + 1e-3, `${name} differs by ${difference}`);
  }
});

test('half the resolution and a quarter of the samples train too', async () => {
  const training = await trainNetwork({ ...request({ resolution: 0.5, data: 0.25 }), epochs: 1 });
  assert.equal(training.stepsPerEpoch, Math.floor(Math.round(search.train.count / 4) / settings.batchSize));
  assert.ok(Number.isFinite(training.history[0]?.loss));
  await training.dispose();
});

test('a learning rate that is far too large ends with the reason', async () => {
  const wild = { ...settings, optimizer: 'sgd', learningRate: 1e30, clipNorm: 0 } as const;
  await assert.rejects(
    trainNetwork(request({ settings: wild })),
    (error) =>
      error instanceof TrainingFailure && /^the loss is (NaN|-?Infinity) at epoch 1, step \d+$/.test(error.message),
  );
});
