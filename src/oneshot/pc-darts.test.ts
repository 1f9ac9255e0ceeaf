import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { SPACES } from '../space/spaces/index.ts';
import { checkArchitecture } from '../space/tree/architecture.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../train/checkpoint.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { timeless, trainableConformance } from '../train/testing/conformance.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { trainUntil } from '../train/trainable.ts';
import { ONE_SHOT } from './index.ts';
import type { SupernetRequest } from './supernet.ts';
import { cells, pointSpace } from './testing/space.ts';

const method = ONE_SHOT['pc-darts'];
const data = blobs(48, 12);
const space = cells.create(data.info);
const request = (seed = 'mine', change: Partial<SupernetRequest> = {}): SupernetRequest => ({
  engine: referenceEngine(),
  ...data,
  space,
  settings: { ...DEFAULT_SETTINGS, epochs: 3, batchSize: 8 },
  rng: (...labels) => rng('pc-darts', seed, ...labels),
  ...change,
});

trainableConformance('pc-darts supernet', {
  valid: data.valid,
  open: ({ seed, ...opening }) => method.open(request(seed, opening), {}),
});

test('pc-darts: learns, on the engine as on the interpreter', async () => {
  const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1, layout: 'portable' });
  const losses: number[][] = [];
  for (const on of [engine, referenceEngine()]) {
    const settings = { ...request().settings, epochs: 6, learningRate: 0.03 };
    const training = await method.open(request('mine', { engine: on, settings }), {});
    await trainUntil(training, 6);
    losses.push(training.history.map(({ loss }) => loss));
    await training.dispose();
  }
  await engine.dispose();
  const [found = [], expected = []] = losses;
  assert.ok((found.at(-1) ?? 9) < 0.7 * (found[0] ?? 0), `${found}`);
  for (const [i, loss] of expected.entries()) assert.ok(Math.abs((found[i] ?? 0) / loss - 1) < 1e-2, `${found}`);
});

test('pc-darts: both kinds of shares rest in the first epochs, then move; the record has both', async () => {
  const settings = { ...request().settings, epochs: 4 };
  const training = await method.open(request('mine', { settings }), { warmupShare: 0.5, archLearningRate: 0.1 });
  await trainUntil(training, 4);
  const [first, second, third] = training.history.map(({ mixture }) => mixture);
  assert.deepEqual(second?.weights, first?.weights);
  assert.deepEqual(second?.edges, first?.edges);
  assert.notDeepEqual(third?.weights, second?.weights);
  assert.notDeepEqual(third?.edges, second?.edges);
  assert.deepEqual(
    Object.entries(third?.edges ?? {}).map(([name, row]) => [name, row.length]),
    [
      ['cell/2<-', 2],
      ['cell/3<-', 3],
    ],
  );
  for (const row of Object.values(third?.edges ?? {}))
    assert.ok(Math.abs(row.reduce((sum, share) => sum + share, 0) - 1) < 1e-6);
  checkArchitecture(space, third?.genotype ?? {});
  const read = decodeCheckpoint(encodeCheckpoint(await training.checkpoint()));
  assert.deepEqual(timeless(read.history), timeless(training.history));
  await training.dispose();
});

test('pc-darts: without edge normalization, edges have no shares', async () => {
  const training = await method.open(request(), { edgeNormalization: false });
  const { mixture } = await training.epoch();
  assert.equal(mixture?.edges, undefined);
  const { tensors } = await training.checkpoint();
  assert.deepEqual(
    Object.keys(tensors).filter((name) => name.startsWith('edges')),
    [],
  );
  await training.dispose();
});

test('pc-darts: opens on nas-bench-201, and its weights have a part of the channels', async () => {
  const info = { ...data.info, input: [3, 8, 8], mean: [0, 0, 0], deviation: [1, 1, 1] };
  const none = { count: 8, read: async () => {} };
  const on = { info, train: none, valid: none, space: SPACES['nas-bench-201'].create(info, { channels: 8, cells: 1 }) };
  const training = await method.open(request('mine', on), { partialChannels: 2 });
  const { tensors } = await training.checkpoint();
  assert.deepEqual(tensors['2/0/0->1/nor_conv_3x3/1/weight']?.shape, [4, 4, 3, 3]);
  await training.dispose();
});

test('pc-darts: options that cannot have channels split are refused with place, rule and value', async () => {
  const refuses = (change: Partial<SupernetRequest>, options: Record<string, number>, message: RegExp) =>
    assert.rejects(method.open(request('mine', change), options), (error) => {
      assert.ok(error instanceof UserError && message.test(error.message), `${error}`);
      return true;
    });
  await refuses(
    {},
    { partialChannels: 3 },
    /^network 1\/0\/0->1 \(choice\): choice "cell\/0->1" reads 8 channels; 1\/3 .* must be a multiple of 3$/u,
  );
  await refuses(
    { space: pointSpace(data.info) },
    { partialChannels: 2 },
    /^network 1 \(choice\): option "plain" of choice "first" makes \[8,6\] of \[8,3\]; partial channels need options/u,
  );
  await refuses({}, { partialChannels: 1 }, /option partialChannels is 1; must be/u);
});
