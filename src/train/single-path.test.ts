import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import type { Engine, Program } from '../engine/engine.ts';
import { layoutsUnderTest } from '../engine/testing/layouts.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import { initialize } from '../network/initialize.ts';
import type { Architecture, Space } from '../space/space.ts';
import { SPACES } from '../space/spaces/index.ts';
import {
  avgPool,
  choice,
  conv,
  dag,
  globalAvgPool,
  identity,
  linear,
  sequential,
  zero,
} from '../space/tree/builders.ts';
import { reluConvBn } from '../space/tree/composites.ts';
import { defineSpace } from '../space/tree/define.ts';
import { resolve, supernet } from '../space/tree/resolve.ts';
import { optimizerOf } from './optimizers.ts';
import { freshTensors, inferenceGraph, trainingGraph, type UpdateSettings } from './program.ts';
import { switchFeeds } from './single-path.ts';
import { referenceEngine } from './testing/reference-engine.ts';
import { joinTensors, splitTensors } from './vectors.ts';

const BATCH = 2;
const info: DatasetInfo = {
  name: 'noise',
  kind: 'classification',
  input: [3, 8, 8],
  outputs: 3,
  labels: ['a', 'b', 'c'],
  mean: [0, 0, 0],
  deviation: [1, 1, 1],
  counts: { train: 4, valid: 0, test: 0 },
  notes: [],
};
const cells = (channels: number) => SPACES['nas-bench-201'].create(info, { cells: 1, channels });
/** A choice within a choice, of layers that another choice of the same name decides too. */
const nested = defineSpace('nested', () => {
  const inner = choice('inner', { small: reluConvBn(1), large: reluConvBn(3) });
  const outer = choice('outer', { none: zero(), skip: identity(), pool: avgPool(3), cell: dag(2, () => inner) });
  return sequential(conv(4, 3), outer, outer, globalAvgPool(), linear('outputs'));
}).create(info, {});

const seeded = (...labels: readonly string[]) => rng('single path', ...labels);
const sgd = { optimizer: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-2 } as const;
const CLIPPED: UpdateSettings = { ...sgd, clipNorm: 0.5 };
const RULES: Readonly<Record<string, UpdateSettings>> = {
  'are not clipped': { ...sgd, clipNorm: 0 },
  'are clipped': CLIPPED,
};

function feedsAt(step: number, optimizer: UpdateSettings['optimizer']): Record<string, HostTensor> {
  const random = seeded('batch', String(step));
  const x = new Float32Array(BATCH * sizeOf(info.input)).map(() => random.normal());
  const scalars = Object.entries(optimizerOf({ optimizer }).scalars(0.1, step + 1));
  return {
    input: { shape: [BATCH, ...info.input], data: x },
    targets: { shape: [BATCH, 3], data: Float32Array.of(1, 0, 0, 0, 0, 1) },
    ...Object.fromEntries(scalars.map(([name, value]) => [name, { shape: [], data: Float32Array.of(value) }])),
  };
}

/** The tensors and losses after a step on each of the paths, by the supernet or by each path's network alone. */
async function trained(
  engine: Engine,
  space: Space,
  paths: readonly Architecture[],
  rule: UpdateSettings,
  alone: boolean,
) {
  const on = { info, resolution: 1 };
  const all = trainingGraph({ ...on, network: supernet(space), choices: 'switch' }, rule, BATCH);
  const feedsOf = switchFeeds(all);
  let tensors = freshTensors(all, seeded);
  const losses: number[] = [];
  let whole: Program | undefined;
  for (const [step, path] of paths.entries()) {
    const one = alone ? trainingGraph({ ...on, network: resolve(space, path) }, rule, BATCH) : all;
    const { graph, carries, vectors } = one;
    const program = whole ?? (await engine.compile(graph, carries));
    if (!alone) whole = program;
    const state = engine.createState(joinTensors(vectors, tensors));
    const feeds = { ...feedsAt(step, rule.optimizer), ...feedsOf(path) };
    const { loss } = await program.run(feeds, state);
    losses.push(loss?.data[0] ?? Number.NaN);
    tensors = splitTensors(vectors, await state.read());
    state.dispose();
    if (program !== whole) await program.dispose();
  }
  await whole?.dispose();
  return { tensors, losses };
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, place: string): void {
  assert.equal(actual.length, expected.length, place);
  const difference = Math.hypot(...Array.from(expected, (v, i) => v - (actual[i] ?? Number.NaN)));
  const norm = Math.hypot(...Array.from(expected));
  assert.ok(difference < 1e-3 * Math.max(norm, 1e-2), `${place} differs by ${difference} of ${norm}`);
}

