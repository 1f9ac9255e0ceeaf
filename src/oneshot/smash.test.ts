import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import type { EstimateRun } from '../estimate/estimator.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import { type FedTensor, interpret } from '../graph/interpret.ts';
import { initialize } from '../network/initialize.ts';
import type { Architecture } from '../space/space.ts';
import { activation, choice, identity, linear, sequential, zero } from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import { first, successor } from '../space/tree/enumerate.ts';
import { supernet } from '../space/tree/resolve.ts';
import { trainingBatches } from '../train/batches.ts';
import { encodeCheckpoint } from '../train/checkpoint.ts';
import { forwardGraph } from '../train/forward.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { pathFeeds } from '../train/single-path.ts';
import { blobs } from '../train/testing/blobs.ts';
import { trainableConformance } from '../train/testing/conformance.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { trainUntil } from '../train/trainable.ts';
import { joinTensors } from '../train/vectors.ts';
import { ONE_SHOT } from './index.ts';
import { sharedWeightsEstimator } from './shared-weights.ts';
import type { SupernetRequest } from './supernet.ts';
import { pointSpace, wiredSpace } from './testing/space.ts';

const data = blobs(48, 12);
const space = pointSpace(data.info);
const request = (seed = 'mine', change: Partial<SupernetRequest> = {}): SupernetRequest => ({
  engine: referenceEngine(),
  ...data,
  space,
  settings: { ...DEFAULT_SETTINGS, epochs: 3, batchSize: 8 },
  rng: (...labels) => rng('smash', seed, ...labels),
  ...change,
});

trainableConformance('smash supernet', {
  valid: data.valid,
  open: ({ seed, ...opening }) => ONE_SHOT.smash.open(request(seed, opening), {}),
});

test('smash: learns, on the engine as on the interpreter', async () => {
  const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1, layout: 'portable' });
  const losses: number[][] = [];
  for (const on of [engine, referenceEngine()]) {
    const settings = { ...request().settings, epochs: 6, learningRate: 0.03 };
    const training = await ONE_SHOT.smash.open(request('mine', { engine: on, settings }), {});
    await trainUntil(training, 6);
    losses.push(training.history.map(({ loss }) => loss));
    await training.dispose();
  }
  await engine.dispose();
  const [found = [], expected = []] = losses;
  assert.ok(Math.min(...found) < 0.7 * (found[0] ?? 0), `${found}`);
  for (const [i, loss] of expected.entries()) assert.ok(Math.abs((found[i] ?? 0) / loss - 1) < 1e-2, `${found}`);
});

test('smash: the gradients by the hypernetwork are those of finite differences', async () => {
  const block = (units: number) => sequential(linear(units), activation('tanh'));
  const smooth = defineSpace('smooth', () =>
    sequential(
      linear(3),
      choice('first', { none: zero(), skip: identity(), block: block(3) }),
      choice('second', { one: block(3), two: sequential(block(4), block(3)) }),
      linear('outputs'),
    ),
  ).create(data.info);
  const on = {
    ...{ network: supernet(smooth), info: data.info, resolution: 1 },
    choices: { kind: 'generated', hidden: 4, rank: 2 },
  } as const;
  const forward = forwardGraph(on, 8);
  const g = createGraph(forward.graph);
  const found = gradients(
    g,
    forward.loss,
    forward.trained.map(({ node }) => node),
  );
  const named = forward.trained.map(({ name }, i) => [name, found[i] ?? forward.loss] as const);
  const graph = finish(g, { loss: forward.loss, ...Object.fromEntries(named) });
  const fresh = initialize(forward.parameters, (...labels) => rng('gradients', ...labels));
  for (const [name, { data }] of Object.entries(fresh))
    if (name.endsWith('/patterns')) for (let i = 0; i < data.length; i++) data[i] = rng('pattern', name, i).normal();
  const batches = trainingBatches(data.train, data.info, { ...DEFAULT_SETTINGS, batchSize: 8 });
  const batch = await batches.epoch(0, (...labels) => rng(...labels)).prepare();
  const path = pathFeeds(on, { ...forward, graph })({ first: 'block', second: 'two' });
  const state: Record<string, FedTensor> = { ...batch, ...path };
  for (const [name, { shape, data }] of Object.entries(joinTensors(forward.trained, fresh)))
    state[name] = { shape, data: Float64Array.from(data) };
  const slopes = interpret(graph, state);
  const checked = new Set<string>();
  for (const { name, parts } of forward.trained) {
    const { shape, data: values } = state[name] as FedTensor;
    const names = parts.flatMap((part) =>
      Array.from({ length: part.shape.reduce((a, b) => a * b, 1) }, () => part.name),
    );
    const at = (i: number, step: number) => {
      const moved = { shape, data: Float64Array.from(values, (value, k) => (k === i ? value + step : value)) };
      return interpret(graph, { ...state, [name]: moved }).loss?.data[0] ?? Number.NaN;
    };
    for (let i = 0; i < values.length; i++) {
      const expected = (at(i, 1e-5) - at(i, -1e-5)) / 2e-5;
      const slope = slopes[name]?.data[i] ?? Number.NaN;
      assert.ok(Math.abs(slope - expected) < 1e-6 * (1 + Math.abs(expected)), `${names[i]}: ${slope}, ${expected}`);
      if (Math.abs(expected) > 1e-4) checked.add((names[i] ?? '').replace(/^(?!hypernetwork).*\//, ''));
    }
  }
  assert.deepEqual([...checked].sort(), [
    ...['bias', 'hypernetwork/bias', 'hypernetwork/weight', 'patterns', 'scales', 'slices', 'weight'],
  ]);
});

for (const [name, searched] of [
  ['choices', space],
  ['open wiring', wiredSpace(data.info)],
] as const)
  test(`smash, ${name}: a candidate through the estimator measures as a path of the supernet`, async () => {
    const training = await ONE_SHOT.smash.open(request('mine', { space: searched }), { hidden: 8, recalibrate: 0 });
    await trainUntil(training, 2);
    const checkpoint = encodeCheckpoint(await training.checkpoint());
    const estimators = [ONE_SHOT.smash.candidates?.({ hidden: 8 }), undefined].map((choices) =>
      sharedWeightsEstimator({
        ...{ engine: referenceEngine(), data, batchSize: 8, recalibrate: 0 },
        ...(choices && { choices }),
      }),
    );
    const run = {
      trial: 0,
      fidelity: { epochs: 1, data: 1, resolution: 1, width: 1 },
      fullFidelity: { epochs: 1, data: 1, resolution: 1, width: 1 },
      rng: (...labels) => rng(...labels),
      signal: new AbortController().signal,
      artifacts: { get: async () => checkpoint, put: async () => '' },
      report: async () => 'continue',
      note: (text) => assert.fail(text),
      shared: 'mine',
    } satisfies EstimateRun;
    let differ = 0;
    let architecture: Architecture | undefined = first(searched);
    for (let i = 0; i < 6 && architecture !== undefined; i++) {
      const candidate: Architecture = architecture;
      const path = await training.measurePath?.(candidate, data.valid);
      const metrics = path?.metrics ?? {};
      const [found, withoutHypernetwork] = await Promise.all(
        estimators.map((one) => one.estimate({ space: searched, architecture: candidate }, run)),
      );
      assert.ok(Object.keys(metrics).length > 0);
      assert.deepEqual(found?.metrics, metrics);
      if (withoutHypernetwork?.metrics.loss !== metrics.loss) differ++;
      architecture = successor(searched, candidate);
    }
    assert.ok(differ >= 2, `${differ} candidates differ from the weights that are shared`);
    await training.dispose();
  });
