import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import type { Architecture } from '../space/space.ts';
import { checkArchitecture } from '../space/tree/architecture.ts';
import { choice, dropout, float, identity, linear, sequential } from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import { first, successor } from '../space/tree/enumerate.ts';
import { resolve } from '../space/tree/resolve.ts';
import { decodeCheckpoint, type EpochRecord, encodeCheckpoint, type Guards } from '../train/checkpoint.ts';
import { TrainingFailure } from '../train/failure.ts';
import { evaluateNetwork } from '../train/inference.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { timeless, trainableConformance } from '../train/testing/conformance.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { trainUntil } from '../train/trainable.ts';
import { ONE_SHOT } from './index.ts';
import { openMixtureSupernet } from './mixture.ts';
import { openSinglePathSupernet } from './single-path.ts';
import type { SupernetRequest } from './supernet.ts';
import { pointSpace } from './testing/space.ts';

const data = blobs(48, 12);
const space = pointSpace(data.info);
const request = (seed = 'mine', change: Partial<SupernetRequest> = {}): SupernetRequest => ({
  engine: referenceEngine(),
  ...data,
  space,
  settings: { ...DEFAULT_SETTINGS, epochs: 3, batchSize: 8 },
  rng: (...labels) => rng('supernets', seed, ...labels),
  ...change,
});

const METHODS = {
  ...{ mixture: openMixtureSupernet, 'single path': openSinglePathSupernet },
  'second-order mixture': (request: SupernetRequest) => ONE_SHOT['darts-second-order'].open(request, { warmup: 1 }),
  'beta-decay mixture': (request: SupernetRequest) => ONE_SHOT['beta-darts'].open(request, {}),
  'sampled mixture': (request: SupernetRequest) => ONE_SHOT.snas.open(request, {}),
};
for (const [name, open] of Object.entries(METHODS)) {
  trainableConformance(`${name} supernet`, {
    valid: data.valid,
    open: ({ seed, ...opening }) => open(request(seed, opening)),
  });

  test(`${name} supernet: learns, on the engine as on the interpreter`, async () => {
    const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1, layout: 'portable' });
    const losses: number[][] = [];
    for (const on of [engine, referenceEngine()]) {
      const training = await open(
        request('mine', { engine: on, settings: { ...request().settings, epochs: 6, learningRate: 0.03 } }),
      );
      await trainUntil(training, 6);
      losses.push(training.history.map(({ loss }) => loss));
      await training.dispose();
    }
    await engine.dispose();
    const [found = [], expected = []] = losses;
    assert.ok((found.at(-1) ?? 9) < 0.7 * (found[0] ?? 0), `${found}`);
    for (const [i, loss] of expected.entries()) assert.ok(Math.abs((found[i] ?? 0) / loss - 1) < 1e-2, `${found}`);
  });
}

test('mixture supernet: each record has the mixture weights and the genotype, and a checkpoint keeps them', async () => {
  const training = await openMixtureSupernet({ ...request(), architecture: { learningRate: 0.1 } });
  await trainUntil(training, 2);
  for (const { mixture } of training.history) {
    assert.deepEqual(Object.keys(mixture?.weights ?? {}), ['first', 'second']);
    assert.deepEqual(
      Object.values(mixture?.weights ?? {}).map((row) => row.length),
      [2, 3],
    );
    for (const row of Object.values(mixture?.weights ?? {}))
      assert.ok(Math.abs(row.reduce((sum, share) => sum + share, 0) - 1) < 1e-6);
    checkArchitecture(space, mixture?.genotype ?? {});
  }
  const [first, second] = training.history;
  assert.notDeepEqual(first?.mixture?.weights, second?.mixture?.weights);
  const read = decodeCheckpoint(encodeCheckpoint(await training.checkpoint()));
  assert.deepEqual(timeless(read.history), timeless(training.history));
});

test('mixture supernet: architecture parameters and weights learn from different halves of the samples', async () => {
  const { train } = data;
  const read: number[][] = [];
  const watched: typeof train = {
    ...train,
    read(indices, ...into) {
      read.push([...indices]);
      return train.read(indices, ...into);
    },
  };
  const training = await openMixtureSupernet(request('mine', { train: watched }));
  // The batch that the guards look at.
  read.length = 0;
  await trainUntil(training, 2);
  const weights = new Set(read.filter((_, i) => i % 2 === 0).flat());
  const architecture = new Set(read.filter((_, i) => i % 2 === 1).flat());
  assert.deepEqual([weights.size, architecture.size], [24, 24]);
  assert.equal(new Set([...weights, ...architecture]).size, 48);
});

test('mixture supernet: in epochs of warm-up, the architecture stays as it began, and its half of the samples rests', async () => {
  const { train } = data;
  let reads = 0;
  const watched: typeof train = {
    ...train,
    read(...given) {
      reads++;
      return train.read(...given);
    },
  };
  const architecture = { learningRate: 0.1, warmup: 2 };
  const training = await openMixtureSupernet({ ...request('mine', { train: watched }), architecture });
  const { tensors: fresh } = await training.checkpoint();
  const counts: number[] = [];
  for (let epoch = 1; epoch <= 3; epoch++) {
    const before = reads;
    await training.epoch();
    counts.push(reads - before);
    const { tensors } = await training.checkpoint();
    const paths = Object.keys(tensors).filter((name) => name.startsWith('architecture:'));
    const picked = (all: typeof tensors) => paths.map((path) => all[path]);
    if (epoch <= 2) assert.deepEqual(picked(tensors), picked(fresh));
    else assert.notDeepEqual(picked(tensors), picked(fresh));
    assert.notDeepEqual(tensors, fresh);
  }
  assert.deepEqual(counts, [3, 3, 6]);
});

