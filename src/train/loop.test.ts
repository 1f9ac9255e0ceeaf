import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { Samples } from '../data/dataset.ts';
import { batchNorm, dropout, linear, relu, sequential } from '../space/tree/builders.ts';
import { decodeCheckpoint, encodeCheckpoint, handedOn } from './checkpoint.ts';
import { TrainingFailure } from './failure.ts';
import { evaluateNetwork } from './inference.ts';
import { openTraining, type TrainRequest, trainNetwork } from './loop.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { blobs, slope } from './testing/blobs.ts';
import { referenceEngine } from './testing/reference-engine.ts';

const network = sequential(linear(8), batchNorm(), relu(), dropout(0.1), linear('outputs'));

const SGD = { ...DEFAULT_SETTINGS, optimizer: 'sgd', learningRate: 0.05, warmupEpochs: 0 } as const;

function request(change: Partial<TrainRequest> = {}): TrainRequest {
  return {
    engine: referenceEngine(),
    network,
    ...blobs(),
    settings: { ...SGD, epochs: 6, batchSize: 8 },
    rng: (...labels) => rng('loop', ...labels),
    ...change,
  };
}
const timeless = (history: readonly { epoch: number; loss: number; valid: unknown }[]) =>
  history.map(({ epoch, loss, valid }) => ({ epoch, loss, valid }));

test('a small network learns to distinguish clouds of points', async () => {
  const steps: number[] = [];
  const training = await trainNetwork({ ...request(), onStep: (_, __, loss) => steps.push(loss) });
  assert.equal(steps.length, 6 * training.stepsPerEpoch);
  const last = training.history.at(-1);
  assert.equal(last?.epoch, 6);
  assert.ok((last?.valid.accuracy ?? 0) > 0.95, `accuracy ${last?.valid.accuracy}`);
  assert.ok((last?.loss ?? 9) < (training.history[0]?.loss ?? 0) / 2);
});

test('a regression is measured in the units of its targets', async () => {
  const settings = { ...SGD, epochs: 20, batchSize: 8, weightDecay: 0 };
  const training = await trainNetwork(request({ ...slope(), settings, network: linear('outputs') }));
  const { mse, r2, loss } = training.history.at(-1)?.valid ?? {};
  assert.ok((r2 ?? 0) > 0.999, `r2 ${r2}`);
  assert.ok(Math.abs((mse ?? 0) / ((loss ?? 1) * 16) - 1) < 1e-5); // the targets' deviation is 4
});

for (const optimizer of ['sgd', 'adam'] as const) {
  test(`resumed from a checkpoint, training with ${optimizer} continues bit for bit`, async () => {
    const settings = { ...request().settings, optimizer, learningRate: 0.01, epochs: 3, clipNorm: 1 };
    const whole = await trainNetwork(request({ settings }));
    const first = await trainNetwork({ ...request({ settings }), epochs: 1 });
    const checkpoint = decodeCheckpoint(encodeCheckpoint(await first.checkpoint()));
    const second = await openTraining(request({ settings, checkpoint }));
    await second.epoch();
    await second.epoch();
    assert.deepEqual(timeless(second.history), timeless(whole.history));
    assert.deepEqual(await second.weights(), await whole.weights());
  });
}

test('given weights are where training starts, and what is not given is fresh', async () => {
  const fresh = await (await openTraining(request())).weights();
  const weight = { shape: [8, 2], data: new Float32Array(16).fill(0.25) };
  const given = await (await openTraining(request({ initial: { '0/weight': weight } }))).weights();
  assert.deepEqual(given['0/weight'], weight);
  assert.deepEqual(given['4/weight'], fresh['4/weight']);
  assert.notDeepEqual(fresh['0/weight'], weight);
});

test('weights or a checkpoint of another network are refused by name and shape', async () => {
  const shape = { shape: [4, 2], data: new Float32Array(8) };
  await assert.rejects(openTraining(request({ initial: { '0/weight': shape } })), /"0\/weight" is \[4,2\].*\[8,2\]/);
  await assert.rejects(openTraining(request({ initial: { '9/weight': shape } })), /"9\/weight" is no tensor of this/);
  const other = await openTraining(request({ network: sequential(linear(4), linear('outputs')) }));
  const checkpoint = await other.checkpoint();
  await assert.rejects(openTraining(request({ checkpoint })), (error) => error instanceof TrainingFailure);
});

