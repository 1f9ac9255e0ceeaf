/** Real training: a small convolutional network on the handwritten digits, on the CPU. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { layoutsUnderTest, testLayouts } from '../engine/testing/layouts.ts';
import type { EpochRecord } from './checkpoint.ts';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { TrainingFailure } from './failure.ts';
import { evaluateNetwork } from './inference.ts';
import { type Training, type TrainRequest, trainNetwork } from './loop.ts';
import { DIGITS, hashOf, weightsIn } from './testing/digits.ts';

const layouts = await layoutsUnderTest();
const [, { engine }] = layouts;
const { settings } = DIGITS;

const request = (change: Partial<TrainRequest> = {}): TrainRequest => ({ ...DIGITS, engine, ...change });

/** What must be equal between two runs of the same training: everything but the time. */
async function outcome(training: Training) {
  const curve = training.history.map(({ epoch, loss, valid }: EpochRecord) => ({ epoch, loss, valid }));
  const { tensors, steps } = await training.checkpoint();
  await training.dispose();
  return { curve, steps, tensors };
}

const learnt = 'digits are learnt, the same way twice, and the same way when resumed after epoch 2';
testLayouts(layouts, learnt, async ({ engine: on }) => {
  const whole = await outcome(await trainNetwork(request({ engine: on })));
  const last = whole.curve.at(-1);
  assert.ok((last?.valid.accuracy ?? 0) > 0.9, `validation accuracy ${last?.valid.accuracy}`);
  assert.ok((last?.valid.f1 ?? 0) > 0.9 && (last?.valid.loss ?? 9) < 0.6);

  assert.deepEqual(await outcome(await trainNetwork(request({ engine: on }))), whole);

  const first = await trainNetwork({ ...request({ engine: on }), epochs: 2 });
  const bytes = encodeCheckpoint(await first.checkpoint());
  await first.dispose();
  const resumed = await trainNetwork(request({ engine: on, checkpoint: decodeCheckpoint(bytes) }));
  assert.deepEqual(await outcome(resumed), whole);

  const { network, info, valid: samples } = DIGITS;
  const measured = await evaluateNetwork({
    engine: on,
    network,
    info,
    weights: whole.tensors,
    samples,
    batchSize: 100,
  });
  assert.equal(measured.metrics.accuracy, last?.valid.accuracy);
});

const SCRIPT = new URL('./testing/digits.ts', import.meta.url).pathname;

testLayouts(layouts, 'the same seed gives bitwise the same weights in every process', async ({ layout }) => {
  const elsewhere = async () => (await promisify(execFile)(process.execPath, [SCRIPT, layout])).stdout;
  const here = hashOf(await weightsIn(layout));
  assert.match(here, /^[0-9a-f]{64}$/);
  assert.deepEqual([await elsewhere(), await elsewhere()], [here, here]);
});

test('both layouts give nearly the same weights', async () => {
  const [auto, portable] = [await weightsIn('auto'), await weightsIn('portable')];
  if (engine.options.block > 0) assert.notEqual(hashOf(auto), hashOf(portable));
  for (const [name, { data }] of Object.entries(auto)) {
    const other = portable[name]?.data ?? new Float32Array();
    const difference = Math.hypot(...data.map((value, i) => value - (other[i] ?? Number.NaN)));
    assert.ok(difference < 0.01 * Math.hypot(...data) + 1e-3, `${name} differs by ${difference}`);
  }
});

test('half the resolution and a quarter of the samples train too', async () => {
  const training = await trainNetwork({ ...request({ resolution: 0.5, data: 0.25 }), epochs: 1 });
  assert.equal(training.stepsPerEpoch, Math.floor(Math.round(DIGITS.train.count / 4) / settings.batchSize));
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
