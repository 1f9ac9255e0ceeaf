import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataError } from '../common/errors.ts';
import type { Architecture } from '../space/space.ts';
import { trainingChoices } from '../space/spaces/training.ts';
import { choice, linear, pick, relu, sequential } from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import { decodeCheckpoint } from '../train/checkpoint.ts';
import { evaluateNetwork } from '../train/inference.ts';
import { openPrograms } from '../train/programs.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { countingEngine, referenceEngine } from '../train/testing/reference-engine.ts';
import { type EstimateRun, type Estimator, TrialFailure } from './estimator.ts';
import { artifactsInMemory, estimatorConformance, runOf } from './testing/conformance.ts';
import { candidateNetwork, trainEstimator } from './train.ts';

const data = blobs();
const settings = { ...DEFAULT_SETTINGS, optimizer: 'sgd', batchSize: 16, warmupEpochs: 0 } as const;

const space = defineSpace('chain', () => ({
  network: sequential(
    linear(pick('units', [8, 12])),
    choice('end', { right: sequential(relu(), linear('outputs')), wrong: linear(7) }),
  ),
  hyperparameters: { learningRate: pick('rate', [0.05, 1e30, 1e-30]) },
})).create({ kind: 'classification', input: [2], outputs: 3 });

const candidate = (architecture: Architecture) => ({ space, architecture });
const good = candidate({ units: 8, end: 'right', rate: 0.05 });
const estimator = (): Estimator => trainEstimator({ engine: referenceEngine(), data, settings });
const failsWith = (reason: RegExp) => (error: unknown) => error instanceof TrialFailure && reason.test(error.message);

estimatorConformance('train', async () => ({
  estimator: estimator(),
  candidate: good,
  failing: candidate({ units: 8, end: 'wrong', rate: 0.05 }),
  reason: /^the network cannot be built: .*\[16, ?7\]/,
}));

const stopping = trainEstimator({
  ...{ engine: referenceEngine(), data, settings: { ...settings, epochs: 20, patience: 0.1 } },
  objective: { metric: 'f1', direction: 'maximize' },
});
estimatorConformance('train with early stopping', async () => ({
  estimator: stopping,
  candidate: good,
  failing: candidate({ units: 8, end: 'wrong', rate: 0.05 }),
  reason: /^the network cannot be built: .*\[16, ?7\]/,
}));

test('with early stopping, the value of a trial is that of the weights that it hands on', async () => {
  const artifacts = artifactsInMemory();
  const fidelity = { epochs: 20, data: 1, resolution: 1, width: 1 };
  const run = runOf({ artifacts, fidelity, fullFidelity: fidelity });
  const { metrics, curve, state, checkpoint = '' } = await stopping.estimate(good, run);
  assert.equal(state, 'complete');
  assert.ok(curve.length < 20, `${curve.length} epochs`);
  const values = curve.map((report) => report.metrics.f1 ?? 0);
  assert.equal(metrics.f1, Math.max(...values));
  const { best } = decodeCheckpoint(await artifacts.get(checkpoint));
  assert.equal(best?.epoch, values.indexOf(Math.max(...values)) + 1);
  const { metrics: exported } = await evaluateNetwork({
    ...{ engine: referenceEngine(), network: candidateNetwork(good, 1), info: data.info },
    ...{ weights: best?.weights ?? {}, samples: data.valid, batchSize: 16 },
  });
  assert.equal(exported.f1, metrics.f1);
  assert.equal(exported.accuracy, metrics.accuracy);
});

test('metrics are those of the validation samples, and the training loss', async () => {
  const { metrics } = await estimator().estimate(good, runOf());
  assert.deepEqual(Object.keys(metrics).sort(), ['accuracy', 'f1', 'loss', 'precision', 'recall', 'trainLoss']);
});

test('a loss that is not finite fails the trial with the place', async () => {
  const exploding = candidate({ units: 8, end: 'right', rate: 1e30 });
  await assert.rejects(estimator().estimate(exploding, runOf()), failsWith(/^the loss is \S+ at epoch 1, step \d$/));
});

test('an architecture that is no member of the space fails the trial', async () => {
  await assert.rejects(estimator().estimate(candidate({ units: 9 }), runOf()), failsWith(/units/));
});

test('width scales the layers, share of the data the steps', async () => {
  const artifacts = artifactsInMemory();
  const fidelity = { epochs: 1, data: 0.5, resolution: 1, width: 0.5 };
  const { checkpoint } = await estimator().estimate(good, runOf({ artifacts, fidelity }));
  const { tensors, steps } = decodeCheckpoint(await artifacts.get(checkpoint ?? ''));
  assert.deepEqual(tensors['0/weight']?.shape, [4, 2]);
  assert.equal(steps, 1); // half of 48 samples in batches of 16
});

test('a resolution below 1 for samples that are no images fails the trial', async () => {
  const fidelity = { epochs: 1, data: 1, resolution: 0.5, width: 1 };
  await assert.rejects(estimator().estimate(good, runOf({ fidelity })), failsWith(/resolution/));
});