test('a loss that is not finite ends training with the place', async () => {
  const settings = { ...request().settings, learningRate: 1e30, batchSize: 8 };
  await assert.rejects(
    trainNetwork(request({ settings, network: sequential(linear(8), linear('outputs')) })),
    (error) =>
      error instanceof TrainingFailure && /^the loss is (NaN|Infinity) at epoch 1, step \d$/.test(error.message),
  );
});

test('a network that cannot be built says where', async () => {
  await assert.rejects(
    openTraining(request({ network: sequential(linear(8), linear(7)) })),
    (error) => error instanceof TrainingFailure && /^the network cannot be built: .*\[8, ?7\]/.test(error.message),
  );
});

test('an aborted training rejects with the reason', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const running = trainNetwork({
    ...request({ signal: controller.signal }),
    onStep: (_, step) => (step === 2 ? controller.abort(reason) : undefined),
  });
  await assert.rejects(running, reason);
});

test('trained weights measure the same outside of training, also with another batch size', async () => {
  const training = await trainNetwork(request());
  const { info, valid } = blobs();
  const weights = await training.weights();
  const measured = await evaluateNetwork({
    engine: referenceEngine(),
    network,
    info,
    weights,
    samples: valid,
    batchSize: 7,
  });
  assert.equal(measured.metrics.accuracy, training.history.at(-1)?.valid.accuracy);
  assert.equal(
    measured.confusion?.flat().reduce((sum, n) => sum + n),
    valid.count,
  );
});

/** Validation samples whose labels are one off: the better a network learns, the worse it does on them. */
function contrary(): Samples {
  const { valid } = blobs();
  return {
    count: valid.count,
    async read(indices, into) {
      await valid.read(indices, into);
      const { target } = into;
      for (let i = 0; i < (target?.length ?? 0); i++) if (target) target[i] = ((target[i] ?? 0) + 1) % 3;
    },
  };
}
const early = (change: Partial<TrainRequest> = {}) => {
  const settings = { ...request().settings, epochs: 20, patience: 0.2 };
  return request({ valid: contrary(), objective: { metric: 'loss', direction: 'minimize' }, settings, ...change });
};

test('a training that stops improving ends early, and hands on the weights of its best epoch', async () => {
  const training = await trainNetwork(early());
  const losses = training.history.map(({ valid }) => valid.loss ?? Number.NaN);
  const best = losses.indexOf(Math.min(...losses)) + 1;
  assert.equal(training.keptEpoch?.(), best);
  assert.equal(training.history.length, best + 4, 'a fifth of 20 epochs after the best one');
  const kept = await openTraining(early({ initial: await training.weights() }));
  assert.equal((await kept.measure(contrary())).metrics.loss, losses[best - 1]);
  const { best: stored } = await training.checkpoint();
  assert.deepEqual(stored, { epoch: best, weights: await training.weights() });
});

test('a training with early stopping that is resumed after any epoch is the one that was never stopped', async () => {
  const whole = await trainNetwork(early());
  for (let epochs = 1; epochs <= whole.history.length; epochs++) {
    const first = await trainNetwork({ ...early(), epochs });
    const checkpoint = decodeCheckpoint(encodeCheckpoint(await first.checkpoint()));
    const second = await trainNetwork(early({ checkpoint }));
    assert.deepEqual(timeless(second.history), timeless(whole.history), `after epoch ${epochs}`);
    assert.deepEqual(await second.weights(), await whole.weights(), `after epoch ${epochs}`);
  }
});

test('without patience, or without validation samples, the last epoch is the one that counts', async () => {
  const plain = await trainNetwork(early({ settings: { ...early().settings, epochs: 5, patience: 0 } }));
  assert.deepEqual([plain.history.length, plain.keptEpoch?.()], [5, undefined]);
  const { valid: _, ...blind } = early({ settings: { ...early().settings, epochs: 5 } });
  assert.equal((await trainNetwork(blind)).history.length, 5);
});

