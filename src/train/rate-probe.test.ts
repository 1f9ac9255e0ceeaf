import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { Samples } from '../data/dataset.ts';
import { linear, relu, sequential } from '../space/tree/builders.ts';
import type { TrainRequest } from './loop.ts';
import { openPrograms } from './programs.ts';
import { probeRate } from './rate-probe.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { blobs, slope } from './testing/blobs.ts';
import { countingEngine, referenceEngine } from './testing/reference-engine.ts';

const sgd = { ...DEFAULT_SETTINGS, batchSize: 8, optimizer: 'sgd', weightDecay: 0 } as const;

function request(change: Partial<TrainRequest> = {}, learningRate = 0.1): TrainRequest {
  return {
    engine: referenceEngine(),
    network: sequential(linear(8), relu(), linear('outputs')),
    ...blobs(),
    settings: { ...sgd, learningRate },
    rng: (...labels) => rng('rate probe', ...labels),
    ...change,
  };
}

test('a rate at which the loss falls is kept, and no other is tried', async () => {
  assert.deepEqual(await probeRate(request()), { rate: 0.1, tried: [{ rate: 0.1, loss: 'falls' }] });
  assert.deepEqual(await probeRate(request(slope(), 0.01)), { rate: 0.01, tried: [{ rate: 0.01, loss: 'falls' }] });
});

test('where the loss rises, smaller rates follow until one is good; programs are compiled once', async () => {
  const { engine, compiled } = countingEngine();
  // At this rate, the squared error grows with each step and is infinite after a few.
  const { rate, tried } = await probeRate(request({ ...slope(), engine, programs: openPrograms(engine) }, 10));
  assert.deepEqual(tried[0], { rate: 10, loss: 'rises' });
  assert.ok(rate < 10 && rate >= 0.01, `${rate}`);
  assert.equal(tried.find((one) => one.rate === rate)?.loss, 'falls');
  for (const [i, one] of tried.slice(1).entries()) {
    const ratio = one.rate / (tried[i]?.rate ?? 0);
    assert.ok(ratio > 0.05 && ratio < 0.5, `${tried.map((each) => each.rate)}`);
  }
  assert.equal(compiled(), 2);
});

test('a loss that no rate lowers: the rate stays, and only a few others are tried', async () => {
  const data = blobs();
  /** Targets that say nothing: those of other samples. */
  const senseless: Samples = {
    count: data.train.count,
    async read(indices, into) {
      await data.train.read(indices, into);
      const random = rng('senseless', ...indices);
      for (let i = 0; i < indices.length; i++) if (into.target) into.target[i] = random.int(3);
    },
  };
  // Nothing is learned from the bias of a single layer that begins as good as it can be.
  const { rate, tried } = await probeRate(request({ train: senseless, network: linear('outputs') }, 1e-6));
  assert.equal(rate, 1e-6);
  assert.deepEqual(
    tried.map(({ loss }) => loss),
    ['stalls', 'stalls', 'stalls'],
  );
});

test('a loss that is never finite: the rate stays, after the smallest has been tried', async () => {
  const data = slope();
  const broken: Samples = {
    count: data.train.count,
    async read(indices, into) {
      await data.train.read(indices, into);
      if (into.target) into.target.fill(Number.NaN);
    },
  };
  const { rate, tried } = await probeRate(request({ ...data, train: broken }, 1));
  assert.equal(rate, 1);
  assert.equal(tried.length, 7);
  assert.ok(tried.every(({ loss }) => loss === 'rises') && (tried.at(-1)?.rate ?? 1) <= 1e-3);
});
