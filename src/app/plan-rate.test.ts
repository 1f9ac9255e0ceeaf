import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { linear } from '../space/index.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { rateText, tryRates } from './plan-rate.ts';

const forecast = {
  memoryBytes: 0,
  compileSeconds: 0,
  epochSeconds: 0,
  restSeconds: 0,
  sampleSeconds: 0.01,
  measureSeconds: 0,
};

test('rates are tried only where a few steps take at most 2 % of the time', async () => {
  const request = {
    engine: referenceEngine(),
    network: linear('outputs'),
    ...blobs(),
    settings: { ...DEFAULT_SETTINGS, batchSize: 10, learningRate: 0.05 },
    rng: (...labels: readonly (string | number)[]) => rng('plan rate', ...labels),
  };
  // A step is a tenth of a second long.
  assert.equal(await tryRates(request, forecast, 59), undefined);
  const found = await tryRates(request, forecast, 61);
  assert.deepEqual(found?.tried[0]?.rate, 0.05);
});

test('the plan says what was tried where it matters', () => {
  const [falls, stalls, rises] = (['falls', 'stalls', 'rises'] as const).map((loss) => (rate: number) => ({
    rate,
    loss,
  }));
  assert.ok(falls && stalls && rises);
  const text = (rate: number, ...tried: readonly ReturnType<typeof falls>[]) => rateText({ rate, tried }, 'resnet-8');
  assert.equal(text(0.1, falls(0.1)), undefined);
  assert.equal(text(0.1, stalls(0.1), stalls(0.03), stalls(0.009)), undefined);
  assert.equal(
    text(0.03, rises(0.1), falls(0.03), falls(0.009)),
    'learning rate 0.03, because the loss of resnet-8 rises at 0.1',
  );
  assert.equal(
    text(0.03, stalls(0.1), falls(0.03), stalls(0.009)),
    'learning rate 0.03, because the loss of resnet-8 does not fall at 0.1',
  );
  assert.equal(
    text(0.1, rises(0.1), rises(0.01)),
    'learning rate 0.1, although the loss of resnet-8 rises at all rates tried, down to 0.01',
  );
});