test('mixture supernet: stops when the eigenvalue has grown, if told to, and hands on the epoch before', async () => {
  const first = await openMixtureSupernet(request());
  await first.epoch();
  const { tensors, steps, history } = await first.checkpoint();
  const [record] = history;
  const grown = [1, 1, 1, 1, 1, 2, 2].map((eigenvalue, i) => ({
    ...(record as EpochRecord),
    epoch: i + 1,
    guards: { ...(record?.guards as Guards), eigenvalue },
  }));
  const openAfter = (epochs: number, eigenvalueStop: boolean) =>
    openMixtureSupernet({
      ...request('mine', { checkpoint: { tensors, steps, history: grown.slice(0, epochs) } }),
      architecture: { eigenvalueStop },
    });
  const stopped = await openAfter(7, true);
  assert.deepEqual([stopped.hasStopped?.(), stopped.keptEpoch?.()], [true, 2]);
  await trainUntil(stopped, 9);
  assert.equal(stopped.history.length, 7);
  const before = await openAfter(6, true);
  assert.deepEqual([before.hasStopped?.(), before.keptEpoch?.()], [false, undefined]);
  const untold = await openAfter(7, false);
  assert.deepEqual([untold.hasStopped, untold.keptEpoch], [undefined, undefined]);
});

test('mixture supernet: the genotype keeps the cap of skip connections', async () => {
  const genotypes = async (skipCap: number) => {
    const training = await openMixtureSupernet({
      ...request('mine', { space: defineSpace('skips', skipping).create(data.info) }),
      architecture: { skipCap, learningRate: 0.01 },
    });
    await training.epoch();
    return Object.values(training.history[0]?.mixture?.genotype ?? {});
  };
  const skipping = () => sequential(linear(2), ...['a', 'b'].map(skip), linear('outputs'));
  const skip = (name: string) => choice(name, { one: identity(), two: identity(), block: linear(2) });
  assert.deepEqual(await genotypes(0), ['block', 'block']);
  assert.ok((await genotypes(2)).some((option) => option !== 'block'));
});

test('sampled mixture: weights and architecture learn from all samples, at a temperature that falls', async () => {
  const engine = referenceEngine();
  const temperatures: number[] = [];
  const watched: typeof engine = {
    ...engine,
    async compile(...given) {
      const program = await engine.compile(...given);
      return {
        ...program,
        run(feeds, state) {
          if (feeds.learningRate !== undefined && feeds.temperature !== undefined)
            temperatures.push(feeds.temperature.data[0] ?? Number.NaN);
          return program.run(feeds, state);
        },
      };
    },
  };
  const seen = new Set<number>();
  const { train } = data;
  const counted: typeof train = {
    ...train,
    read(indices, ...into) {
      for (const index of indices) seen.add(index);
      return train.read(indices, ...into);
    },
  };
  const training = await ONE_SHOT.snas.open(request('mine', { engine: watched, train: counted }), {
    lastTemperature: 0.125,
  });
  seen.clear();
  const { tensors: fresh } = await training.checkpoint();
  await training.epoch();
  assert.equal(seen.size, 48);
  await trainUntil(training, 3);
  const { tensors } = await training.checkpoint();
  const path = 'architecture:2';
  assert.notDeepEqual(tensors[path], fresh[path]);
  // Three epochs of six steps.
  const expected = Array.from({ length: 18 }, (_, step) => 0.125 ** (step / 18));
  assert.deepEqual(temperatures, expected.map(Math.fround));
});

test('a space that mixture weights cannot decide is refused before training', async () => {
  const numbers = defineSpace('numbers', () => sequential(dropout(float('rate', 0, 0.5)), linear('outputs')));
  await assert.rejects(
    openMixtureSupernet(request('mine', { space: numbers.create(data.info) })),
    (error) => error instanceof TrainingFailure && /choice "rate" is open/.test(error.message),
  );
});

test('single-path supernet: a path measures as its own network with the weights of the same names', async () => {
  const training = await openSinglePathSupernet(request());
  await trainUntil(training, 2);
  const { tensors: weights } = await training.checkpoint();
  const seen = new Set<number>();
  let architecture: Architecture | undefined = first(space);
  for (; architecture !== undefined; architecture = successor(space, architecture)) {
    const network = resolve(space, architecture);
    const alone = await evaluateNetwork({
      ...{ engine: referenceEngine(), network, weights },
      ...{ info: data.info, samples: data.valid },
    });
    const { metrics } = await training.measurePath(architecture, data.valid);
    for (const [name, value] of Object.entries(alone.metrics))
      assert.ok(Math.abs((metrics[name] ?? 9) - value) < 1e-5, `${name}: ${metrics[name]}, alone ${value}`);
    seen.add(metrics.loss ?? 0);
  }
  assert.ok(seen.size >= 4, `${seen.size} different losses`);
  await assert.rejects(training.measurePath({ first: 'sideways', second: 'skip' }, data.valid), UserError);
});
