import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { SPACES } from '../space/spaces/index.ts';
import { checkArchitecture } from '../space/tree/architecture.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../train/checkpoint.ts';
import { TrainingFailure } from '../train/failure.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { timeless, trainableConformance } from '../train/testing/conformance.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { trainUntil } from '../train/trainable.ts';
import { ONE_SHOT } from './index.ts';
import { openProgressiveSupernet, type ProgressiveOptions, skipDropoutAt, stagesOf } from './p-darts.ts';
import type { SupernetRequest } from './supernet.ts';
import { cells, pointSpace } from './testing/space.ts';

const method = ONE_SHOT['p-darts'];
const data = blobs(32, 12);
const space = cells.create(data.info, { cells: 3 });
const request = (seed = 'mine', change: Partial<SupernetRequest> = {}): SupernetRequest => ({
  engine: referenceEngine(),
  ...data,
  space,
  settings: { ...DEFAULT_SETTINGS, epochs: 3, batchSize: 8 },
  rng: (...labels) => rng('p-darts', seed, ...labels),
  ...change,
});
const SHRINKING = { operations2: 3, operations3: 2, archLearningRate: 0.1, warmupShare: 0 };
const defaults = method.check({}) as ProgressiveOptions;

trainableConformance('p-darts search', {
  valid: data.valid,
  open: ({ seed, ...opening }) => method.open(request(seed, opening), SHRINKING),
});

test('p-darts: learns in each stage, on the engine as on the interpreter', async () => {
  const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1, layout: 'portable' });
  const losses: number[][] = [];
  for (const on of [engine, referenceEngine()]) {
    const settings = { ...request().settings, epochs: 6, learningRate: 0.03, warmupEpochs: 0 };
    const training = await method.open(request('mine', { engine: on, settings, train: blobs(96).train }), SHRINKING);
    await trainUntil(training, 6);
    losses.push(training.history.map(({ loss }) => loss));
    await training.dispose();
  }
  await engine.dispose();
  const [found = [], expected = []] = losses;
  for (const first of [0, 2, 4]) assert.ok((found[first + 1] ?? 9) < (found[first] ?? 0), `${found}`);
  for (const [i, loss] of expected.entries()) assert.ok(Math.abs((found[i] ?? 0) / loss - 1) < 1e-2, `${found}`);
});

