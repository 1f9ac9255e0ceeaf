import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { TrialFailure } from '../estimate/estimator.ts';
import { artifactsInMemory, runOf } from '../estimate/testing/conformance.ts';
import { trainEstimator } from '../estimate/train.ts';
import type { Architecture } from '../space/space.ts';
import { sample } from '../space/tree/vary.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../train/checkpoint.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { trainUntil } from '../train/trainable.ts';
import type { OneShotDefinition } from './definition.ts';
import { ONE_SHOT } from './index.ts';
import { ARCHITECTURE_METHODS } from './names.ts';
import { cells, pointSpace, wiredSpace } from './testing/space.ts';

const data = blobs(48, 12);
const SPACES = { wiring: wiredSpace(data.info), cells: cells.create(data.info) };
const OPTIONS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  enas: { hidden: 8, controllerSteps: 1, aggregate: 1, candidates: 2, recalibrate: 1 },
  'p-darts': { operations2: 2, operations3: 2, warmupShare: 0 },
};
const once = { epochs: 1, data: 1, resolution: 1, width: 1 };
/** A training that moves no weight. */
const still = (startFrom: 'fresh' | 'supernet') =>
  trainEstimator({
    ...{ engine: referenceEngine(), data, startFrom },
    settings: { ...DEFAULT_SETTINGS, optimizer: 'sgd', batchSize: 8, warmupEpochs: 0, learningRate: 1e-30 },
  });

for (const name of ARCHITECTURE_METHODS.filter((name) => ONE_SHOT[name] !== ONE_SHOT['pc-darts']))
  for (const [kind, space] of Object.entries(SPACES))
    test(`${name}, ${kind}: what it derives starts from the weights of the supernet`, async () => {
      const method: OneShotDefinition = ONE_SHOT[name];
      const options = OPTIONS[name] ?? {};
      assert.equal(method.otherShapes?.(options), undefined);
      const settings = { ...DEFAULT_SETTINGS, epochs: 3, batchSize: 8 };
      const supernet = await method.open(
        { engine: referenceEngine(), ...data, space, settings, rng: (...labels) => rng('start', ...labels) },
        options,
      );
      await trainUntil(supernet, 3);
      const trained = await supernet.checkpoint();
      await supernet.dispose();
      const artifacts = artifactsInMemory();
      const shared = await artifacts.put(encodeCheckpoint(trained));
      const architecture: Architecture = trained.history.at(-1)?.mixture?.genotype ?? sample(space, rng('any'));
      const run = runOf({ artifacts, fidelity: once, shared });
      const { checkpoint = '' } = await still('supernet').estimate({ space, architecture }, run);
      const { tensors } = decodeCheckpoint(await artifacts.get(checkpoint));
      const weights = Object.keys(tensors).filter((path) => /\/(weight|bias|scale|shift)$/.test(path));
      assert.ok(weights.length >= 2, Object.keys(tensors).join());
      for (const path of weights) assert.deepEqual(tensors[path], trained.tensors[path], path);
    });

test('a network that cannot start from its supernet fails with the reason', async () => {
  const space = pointSpace(data.info);
  const candidate = { space, architecture: { first: 'plain', second: 'skip' } };
  const artifacts = artifactsInMemory();
  const isFailure = (reason: RegExp) => (error: unknown) => error instanceof TrialFailure && reason.test(error.message);
  const start = (shared?: string) =>
    still('supernet').estimate(candidate, runOf({ artifacts, fidelity: once, ...(shared && { shared }) }));
  await assert.rejects(start(), isFailure(/no supernet to start from/));
  await assert.rejects(start(await artifacts.put(new Uint8Array(3))), isFailure(/supernet cannot be read/));
  const tensorsOf = (tensors: Parameters<typeof encodeCheckpoint>[0]['tensors']) =>
    artifacts.put(encodeCheckpoint({ history: [], steps: 0, tensors }));
  await assert.rejects(start(await tensorsOf({})), isFailure(/the supernet has no tensor "0\/weight"/));
  const other = { '0/weight': { shape: [1], data: Float32Array.of(1) } };
  await assert.rejects(start(await tensorsOf(other)), isFailure(/"0\/weight" is \[1\]; that of the network is/));
});

test('a supernet starts from the weights of another network where they fit', async () => {
  const space = SPACES.cells;
  const open = (change: object = {}) =>
    ONE_SHOT.darts.open(
      {
        ...{ engine: referenceEngine(), ...data, space, rng: (...labels) => rng('pretrained', ...labels) },
        ...{ settings: { ...DEFAULT_SETTINGS, epochs: 3, batchSize: 8 }, ...change },
      },
      {},
    );
  const trained = await open();
  await trained.epoch();
  const { tensors: weights } = await trained.checkpoint();
  await trained.dispose();
  const isWeight = (path: string) => /\/(weight|bias|scale|shift)$/.test(path);
  // One that has another shape stays fresh, and so does what the other network lacks.
  const [odd = '', missing = '', ...others] = Object.keys(weights).filter(isWeight);
  const { [missing]: _, ...given } = weights;
  const theirs = { ...given, [odd]: { shape: [1], data: Float32Array.of(7) } };
  const tensors = Object.entries(theirs).map(([path, { shape }]) => ({ path, shape }));
  const fresh = await open();
  const { tensors: before } = await fresh.checkpoint();
  await fresh.dispose();
  const started = await open({ pretrained: { tensors, weights: theirs, firstToken: 0, sameOutputs: true } });
  const { tensors: after } = await started.checkpoint();
  await started.dispose();
  assert.ok(others.length > 2);
  for (const path of others) assert.deepEqual(after[path], weights[path], path);
  for (const path of [odd, missing]) assert.deepEqual(after[path], before[path], path);
  assert.notDeepEqual(before[others[0] ?? ''], weights[others[0] ?? '']);
});
