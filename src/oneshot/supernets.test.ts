import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import type { Architecture } from '../space/space.ts';
import { checkArchitecture } from '../space/tree/architecture.ts';
import { choice, dropout, float, identity, linear, sequential } from '../space/tree/builders.ts';
import { decisions } from '../space/tree/decisions.ts';
import { defineSpace } from '../space/tree/define.ts';
import { first, successor } from '../space/tree/enumerate.ts';
import { resolve } from '../space/tree/resolve.ts';
import { trainingBatches } from '../train/batches.ts';
import { decodeCheckpoint, type EpochRecord, encodeCheckpoint, type Guards } from '../train/checkpoint.ts';
import { TrainingFailure } from '../train/failure.ts';
import { evaluateNetwork } from '../train/inference.ts';
import { optimizerOf } from '../train/optimizers.ts';
import { freshTensors, trainingGraph } from '../train/program.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { timeless, trainableConformance } from '../train/testing/conformance.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { trainUntil } from '../train/trainable.ts';
import { joinTensors, splitTensors } from '../train/vectors.ts';
import { openEnasSupernet } from './enas.ts';
import { openGdasSupernet } from './gdas.ts';
import { ONE_SHOT } from './index.ts';
import { openMixtureSupernet } from './mixture.ts';
import { fairPath, openSinglePathSupernet } from './single-path.ts';
import type { SupernetRequest } from './supernet.ts';
import { pointSpace, wiredSpace } from './testing/space.ts';

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

const SMALL_ENAS = { hidden: 8, controllerSteps: 3, aggregate: 4, candidates: 3, recalibrate: 2 };
const METHODS = {
  mixture: openMixtureSupernet,
  'second-order mixture': (request: SupernetRequest) => ONE_SHOT['darts-second-order'].open(request, { warmup: 1 }),
  'beta-decay mixture': (request: SupernetRequest) => ONE_SHOT['beta-darts'].open(request, {}),
  perturbation: (request: SupernetRequest) => ONE_SHOT['darts-pt'].open(request, {}),
  'sampled mixture': (request: SupernetRequest) => ONE_SHOT.snas.open(request, {}),
  'single path': openSinglePathSupernet,
  'fair single path': (request: SupernetRequest) => openSinglePathSupernet({ ...request, sampling: 'fair' }),
  gdas: openGdasSupernet,
  enas: (request: SupernetRequest) => openEnasSupernet({ ...request, ...SMALL_ENAS }),
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
    // The last epoch of a sampled path may have drawn `none`.
    assert.ok(Math.min(...found) < 0.7 * (found[0] ?? 0), `${found}`);
    for (const [i, loss] of expected.entries()) assert.ok(Math.abs((found[i] ?? 0) / loss - 1) < 1e-2, `${found}`);
  });
}