test('the average of the weights moves with each step, and is measured, handed on and exported in their place', async () => {
  const { info, valid } = blobs();
  const settings = { ...request().settings, batchSize: 8, epochSamples: 8, epochs: 5 };
  const plain = await openTraining(request({ settings }));
  const averaging = await openTraining(request({ settings: { ...settings, weightAverage: 0.25 } }));
  const expected = await plain.weights();
  assert.deepEqual(await averaging.weights(), expected, 'it begins with the initial weights');
  for (let step = 1; step <= settings.epochs; step++) {
    await plain.epoch();
    const record = await averaging.epoch();
    const kept = Math.min(0.25, (1 + step) / (10 + step));
    for (const [name, { data }] of Object.entries(await plain.weights()))
      for (const [i, weight] of data.entries()) {
        const own = expected[name]?.data as Float32Array;
        own[i] = kept * (own[i] ?? Number.NaN) + (1 - kept) * weight;
      }
    const weights = await averaging.weights();
    for (const [name, { data }] of Object.entries(weights))
      for (const [i, value] of data.entries())
        assert.ok(Math.abs(value - (expected[name]?.data[i] ?? Number.NaN)) < 1e-5, `${name} after step ${step}`);
    const alone = await evaluateNetwork({ engine: referenceEngine(), network, info, weights, samples: valid });
    assert.equal(record.valid.loss, alone.metrics.loss);
    assert.deepEqual((await averaging.outputs(valid)).measured.metrics, record.valid);
    const stored = handedOn(decodeCheckpoint(encodeCheckpoint(await averaging.checkpoint())));
    for (const [name, tensor] of Object.entries(weights)) assert.deepEqual(stored[name], tensor, name);
  }
  assert.notDeepEqual(await averaging.weights(), await plain.weights());
});

test('averaged SGD is SGD until an epoch is worse than one long before, and hands on the mean of its weights from then on', async () => {
  const settings = { ...request().settings, batchSize: 8, epochSamples: 8, epochs: 6, momentum: 0 };
  // The first value is better than all others, and the third is the first to be compared with it.
  const objective = { metric: 'loss', direction: 'maximize' } as const;
  const start = 3;
  const plain = await openTraining(request({ settings }));
  const averaging = await openTraining(
    request({ settings: { ...settings, momentum: 0.9, optimizer: 'asgd', averageAfter: 1 }, objective }),
  );
  let mean: Awaited<ReturnType<typeof plain.weights>> = {};
  for (let step = 1; step <= settings.epochs; step++) {
    await plain.epoch();
    const record = await averaging.epoch();
    const [now, before, count] = [await plain.weights(), mean, Math.max(1, step - start + 1)];
    mean = Object.fromEntries(
      Object.entries(now).map(([name, { shape, data }]) => [
        name,
        { shape, data: data.map((value, i) => value / count + (1 - 1 / count) * (before[name]?.data[i] ?? 0)) },
      ]),
    );
    const weights = await averaging.weights();
    for (const [name, { data }] of Object.entries(weights))
      for (const [i, value] of data.entries())
        assert.ok(Math.abs(value - (mean[name]?.data[i] ?? Number.NaN)) < 1e-5, `${name} after step ${step}`);
    const samples = blobs().valid;
    const { metrics } = await evaluateNetwork({
      engine: referenceEngine(),
      network,
      info: blobs().info,
      weights,
      samples,
    });
    assert.equal(record.valid.loss, metrics.loss);
  }
  assert.ok(
    averaging.history.every(({ valid }, i) => i === 0 || (valid.loss ?? 9) < (averaging.history[0]?.valid.loss ?? 0)),
  );
  assert.notDeepEqual(await averaging.weights(), await plain.weights());
});

test('running it twice gives the same history', async () => {
  const [one, two] = [await trainNetwork(request()), await trainNetwork(request())];
  assert.deepEqual(timeless(one.history), timeless(two.history));
});