test('p-darts: each stage has more cells and fewer options, those that were strongest; resumed within a stage, nothing differs', async () => {
  const settings = { ...request().settings, epochs: 6 };
  const whole = await method.open(request('mine', { settings }), SHRINKING);
  const cellsIn: number[] = [];
  let middle: Uint8Array | undefined;
  while (whole.history.length < 6) {
    await whole.epoch();
    const checkpoint = await whole.checkpoint();
    const paths = Object.keys(checkpoint.tensors).flatMap((path) => /^1\/(\d+)\//u.exec(path)?.[1] ?? []);
    cellsIn.push(new Set(paths).size);
    if (whole.history.length === 3) middle = encodeCheckpoint(checkpoint);
  }
  assert.deepEqual(cellsIn, [1, 1, 2, 2, 3, 3]);
  assert.deepEqual(
    whole.history.map(({ epoch, mixture }) => [epoch, mixture?.stage]),
    [1, 2, 3, 4, 5, 6].map((epoch) => [epoch, Math.ceil(epoch / 2)]),
  );
  for (const [i, { mixture }] of whole.history.entries()) {
    checkArchitecture(space, mixture?.genotype ?? {});
    const left = 4 - Math.floor(i / 2);
    for (const [name, row] of Object.entries(mixture?.weights ?? {})) {
      assert.equal(row.length, 4);
      assert.equal(row.filter((weight) => weight > 0).length, left);
      assert.ok(Math.abs(row.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-6);
      const before = whole.history[2 * Math.floor(i / 2) - 1]?.mixture?.weights[name];
      const dropped = (before ?? []).filter((_, k) => row[k] === 0);
      const kept = (before ?? []).filter((_, k) => (row[k] ?? 0) > 0);
      assert.ok(before === undefined || Math.max(...dropped) <= Math.min(...kept), `${name}: ${before}, then ${row}`);
    }
  }
  const checkpoint = decodeCheckpoint(middle ?? new Uint8Array());
  assert.equal(checkpoint.history.at(-1)?.mixture?.stage, 2);
  const resumed = await method.open(request('mine', { settings, checkpoint }), SHRINKING);
  await trainUntil(resumed, 6);
  assert.deepEqual(timeless(resumed.history), timeless(whole.history));
  assert.deepEqual((await resumed.checkpoint()).tensors, (await whole.checkpoint()).tensors);

  const { history, ...others } = checkpoint;
  const bare = { ...others, history: history.map(({ mixture, ...record }) => record) };
  await assert.rejects(
    method.open(request('mine', { settings, checkpoint: bare }), SHRINKING),
    (error) => error instanceof TrainingFailure && /no mixture weights of epoch 2/u.test(error.message),
  );
  await assert.rejects(
    method.open(request('mine', { settings, checkpoint: { ...checkpoint, history: history.slice(0, 2) } }), SHRINKING),
    TrainingFailure,
  );
  await whole.dispose();
  await resumed.dispose();
});

test('p-darts: a sample learns weights or architecture, the same in all stages', async () => {
  const read: (readonly number[])[] = [];
  const { train } = data;
  const watched: typeof train = {
    ...train,
    read(indices, ...into) {
      read.push([...indices]);
      return train.read(indices, ...into);
    },
  };
  const training = await method.open(request('mine', { train: watched }), SHRINKING);
  await trainUntil(training, 3);
  await training.dispose();
  // In each stage one batch for the guards, then two of the weights and two of the architecture in turn.
  assert.equal(read.length, 3 * 5);
  const turns = read.filter((_, i) => i % 5 > 0);
  const [weights, architecture] = [0, 1].map((turn) => new Set(turns.filter((_, i) => i % 2 === turn).flat()));
  assert.deepEqual([weights?.size, architecture?.size], [16, 16]);
  assert.equal(new Set([...(weights ?? []), ...(architecture ?? [])]).size, 32);
});

test('p-darts: depths of the stages; a space without cells has one depth', () => {
  const image = { kind: 'classification', input: [3, 32, 32], outputs: 10 } as const;
  const depths = (name: 'darts' | 'nas-bench-201', count: number) =>
    stagesOf(SPACES[name].create(image, { cells: count }), 75, defaults).map(({ space: own }) => own.options.cells);
  assert.deepEqual(depths('darts', 17), [5, 11, 17]);
  // Two cells of DARTS would both be reductions, which the space refuses.
  assert.deepEqual(depths('darts', 8), [3, 5, 8]);
  assert.deepEqual(depths('nas-bench-201', 5), [1, 3, 5]);
  const points = pointSpace(data.info);
  assert.deepEqual(
    stagesOf(points, 75, defaults).map(({ space: own, first, epochs, warmup }) => [
      own === points,
      first,
      epochs,
      warmup,
    ]),
    [
      [true, 0, 25, 10],
      [true, 25, 25, 10],
      [true, 50, 25, 10],
    ],
  );
  assert.deepEqual(
    stagesOf(points, 7, defaults).map(({ first, epochs }) => [first, epochs]),
    [
      [0, 3],
      [3, 2],
      [5, 2],
    ],
  );
});

test('p-darts: dropout after skips falls within each stage, and is higher from stage to stage', () => {
  const [first, , last] = stagesOf(space, 75, defaults);
  assert.ok(first !== undefined && last !== undefined);
  const rates = [0, 9, 10, 24].map((epoch) => skipDropoutAt(last, epoch));
  const expected = [(0.7 * 24) / 25, (0.7 * 15) / 25, 0.7, 0.7 * Math.exp(-2.8)];
  for (const [i, rate] of rates.entries()) assert.ok(Math.abs(rate - (expected[i] ?? 9)) < 1e-12, `${rates}`);
  assert.equal(skipDropoutAt(first, 3), 0);
});

test('p-darts: for a forecast, the stage of most modules is opened, with the largest options', async () => {
  // Modules grow from stage to stage: 3 cells of 2 options are more than 1 of 4.
  const training = await method.openLargest(request(), SHRINKING);
  const { tensors } = await training.checkpoint();
  const paths = Object.keys(tensors).filter((path) => path.startsWith('1/') && path.endsWith('/weight'));
  const operations = new Set(paths.map((path) => path.split('/').at(3)));
  assert.deepEqual([...operations].toSorted(), ['relu', 'tanh']);
  assert.equal(new Set(paths.map((path) => path.split('/').at(1))).size, 3);
  await training.epoch();
  await training.dispose();
});

test('p-darts: what cannot be staged is refused with place, rule and value', async () => {
  const refuses = (options: Record<string, number>, epochs: number, message: string) =>
    assert.rejects(method.open(request('mine', { settings: { ...request().settings, epochs } }), options), (error) => {
      assert.ok(error instanceof UserError, `${error}`);
      assert.equal(error.message, message);
      return true;
    });
  const place = 'one-shot method "p-darts"';
  await refuses({}, 2, `${place}: there are 2 epochs; must be at least 3, one for each stage`);
  await refuses(
    { operations2: 3, operations3: 4 },
    3,
    `${place}: option operations3 is 4; must be at most operations2, which is 3`,
  );
  await refuses({ depth1: 0.9 }, 3, `${place}: option depth1 is 0.9; must be at most depth2, which is ${11 / 17}`);
  const numbers = openProgressiveSupernet(request('mine', { settings: { ...request().settings, epochs: 0 } }));
  await assert.rejects(numbers, UserError);
});
