import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { Engine } from '../engine/engine.ts';
import { programBytes } from '../engine/memory.ts';
import { linear, relu, sequential } from '../space/tree/builders.ts';
import { MemoryShortage } from './failure.ts';
import { type TrainRequest, trainNetwork } from './loop.ts';
import { inferenceGraph, trainingGraph } from './program.ts';
import { openPrograms } from './programs.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { blobs } from './testing/blobs.ts';
import { referenceEngine } from './testing/reference-engine.ts';

const networkOf = (units: number) => sequential(linear(units), relu(), linear('outputs'));
const settings = { ...DEFAULT_SETTINGS, optimizer: 'sgd', epochs: 1, batchSize: 16, warmupEpochs: 0 } as const;
const { info } = blobs();
const on = (units = 8) => ({ network: networkOf(units), info, resolution: 1 });

/** The reference engine, with a count of the programs that it compiled, and of those it disposed of. */
function counting(): Engine & { readonly compiled: number; readonly disposed: number } {
  const engine = referenceEngine();
  let [compiled, disposed] = [0, 0];
  return {
    ...engine,
    get compiled() {
      return compiled;
    },
    get disposed() {
      return disposed;
    },
    async compile(graph, carries) {
      compiled++;
      const program = await engine.compile(graph, carries);
      return { ...program, dispose: async () => void disposed++ };
    },
  };
}

test('what is given back is leased again for the same network, data and settings of the graph', async () => {
  const engine = counting();
  const programs = openPrograms(engine);
  const first = await programs.training(on(), settings, 16);
  await first.release();
  const elsewhere = { ...settings, learningRate: 0.5, epochs: 7 };
  const again = await programs.training({ ...on() }, elsewhere, 16);
  assert.equal(again.program, first.program);
  assert.deepEqual(again.built, first.built);
  await again.release();
  for (const other of [
    () => programs.training(on(9), settings, 16),
    () => programs.training(on(), settings, 8),
    () => programs.training(on(), { ...settings, weightDecay: 0.1 }, 16),
    () => programs.training({ ...on(), info: { ...info, mean: [1, 1] } }, settings, 16),
    () => programs.inference(on(), 16),
  ]) {
    const leased = await other();
    assert.notEqual(leased.program, first.program);
    await leased.release();
  }
  assert.equal(engine.compiled, 6);
});

test('a program that is in use is not leased to another; of two alike one is kept', async () => {
  const engine = counting();
  const programs = openPrograms(engine);
  const [one, other] = [await programs.inference(on(), 16), await programs.inference(on(), 16)];
  assert.notEqual(one.program, other.program);
  await one.release();
  await other.release();
  await other.release();
  assert.deepEqual([engine.compiled, engine.disposed], [2, 1]);
  await programs.dispose();
  assert.equal(engine.disposed, 2);
});

test('the least recently used are disposed of first', async () => {
  const engine = counting();
  const programs = openPrograms(engine, { keep: 2 });
  const use = async (units: number) => (await programs.inference(on(units), 16)).release();
  for (const units of [1, 2, 1, 3]) await use(units);
  assert.deepEqual([engine.compiled, engine.disposed], [3, 1]);
  await use(1);
  await use(3);
  assert.equal(engine.compiled, 3);
  await use(2);
  assert.deepEqual([engine.compiled, engine.disposed], [4, 2]);
});

test('after the end, or with none to keep, returned programs are disposed of', async () => {
  for (const keep of [0, 8]) {
    const engine = counting();
    const programs = openPrograms(engine, { keep });
    const leased = await programs.inference(on(), 16);
    if (keep > 0) await programs.dispose();
    assert.equal(engine.disposed, 0);
    await leased.release();
    assert.equal(engine.disposed, 1);
  }
});

test('kept programs make room for a new one; what does not fit even so is refused with the numbers', async () => {
  const engine = counting();
  const bytes = programBytes(inferenceGraph(on(), 16).graph, 0);
  const programs = openPrograms(engine, { memory: Math.round(1.5 * bytes) });
  await (await programs.inference(on(), 16)).release();
  const held = await programs.inference(on(9), 16);
  assert.equal(engine.disposed, 1);
  await assert.rejects(programs.inference(on(), 16), (error) => {
    assert.ok(error instanceof MemoryShortage);
    assert.match(
      error.message,
      /^training needs about \d+ MiB of memory, but \d+ MiB are left of the memory limit of this process/,
    );
    return true;
  });
  await held.release();
  await (await programs.inference(on(), 16)).release();
  const large = programBytes(trainingGraph(on(), settings, 1_000_000).graph, 0);
  assert.ok(large > 1.5 * bytes);
  await assert.rejects(programs.training(on(), settings, 1_000_000), MemoryShortage);
  assert.equal(engine.compiled, 3);
});

test('what is kept stays within a quarter of the memory, but for the programs of one training', async () => {
  const engine = counting();
  const bytes = programBytes(inferenceGraph(on(), 16).graph, 0);
  const programs = openPrograms(engine, { memory: 14 * bytes });
  const use = async (units: number) => (await programs.inference(on(units), 16)).release();
  for (const units of [1, 2, 3, 4]) await use(units);
  assert.deepEqual([engine.compiled, engine.disposed], [4, 1]);
  const tight = openPrograms(engine, { memory: 3 * bytes });
  const uses = async (units: number) => (await tight.inference(on(units), 16)).release();
  for (const units of [1, 2, 1, 2]) await uses(units);
  assert.deepEqual([engine.compiled, engine.disposed], [6, 1]);
});

test('a compilation that fails leaves nothing behind', async () => {
  const engine = counting();
  const bytes = programBytes(inferenceGraph(on(), 16).graph, 0);
  const failing: Engine = { ...engine, compile: () => Promise.reject(new Error('no')) };
  const programs = openPrograms(failing, { memory: Math.round(1.5 * bytes) });
  await assert.rejects(programs.inference(on(), 16), { message: 'no' });
  await assert.rejects(programs.inference(on(), 16), { message: 'no' });
});

test('trainings of one network share its programs, with the same results as without', async () => {
  const engine = counting();
  const programs = openPrograms(engine);
  const request = (seed: number): TrainRequest => ({
    engine,
    network: networkOf(8),
    ...blobs(),
    settings,
    rng: (...labels) => rng('programs', seed, ...labels),
  });
  const weightsOf = async (seed: number, shared: Partial<TrainRequest>) => {
    const training = await trainNetwork({ ...request(seed), ...shared });
    const weights = await training.weights();
    await training.dispose();
    return weights;
  };
  const shared = [await weightsOf(1, { programs }), await weightsOf(2, { programs })];
  assert.deepEqual([engine.compiled, engine.disposed], [2, 0]);
  assert.deepEqual(shared, [await weightsOf(1, {}), await weightsOf(2, {})]);
  assert.deepEqual([engine.compiled, engine.disposed], [6, 4]);
});

test('programs stay usable after a network that cannot be built, or a failed training', async () => {
  const engine = counting();
  const programs = openPrograms(engine);
  const request = { engine, programs, network: networkOf(8), ...blobs(), settings, rng };
  const exploding = { ...settings, learningRate: 1e30, batchSize: 8 };
  await assert.rejects(trainNetwork({ ...request, settings: exploding }), /the loss is/);
  await assert.rejects(trainNetwork({ ...request, network: linear(7) }), /cannot be built/);
  await (await trainNetwork({ ...request, settings: { ...exploding, learningRate: 0.01 } })).dispose();
  assert.equal(engine.compiled, 2);
  await programs.dispose();
  assert.equal(engine.disposed, 2);
});
