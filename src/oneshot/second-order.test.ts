import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { Feeds } from '../engine/engine.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import { type FedTensor, interpret } from '../graph/interpret.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import { activation, choice, identity, linear, sequential, zero } from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import { supernet } from '../space/tree/resolve.ts';
import { trainingBatches } from '../train/batches.ts';
import { borrowing } from '../train/epochs.ts';
import { forwardGraph } from '../train/forward.ts';
import { freshTensors, type UpdateSettings } from '../train/program.ts';
import { openPrograms } from '../train/programs.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { joinTensors } from '../train/vectors.ts';
import { FIRST_ORDER, type MixtureStep, SECOND_ORDER } from './mixture-methods.ts';
import { ARCHITECTURE_OPTIMIZER, gradientOf } from './mixture-steps.ts';
import { totalOf } from './unrolled-steps.ts';

// Smooth, so that finite differences of it mean something.
const { info, train } = blobs(24, 8);
const block = (units: number) => sequential(linear(units), activation('tanh'));
const space = defineSpace('smooth', () =>
  sequential(
    linear(3),
    choice('first', { none: zero(), skip: identity(), block: block(3) }),
    choice('second', { one: block(3), two: sequential(block(4), block(3)) }),
    linear('outputs'),
  ),
).create(info);
const BATCH = 8;
const RATE = 1;
const on = { network: supernet(space), info, resolution: 1, choices: 'mixture' } as const;
const seeded = (...labels: readonly string[]) => rng('second order', ...labels);
const UPDATES: Readonly<Record<string, UpdateSettings>> = {
  momentum: { optimizer: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0.01, clipNorm: 5 },
  nesterov: { optimizer: 'sgd', momentum: 0.5, nesterov: true, weightDecay: 0, clipNorm: 0 },
  adamw: { optimizer: 'adamw', momentum: 0.9, nesterov: true, weightDecay: 0.01, clipNorm: 0 },
};

async function batches(): Promise<readonly Feeds[]> {
  const settings = { ...DEFAULT_SETTINGS, batchSize: BATCH };
  const epoch = trainingBatches(train, info, settings).epoch(0, (...labels) => rng('second order', ...labels));
  const read = async () => structuredClone(await epoch.prepare());
  return [await read(), await read(), await read()];
}

/** Opens the step on a state with some momentum and spread architecture parameters; the gradient that it then finds, and the state. */
async function gradientBy(step: MixtureStep, update: UpdateSettings, entryOf: (path: string) => string) {
  const [valid, trained, before] = (await batches()) as [Feeds, Feeds, Feeds];
  const engine = referenceEngine();
  const { borrow, release } = borrowing();
  const programs = openPrograms(engine, { keep: 0 });
  const open = await step.open({ programs, borrow, on, update, architecture: { weightDecay: 0 }, batchSize: BATCH });
  const fresh = freshTensors(open.parts, seeded);
  for (const { path } of open.parts.architecture) {
    const random = seeded('spread', path);
    fresh[path]?.data.forEach((_, k, data) => {
      data[k] = random.normal();
    });
  }
  const zeros = open.scratch.map(({ name, shape }) => [name, { shape, data: new Float32Array(sizeOf(shape)) }]);
  const state = engine.createState({ ...joinTensors(open.parts.vectors, fresh), ...Object.fromEntries(zeros) });
  const run = (weights: Feeds, architecture: Feeds | undefined, learningRate: number) =>
    open.run(
      {
        ...{ weights, architecture, learningRate: RATE },
        weightScalars: { learningRate, 'adam:stepSize': learningRate, 'adam:epsilon': 1e-8 },
        architectureScalars: ARCHITECTURE_OPTIMIZER.scalars(0, 1),
      },
      state,
    );
  await run(before, undefined, 0.05);
  const state0 = await state.read();
  await run(trained, valid, 0);
  const after = await state.read();
  const paths = open.parts.architecture.map(({ path }) => path);
  await release();
  return {
    ...{ before: state0, after, valid, trained, paths },
    gradient: paths.flatMap((path) => Array.from(after[entryOf(path)]?.data ?? [])),
  };
}

