import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { Samples } from '../data/dataset.ts';
import { linear, relu, sequential } from '../space/tree/builders.ts';
import { MemoryShortage } from './failure.ts';
import { openTraining, type TrainRequest, trainNetwork } from './loop.ts';
import { forecastOf, preflight } from './preflight.ts';
import { openPrograms } from './programs.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { blobs } from './testing/blobs.ts';
import { countingEngine, referenceEngine } from './testing/reference-engine.ts';

function request(change: Partial<TrainRequest> = {}): TrainRequest {
  return {
    engine: referenceEngine(),
    network: sequential(linear(8), relu(), linear('outputs')),
    ...blobs(),
    settings: { ...DEFAULT_SETTINGS, epochs: 2, batchSize: 4 },
    rng: (...labels) => rng('preflight', ...labels),
    ...change,
  };
}

test('an epoch is forecast from a few steps, each a second by this clock, and from a part of the validation', async () => {
  let seconds = 0;
  const engine = referenceEngine();
  const slow: typeof engine = {
    ...engine,
    async compile(graph, carries) {
      const program = await engine.compile(graph, carries);
      return {
        ...program,
        run: async (feeds, state) => {
          seconds += carries === undefined || Object.keys(carries).length === 0 ? 0.5 : 1;
          return program.run(feeds, state);
        },
      };
    },
  };
  const forecast = await preflight(request({ engine: slow, now: () => 1000 * seconds }));
  // 48 training samples in batches of 4; 24 validation samples in one batch.
  assert.ok(Math.abs(forecast.epochSeconds - (12 + 0.5)) < 1e-9, `${forecast.epochSeconds}`);
  assert.ok(forecast.memoryBytes > 0);
});

test('a measurement with a part that does not grow with the samples is forecast from two sizes', async () => {
  let seconds = 0;
  const training = await openTraining(request());
  const slow = {
    ...training,
    async measure(samples: Samples) {
      seconds += 5 + samples.count / 1000;
      return training.measure(samples);
    },
  };
  const { valid } = blobs();
  const many: Samples = {
    count: 6400,
    read: (indices, into) =>
      valid.read(
        indices.map((i) => i % valid.count),
        into,
      ),
  };
  const forecast = await forecastOf({ ...request({ valid: many }), now: () => 1000 * seconds }, async () => slow);
  assert.ok(Math.abs(forecast.measureSeconds * many.count - (5 + 6.4)) < 1e-9, `${forecast.measureSeconds}`);
});

test('an epoch of a single step, and data without validation samples, are forecast too', async () => {
  const { valid: _, ...rest } = request({ settings: { ...request().settings, batchSize: 48 } });
  const forecast = await preflight(rest);
  assert.ok(forecast.epochSeconds > 0);
});

test('what comes after is the same as without, and finds the programs', async () => {
  const { engine, compiled } = countingEngine();
  const programs = openPrograms(engine);
  const [looked, plain] = [request({ engine, programs }), request()];
  await preflight(looked);
  const weights = async (of: TrainRequest) => (await trainNetwork(of)).weights();
  assert.deepEqual(await weights(looked), await weights(plain));
  assert.equal(compiled(), 2);
});

test('what does not fit is refused before it is compiled; another failure is what it is', async () => {
  const engine = { ...referenceEngine(), compile: () => assert.fail('compiled') };
  const programs = openPrograms(engine, { memory: 1000 });
  await assert.rejects(preflight(request({ engine, programs })), MemoryShortage);
  await assert.rejects(preflight(request({ network: linear(7) })), /cannot be built/);
  const reason = new Error('interrupted');
  await assert.rejects(preflight(request({ signal: AbortSignal.abort(reason) })), reason);
});