const op = (...names: readonly string[]) => {
  const edges = ['0->1', '0->2', '1->2', '0->3', '1->3', '2->3'];
  return Object.fromEntries(edges.map((edge, i) => [edge, names[i % names.length] ?? '']));
};
const CELL_PATHS = [
  // Node 2 leads nowhere.
  op('nor_conv_1x1', 'skip_connect', 'nor_conv_3x3', 'nor_conv_3x3', 'avg_pool_3x3', 'none'),
  op('skip_connect', 'none', 'nor_conv_1x1', 'nor_conv_3x3', 'avg_pool_3x3', 'skip_connect'),
  op('nor_conv_3x3'),
  op('avg_pool_3x3', 'nor_conv_3x3', 'skip_connect'),
  op('skip_connect', 'none'),
  // Node 1 is zero, and so is what is pooled of it.
  op('none', 'skip_connect', 'avg_pool_3x3', 'nor_conv_3x3', 'skip_connect', 'avg_pool_3x3'),
];
/** Node 1 is zero; of convolutions of it, the batch norm's bias is left. */
const BIAS_PATH = op('none', 'nor_conv_1x1', 'nor_conv_3x3', 'skip_connect', 'nor_conv_1x1', 'nor_conv_3x3');
const NESTED_PATHS = [
  { outer: 'cell', inner: 'small' },
  { outer: 'pool' },
  { outer: 'cell', inner: 'large' },
  { outer: 'skip' },
];

const layouts = await layoutsUnderTest();
const [, { engine: fastest, channels: wholeBlock }] = layouts;
const ENGINES = [{ name: 'interpreter', options: {}, engine: referenceEngine(), channels: 4 }, ...layouts];

/** What the networks of the paths alone give on the fastest engine: the same for all engines that are compared with them. */
const known = new Map<string, ReturnType<typeof trained>>();
function trainedAlone(name: string, space: Space, paths: readonly Architecture[], rule: UpdateSettings) {
  const found = known.get(name) ?? trained(fastest, space, paths, rule, true);
  known.set(name, found);
  return found;
}

for (const { name: engineName, options, engine, channels } of ENGINES) {
  describe(`a supernet of switches, ${engineName}`, options, () => {
    for (const [spaceName, space, paths] of [
      ['NAS-Bench-201', cells(channels), CELL_PATHS],
      ['a choice within a choice', nested, NESTED_PATHS],
    ] as const) {
      for (const [ruleName, rule] of Object.entries(RULES)) {
        test(`${spaceName}: steps on one path each are those of the path alone; gradients ${ruleName}`, async () => {
          const expected = await trainedAlone(`${spaceName} ${channels} ${ruleName}`, space, paths, rule);
          const actual = await trained(engine, space, paths, rule, false);
          assertClose(actual.losses, expected.losses, 'losses');
          for (const [name, { data }] of Object.entries(expected.tensors)) {
            assertClose(actual.tensors[name]?.data ?? [], data, name);
          }
        });
      }
    }

    test('convolutions of zeros: a step is that of the path alone', async () => {
      // Alone, such a filter is no part of the network; here it has a gradient of zero, and would decay.
      const rule = { ...CLIPPED, weightDecay: 0 };
      const expected = await trainedAlone(`bias ${channels}`, cells(channels), [BIAS_PATH], rule);
      const actual = await trained(engine, cells(channels), [BIAS_PATH], rule, false);
      assertClose(actual.losses, expected.losses, 'losses');
      for (const [name, { data }] of Object.entries(expected.tensors)) {
        assertClose(actual.tensors[name]?.data ?? [], data, name);
      }
    });

    test('what the path does not use keeps its bits, weight decay and momentum notwithstanding', async () => {
      const rule = { ...sgd, optimizer: 'adamw', clipNorm: 0.1 } as const;
      const before = await trained(engine, nested, NESTED_PATHS.slice(0, 1), rule, false);
      const after = await trained(engine, nested, NESTED_PATHS.slice(0, 2), rule, false);
      const inside = Object.keys(after.tensors).filter((name) => name.includes('/cell/'));
      assert.ok(inside.length > 8);
      for (const name of inside) assert.deepEqual(after.tensors[name], before.tensors[name], name);
      const moved = Object.keys(after.tensors).filter((name) => !inside.includes(name));
      for (const name of moved) assert.notDeepEqual(after.tensors[name], before.tensors[name], name);
      assert.notDeepEqual(
        before.tensors['1/cell/0->1/small/1/weight:mean']?.data,
        before.tensors['1/cell/0->1/large/1/weight:mean']?.data,
      );
    });
  });
}