/** Loss, and gradients by weights and architecture, in float64. */
function exact() {
  const { graph, loss, architecture, trained } = forwardGraph(on, BATCH);
  const g = createGraph(graph);
  const names = [...architecture.map(({ path }) => path), ...trained.map(({ name }) => name)];
  const nodes = [...architecture.map(({ node }) => node), ...trained.map(({ node }) => node)];
  const found = gradients(g, loss, nodes);
  const whole = finish(g, { loss, ...Object.fromEntries(names.map((name, i) => [name, found[i] ?? loss])) });
  const weights = trained.map(({ name }) => name);
  return {
    weights,
    at: (state: Readonly<Record<string, FedTensor>>, feeds: Feeds) => interpret(whole, { ...state, ...feeds }),
  };
}

type Found = Awaited<ReturnType<typeof gradientBy>>;
type Fed = Readonly<Record<string, FedTensor>>;

/** The state after one step of SGD on the training batch, with these architecture parameters. */
function virtual({ before, trained }: Found, settings: UpdateSettings, architecture: Fed): Fed {
  const { weights, at } = exact();
  const { weightDecay, optimizer } = settings;
  const [momentum, nesterov] = optimizer === 'sgd' ? [settings.momentum, settings.nesterov] : [0, false];
  const given = { ...before, ...architecture };
  const slopes = at(given, trained);
  const next = weights.map((name) => {
    const { shape, data } = before[name] as HostTensor;
    const buffer = before[`${name}:momentum`]?.data;
    const moved = Float64Array.from(data, (w, i) => {
      const decayed = (slopes[name]?.data[i] ?? Number.NaN) + weightDecay * w;
      const average = momentum * (buffer?.[i] ?? 0) + decayed;
      return w - RATE * (nesterov ? decayed + momentum * average : average);
    });
    return [name, { shape, data: moved }] as const;
  });
  return { ...given, ...Object.fromEntries(next) };
}

/** The derivative of a function of the architecture's parameters, by finite differences. */
function derivative({ before, paths }: Found, objective: (architecture: Fed) => number): number[] {
  const h = 1e-4;
  return paths.flatMap((path) => {
    const { shape, data } = before[path] as HostTensor;
    return Array.from(data, (_, k) => {
      const shifted = (by: number) => {
        const values = Float64Array.from(data);
        values[k] = (values[k] ?? 0) + by;
        return objective({ [path]: { shape, data: values } });
      };
      return (shifted(h) - shifted(-h)) / (2 * h);
    });
  });
}

const lossAt = (state: Fed, feeds: Feeds): number => exact().at(state, feeds).loss?.data[0] ?? Number.NaN;

/** |a - b| / |b|. */
function relativeError(a: readonly number[], b: readonly number[]): number {
  return Math.hypot(...b.map((value, i) => (a[i] ?? Number.NaN) - value)) / Math.hypot(...b);
}

for (const [name, update] of Object.entries(UPDATES)) {
  test(`second order, ${name}: the architecture's gradient is that of an exact unrolled step`, async () => {
    const found = await gradientBy(SECOND_ORDER, update, totalOf);
    const { valid, paths } = found;
    const expected = derivative(found, (architecture) => lossAt(virtual(found, update, architecture), valid));
    assert.ok(relativeError(found.gradient, expected) < 1e-2, `${found.gradient}, exact ${expected}`);
    // Neither the gradient where the weights are nor that after the virtual step alone would do.
    const first = await gradientBy(FIRST_ORDER, update, gradientOf);
    const { at } = exact();
    const slopes = at(virtual(found, update, {}), valid);
    for (const other of [first.gradient, paths.flatMap((path) => Array.from(slopes[path]?.data ?? []))])
      assert.ok(relativeError(other, expected) > 5e-2, `${other}, exact ${expected}`);
  });
}

test('second order: the weights are where they were, bit for bit', async () => {
  const { momentum } = UPDATES as { momentum: UpdateSettings };
  const { before, after } = await gradientBy(SECOND_ORDER, momentum, totalOf);
  assert.deepEqual(after[':weights'], before[':weights']);
  assert.notDeepEqual(after[':weights:momentum'], before[':weights:momentum']);
});

test("first order: the architecture's gradient is the derivative of the loss with the weights as they are", async () => {
  const { momentum } = UPDATES as { momentum: UpdateSettings };
  const found = await gradientBy(FIRST_ORDER, momentum, gradientOf);
  const { before, valid } = found;
  const expected = derivative(found, (architecture) => lossAt({ ...before, ...architecture }, valid));
  assert.ok(relativeError(found.gradient, expected) < 1e-4, `${found.gradient}, exact ${expected}`);
});