test('the schedule is laid out for the full fidelity', async () => {
  const fidelity = { epochs: 1, data: 1, resolution: 1, width: 1 };
  const lossOf = async (epochs: number) => {
    const run = runOf({ fidelity, fullFidelity: { ...fidelity, epochs } });
    return (await estimator().estimate(good, run)).metrics.trainLoss;
  };
  assert.notEqual(await lossOf(1), await lossOf(3));
});

test("a child begins with its parent's function: a wider one has the parent's loss before it trains", async () => {
  const artifacts = artifactsInMemory();
  const once = { epochs: 1, data: 1, resolution: 1, width: 1 };
  const { checkpoint = '', metrics } = await estimator().estimate(good, runOf({ artifacts }));
  const wider = candidate({ units: 12, end: 'right', rate: 0.05 });
  const still = estimator();
  const child = candidate({ units: 12, end: 'right', rate: 1e-30 });
  const inherit = { checkpoint, architecture: good.architecture, width: 1 };
  const kept = await still.estimate(child, runOf({ artifacts, fidelity: once, inherit }));
  assert.ok(Math.abs((kept.metrics.loss ?? 9) - (metrics.loss ?? 0)) < 1e-5);
  const start = (given: Partial<EstimateRun>) =>
    estimator().estimate(wider, runOf({ artifacts, fidelity: once, ...given }));
  const [warm, cold] = [await start({ inherit }), await start({})];
  assert.ok((warm.metrics.trainLoss ?? 9) < (cold.metrics.trainLoss ?? 0));
});

test('a candidate trains with its own hyperparameters: each of them changes what comes of it', async () => {
  const joint = defineSpace('joint', () => ({
    network: sequential(linear(8), relu(), linear('outputs')),
    hyperparameters: trainingChoices({ kind: 'classification', input: [2], outputs: 3 }),
  })).create({ kind: 'classification', input: [2], outputs: 3 });
  const plain = {
    optimizer: 'adamw',
    learningRate: 0.01,
    schedule: 'cosine',
    weightDecay: 0.001,
    batchSize: 16,
    labelSmoothing: 0,
  };
  const lossOf = async (change: Architecture) => {
    const { metrics } = await estimator().estimate({ space: joint, architecture: { ...plain, ...change } }, runOf());
    return metrics.trainLoss;
  };
  const changes: Architecture[] = [
    {},
    { optimizer: 'sgd' },
    { learningRate: 0.02 },
    { schedule: 'constant' },
    { weightDecay: 0.1 },
    { batchSize: 32 },
    { labelSmoothing: 0.1 },
  ];
  const losses = await Promise.all(changes.map(lossOf));
  assert.equal(new Set(losses).size, changes.length, losses.join());
});

test('what inherits from a checkpoint that cannot be read begins with initial weights, and says so', async () => {
  const artifacts = artifactsInMemory();
  const inherit = { checkpoint: await artifacts.put(new Uint8Array(3)), architecture: good.architecture, width: 1 };
  const notes: string[] = [];
  const run = runOf({ artifacts, inherit, note: (text) => notes.push(text) });
  const { metrics } = await estimator().estimate(good, run);
  assert.deepEqual(metrics, (await estimator().estimate(good, runOf())).metrics);
  assert.match(notes.join(), /inherits none: not a readable checkpoint/);
});

test('samples that cannot be read are not the candidate’s fault', async () => {
  const train = { ...data.train, read: () => Promise.reject(new RangeError('image "a.png" is cut off')) };
  await assert.rejects(
    trainEstimator({ engine: referenceEngine(), data: { ...data, train }, settings }).estimate(good, runOf()),
    (error) => error instanceof DataError && /a\.png/.test(error.message),
  );
});

test('a candidate that needs more memory than there is fails the trial with the numbers; programs are kept', async () => {
  const { engine, compiled } = countingEngine();
  const wide = defineSpace('wide', () =>
    sequential(linear(pick('units', [8, 1_000_000])), relu(), linear('outputs')),
  ).create({ kind: 'classification', input: [2], outputs: 3 });
  const programs = openPrograms(engine, { memory: 100 * 2 ** 20 });
  const estimator = trainEstimator({ engine, programs, data, settings });
  await assert.rejects(
    estimator.estimate({ space: wide, architecture: { units: 1_000_000 } }, runOf()),
    failsWith(/^training needs about [\d,]+ MiB of memory, but 100 MiB are left of the memory limit of this process/),
  );
  assert.equal(compiled(), 0);
  const small = { space: wide, architecture: { units: 8 } };
  const first = await estimator.estimate(small, runOf());
  const second = await estimator.estimate(small, runOf());
  assert.deepEqual(second.metrics, first.metrics);
  assert.equal(compiled(), 2);
  assert.ok(first.curve.every(({ spent }) => spent !== undefined));
});