test('the inference graph of a supernet computes the path that its switches say', async () => {
  const on = { info, resolution: 1 };
  const space = cells(wholeBlock);
  const all = inferenceGraph({ ...on, network: supernet(space), choices: 'switch' }, BATCH);
  const feedsOf = switchFeeds(all);
  const tensors = initialize([...all.parameters, ...all.statistics], seeded);
  const { input: x } = feedsAt(0, 'sgd');
  for (const path of CELL_PATHS) {
    const outputs: (ArrayLike<number> | undefined)[] = [];
    for (const { graph } of [all, inferenceGraph({ ...on, network: resolve(space, path) }, BATCH)]) {
      const program = await fastest.compile(graph, {}, { openBatch: ['input'] });
      for (const images of [1, 2]) {
        const data = (x as HostTensor).data.slice(0, images * sizeOf(info.input));
        const feeds = { input: { shape: [images, ...info.input], data }, ...feedsOf(path) };
        outputs.push((await program.run({ ...tensors, ...feeds })).output?.data);
      }
      await program.dispose();
    }
    const [one, two, oneAlone, twoAlone] = outputs;
    assertClose(one ?? [], oneAlone ?? [1], 'one image');
    assertClose(two ?? [], twoAlone ?? [1], 'two images');
  }
});

test('switches of a path: what is inactive or leads nowhere takes what costs least, unknown options are refused', () => {
  const numbersOf = (space: Space) => {
    const feedsOf = switchFeeds(
      trainingGraph({ info, resolution: 1, network: supernet(space), choices: 'switch' }, CLIPPED, BATCH),
    );
    return (architecture: Architecture) =>
      Object.fromEntries(Object.entries(feedsOf(architecture)).map(([name, { data }]) => [name, data[0]]));
  };
  const inNested = numbersOf(nested);
  assert.deepEqual(inNested({ outer: 'cell', inner: 'large' }), { 'choice:outer': 3, 'choice:inner': 1 });
  assert.deepEqual(inNested({ outer: 'skip' }), { 'choice:outer': 1, 'choice:inner': 0 });
  assert.throws(() => inNested({ outer: 'sideways' }), UserError);
  const fed = numbersOf(cells(4));
  const names = Object.keys(op()).map((edge) => `choice:${edge}`);
  assert.deepEqual(
    fed(CELL_PATHS.at(-1) ?? {}),
    Object.fromEntries(names.map((name, i) => [name, [0, 1, 0, 3, 0, 4][i]])),
  );
  const [path = {}] = CELL_PATHS;
  const expected = { '0->1': 2, '0->2': 0, '1->2': 0, '0->3': 3, '1->3': 4, '2->3': 0 };
  assert.deepEqual(
    fed(path),
    Object.fromEntries(Object.entries(expected).map(([edge, number]) => [`choice:${edge}`, number])),
  );
});