const ARCHITECTURAL = {
  mixture: () => openMixtureSupernet({ ...request(), architecture: { learningRate: 0.1 } }),
  gdas: () => openGdasSupernet({ ...request(), archLearningRate: 0.1 }),
  enas: () => openEnasSupernet({ ...request(), ...SMALL_ENAS }),
};
for (const [name, open] of Object.entries(ARCHITECTURAL))
  test(`${name} supernet: each record has the mixture weights and the genotype, and a checkpoint keeps them`, async () => {
    const training = await open();
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

for (const [name, open] of Object.entries({
  mixture: openMixtureSupernet,
  gdas: (one: SupernetRequest) => openGdasSupernet({ ...one, recalibrate: 0 }),
}))
  test(`${name} supernet: architecture parameters and weights learn from different halves of the samples`, async () => {
    const { train } = data;
    const read: number[][] = [];
    const watched: typeof train = {
      ...train,
      read(indices, ...into) {
        read.push([...indices]);
        return train.read(indices, ...into);
      },
    };
    const training = await open(request('mine', { train: watched }));
    // The batch that guards look at.
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
  const training = await openSinglePathSupernet({ ...request(), recalibrate: 0 });
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

test('single-path supernet: before a path is measured, its statistics are computed again on training samples', async () => {
  const settings = { ...request().settings, batchSize: data.train.count };
  const opening = { ...request('mine', { settings }), recalibrate: 1 };
  const training = await openSinglePathSupernet(opening);
  await trainUntil(training, 2);
  const before = await training.checkpoint();
  for (const architecture of [
    { first: 'plain', second: 'skip' },
    { first: 'twice', second: 'skip' },
  ]) {
    // A step of the network alone on all training samples: statistics move a tenth of the way to the batch's.
    const network = resolve(space, architecture);
    const own = trainingGraph({ network, info: data.info, resolution: 1 }, settings, data.train.count);
    const engine = referenceEngine();
    const program = await engine.compile(own.graph, own.carries);
    const fresh = freshTensors(own, (...labels) => rng(...labels));
    const weights = Object.fromEntries(Object.keys(fresh).map((name) => [name, before.tensors[name] ?? fresh[name]]));
    const state = engine.createState(joinTensors(own.vectors, weights as typeof fresh));
    const batches = trainingBatches(data.train, data.info, settings);
    const feeds = await batches.epoch(0, (...labels) => rng(...labels)).prepare();
    const scalars = Object.entries(optimizerOf(settings).scalars(0, 1));
    const asTensors = Object.fromEntries(scalars.map(([k, v]) => [k, { shape: [], data: Float32Array.of(v) }]));
    await program.run({ ...feeds, ...asTensors }, state);
    const after = splitTensors(own.vectors, await state.read());
    const moved = own.statistics.map(({ path, shape }) => {
      const old = before.tensors[path]?.data ?? [];
      return [
        path,
        { shape, data: (after[path]?.data ?? new Float32Array()).map((v, i) => (v - 0.9 * (old[i] ?? 0)) / 0.1) },
      ] as const;
    });
    assert.ok(moved.length > 0);
    const evaluation = { engine, network, info: data.info, samples: data.valid };
    const alone = await evaluateNetwork({
      ...evaluation,
      weights: { ...before.tensors, ...Object.fromEntries(moved) },
    });
    const running = await evaluateNetwork({ ...evaluation, weights: before.tensors });
    const { metrics } = await training.measurePath(architecture, data.valid);
    assert.ok(
      Math.abs((metrics.loss ?? 9) - (alone.metrics.loss ?? 0)) < 1e-4,
      `${metrics.loss}, ${alone.metrics.loss}`,
    );
    assert.ok(Math.abs((metrics.loss ?? 9) - (running.metrics.loss ?? 0)) > 1e-2, `${metrics.loss}`);
  }
  assert.deepEqual(await training.checkpoint(), before);
});

test('fair sampling: each group of as many steps as a decision has options takes every option once', () => {
  const streams = (...labels: readonly (string | number)[]) => rng('fair test', ...labels);
  const paths = Array.from({ length: 12 }, (_, step) => fairPath(space, step, streams));
  for (const [decision, size] of [
    ['first', 2],
    ['second', 3],
  ] as const) {
    const taken = paths.map((path) => String(path[decision]));
    for (let start = 0; start < 12; start += size) assert.equal(new Set(taken.slice(start, start + size)).size, size);
    // The order differs from group to group.
    const groups = Array.from({ length: 12 / size }, (_, i) => taken.slice(i * size, (i + 1) * size).join());
    assert.ok(new Set(groups).size > 1, decision);
  }
});

test('enas: the controller turns away from the option that learns nothing, and the record is that of the best candidate', async () => {
  const enas = { ...SMALL_ENAS, controllerLearningRate: 0.03, controllerSteps: 8, aggregate: 6 };
  const training = await openEnasSupernet({ ...request(), ...enas });
  await trainUntil(training, 4);
  // Behind `none`, the first of its options, all samples are of one class.
  const [none = 1] = training.history.at(-1)?.mixture?.weights.second ?? [];
  assert.ok(none < 0.2, `${none}`);
  const last = training.history.at(-1);
  assert.notEqual(last?.mixture?.genotype.second, 'none');
  assert.deepEqual((await training.measure(data.valid)).metrics, last?.valid);
});

test('enas: a checkpoint has the whole controller, and one of another controller is refused', async () => {
  const training = await openEnasSupernet({ ...request(), ...SMALL_ENAS });
  await trainUntil(training, 1);
  const checkpoint = await training.checkpoint();
  assert.deepEqual(
    Object.keys(checkpoint.tensors).filter((name) => name.startsWith('controller:')),
    ['controller:weights', 'controller:mean', 'controller:square', 'controller:steps', 'controller:baseline'],
  );
  assert.equal(checkpoint.tensors['controller:steps']?.data[0], SMALL_ENAS.controllerSteps);
  await assert.rejects(
    openEnasSupernet({ ...request(), ...SMALL_ENAS, hidden: 12, checkpoint }),
    (error) => error instanceof TrainingFailure && /controller/.test(error.message),
  );
});

test('enas without validation samples is refused', async () => {
  const { valid: _, ...others } = request();
  await assert.rejects(openEnasSupernet({ ...others, ...SMALL_ENAS }), TrainingFailure);
});

test('where wiring is open, gdas trains all edges and picks inputs when it derives; enas has a probability for each set of inputs', async () => {
  const wired = wiredSpace(data.info);
  const gdas = await openGdasSupernet({ ...request('mine', { space: wired }), recalibrate: 0 });
  const before = await gdas.checkpoint();
  await trainUntil(gdas, 2);
  const { tensors, history } = await gdas.checkpoint();
  const weights = Object.keys(tensors).filter((name) => /->.*plain.*weight$/.test(name));
  assert.equal(weights.filter((name) => name.startsWith('1/')).length, weights.length);
  assert.ok(weights.length >= 6, `${weights}`);
  for (const name of weights) assert.notDeepEqual(tensors[name], before.tensors[name], name);
  const last = history.at(-1);
  const genotype = checkArchitecture(wired, last?.mixture?.genotype ?? {});
  // It is measured without the edges that it does not pick.
  const alone = await evaluateNetwork({
    ...{ engine: referenceEngine(), network: resolve(wired, genotype), weights: tensors },
    ...{ info: data.info, samples: data.valid },
  });
  assert.ok(Math.abs((last?.valid.loss ?? 9) - (alone.metrics.loss ?? 0)) < 1e-5, `${last?.valid.loss}`);
  const enas = await openEnasSupernet({ ...request('mine', { space: wired }), ...SMALL_ENAS });
  const { mixture } = await enas.epoch();
  checkArchitecture(wired, mixture?.genotype ?? {});
  assert.deepEqual(
    Object.values(mixture?.weights ?? {}).map((row) => row.length),
    decisions(wired).map(({ domain }) => (domain.kind === 'inputs' ? domain.from : 2)),
  );
});

test('gdas supernet: while it warms up, only the weights of the network train', async () => {
  const training = await openGdasSupernet({ ...request(), archLearningRate: 0.1, warmup: 2 });
  await trainUntil(training, 3);
  const [first, second, third] = training.history.map(({ mixture }) => mixture?.weights);
  assert.deepEqual(first, second);
  assert.notDeepEqual(second, third);
  await training.dispose();
});
