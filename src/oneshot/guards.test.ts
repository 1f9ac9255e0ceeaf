import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { SPACES } from '../space/spaces/index.ts';
import { batchNorm, choice, dag, dropout, identity, linear, relu, sequential, zero } from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import { resolve, supernet } from '../space/tree/resolve.ts';
import type { EpochRecord, GenotypeSigns } from '../train/checkpoint.ts';
import { evaluateNetwork } from '../train/inference.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { trainUntil } from '../train/trainable.ts';
import { collapseOf, eigenvalueIterations, gapSamples, genotypeFeeds, guardsOf } from './guards.ts';
import { ONE_SHOT } from './index.ts';
import { operationKinds } from './operations.ts';
import { dominantEigenvalue, epochBeforeSharp } from './sharpness.ts';

const data = blobs(48, 24);
const images = { ...data.info, input: [3, 8, 8], mean: [0, 0, 0], deviation: [1, 1, 1] };
const nasBench = SPACES['nas-bench-201'].create(images, { cells: 1, channels: 2 });
const darts = SPACES.darts.create(images, { cells: 3, channels: 2, search: true });

/** A cell of 6 edges, whose operation with weights is so noisy that skip connections win. */
const noisy = defineSpace('noisy', () => {
  const edge = (from: number, to: number) =>
    choice(`${from}->${to}`, { none: zero(), skip: identity(), noisy: sequential(linear(6), dropout(0.8)) });
  return sequential(linear(6), batchNorm(), dag(3, edge), linear('outputs'));
}).create(data.info);

const open = (archLearningRate: number, epochs: number, space = noisy) =>
  ONE_SHOT.darts.open(
    {
      ...{ engine: referenceEngine(), ...data, space },
      settings: { ...DEFAULT_SETTINGS, epochs, batchSize: 8 },
      rng: (...labels) => rng('collapse', 'b', ...labels),
    },
    { archLearningRate },
  );

test('a forced collapse is reported before the cell is all skips', async () => {
  const training = await open(0.1, 60);
  const said: (string | undefined)[] = [];
  const skips: number[] = [];
  while (training.history.length < 24) {
    const { guards } = await training.epoch();
    said.push(collapseOf(training.history));
    skips.push(guards?.cells?.[0]?.skips ?? 0);
  }
  await training.dispose();
  const [first, all] = [said.findIndex((words) => words?.startsWith('skip connections')), skips.indexOf(6)];
  assert.ok(first >= 1 && first < all, `said after epoch ${first + 1}, all skips after epoch ${all + 1}`);
  assert.match(said[first] ?? '', /^skip connections hold [345] of 6 edges$/);
  assert.equal(said.at(-1), 'skip connections hold 6 of 6 edges');
});

const SAMPLED = {
  gdas: { archLearningRate: 0.1 },
  enas: { hidden: 4, controllerSteps: 2, aggregate: 2, candidates: 2 },
};
for (const name of ['gdas', 'enas'] as const)
  test(`${name}: each record has the signs that the genotype and the mixture weights give`, async () => {
    const training = await ONE_SHOT[name].open(
      {
        ...{ engine: referenceEngine(), ...data, space: noisy },
        settings: { ...DEFAULT_SETTINGS, epochs: 2, batchSize: 8 },
        rng: (...labels) => rng('signs', ...labels),
      },
      { ...SAMPLED[name], recalibrate: 0 },
    );
    await trainUntil(training, 2);
    await training.dispose();
    for (const { mixture, guards } of training.history) {
      const skips = Object.values(mixture?.genotype ?? {}).filter((value) => value === 'skip').length;
      assert.deepEqual([guards?.operations?.skip, guards?.cells?.[0]?.skips], [skips, skips]);
      assert.ok((guards?.entropy ?? 0) > 0.8 && (guards?.skipWeight ?? 0) > 0, JSON.stringify(guards));
      assert.equal(guards?.isSampled, name === 'enas' ? true : undefined);
    }
  });

test('the gap is between the mixture and the network of the genotype with the same weights', async () => {
  // Without batch norm and dropout, a network measures the same in training as in use.
  const block = (units: number) => sequential(linear(units), relu());
  const plain = defineSpace('plain', () =>
    sequential(linear(4), choice('only', { skip: identity(), none: zero(), block: block(4) }), linear('outputs')),
  ).create(data.info);
  const training = await open(0.1, 3, plain);
  await trainUntil(training, 3);
  const { mixture, guards, valid } = training.history.at(-1) ?? {};
  const { tensors: weights } = await training.checkpoint();
  await training.dispose();
  const network = resolve(plain, mixture?.genotype ?? {});
  const alone = { engine: referenceEngine(), network, weights, info: data.info, samples: data.valid };
  const { metrics } = await evaluateNetwork(alone);
  assert.deepEqual(guards?.gap, {
    ...{ metric: 'accuracy', mixture: valid?.accuracy, genotype: metrics.accuracy, samples: 24 },
  });
  assert.ok(Number.isFinite(guards?.eigenvalue) && guards?.eigenvalue !== 0);
});

test('the gap takes whole batches of samples, 3 % of the training samples or 128', () => {
  const of = (count: number, trained: number) => {
    const valid = { count, read: async () => undefined };
    const order = Array.from({ length: count }, (_, i) => i);
    const { samples, batchSize } = gapSamples(valid, order, trained);
    return [samples.count, batchSize];
  };
  assert.deepEqual(of(24, 48), [24, 24]);
  assert.deepEqual(of(100, 400), [64, 64]);
  assert.deepEqual(of(5000, 1000), [128, 64]);
  assert.deepEqual(of(5000, 20000), [576, 64]);
});

const EVEN = [0.2, 0.2, 0.2, 0.2, 0.2];
function nasBenchGuards(text: string, weights = EVEN): GenotypeSigns {
  const genotype = nasBench.text?.parse(text) ?? {};
  return guardsOf(nasBench)({
    genotype,
    weights: Object.fromEntries(Object.keys(genotype).map((name) => [name, weights])),
  });
}

test('what is counted of a NAS-Bench-201 cell', () => {
  const { cells, ...guards } = nasBenchGuards(
    '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|skip_connect~1|nor_conv_3x3~2|',
    [0, 0.5, 0, 0.5, 0],
  );
  assert.deepEqual(guards, {
    parameterFree: 4 / 6,
    operations: { none: 1, skip: 2, pool: 1, depthwise: 0, other: 2 },
    most: { operation: 'nor_conv_3x3', edges: 2, of: 6 },
    entropy: Math.log(2) / Math.log(5),
    skipWeight: 2.5,
  });
  assert.deepEqual(cells, [{ edges: 5, of: 6, skips: 2, depth: 3, width: 2 }]);
});

test('shallow, over-connected and cut cells of NAS-Bench-201', () => {
  const cellOf = (text: string) => nasBenchGuards(text).cells[0];
  const all = '|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|';
  assert.deepEqual(cellOf(all), { edges: 6, of: 6, skips: 0, depth: 3, width: 3, shape: 'over-connected' });
  assert.deepEqual(cellOf('|none~0|+|none~0|none~1|+|nor_conv_3x3~0|nor_conv_1x1~1|none~2|'), {
    ...{ edges: 2, of: 6, skips: 0, depth: 1, width: 1, shape: 'shallow' },
  });
  assert.equal(cellOf('|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|')?.depth, 0);
});

test('operations of darts have their kinds, and only picked edges count', () => {
  const kinds = operationKinds(supernet(darts));
  const all = ['none', 'pool', 'pool', 'skip', 'depthwise', 'depthwise', 'depthwise', 'depthwise'];
  for (const name of ['normal/0->2', 'reduce/0->2']) assert.deepEqual([...(kinds.get(name)?.values() ?? [])], all);
  const genotype = darts.text?.parse('DARTS_V2') ?? {};
  const { cells, most, operations } = guardsOf(darts)({ genotype, weights: {} });
  assert.equal(most.of, 16);
  assert.deepEqual(operations, { none: 0, skip: 5, pool: 5, depthwise: 6, other: 0 });
  assert.deepEqual(
    cells.map(({ edges, of, skips }) => [edges, of, skips]),
    [
      [8, 8, 2],
      [8, 8, 3],
    ],
  );
});

test('a genotype as architecture parameters: an edge that is left out has its option without output', () => {
  const decisions = [{ name: 'normal/0->3', options: ['none', 'skip_connect', 'sep_conv_3x3'] }];
  const architecture = [
    { path: 'p', shape: [1, 3], initializer: { kind: 'constant', value: 0 }, node: 0, when: [], decisions },
  ] as const;
  const dataOf = (genotype: Record<string, string>) => genotypeFeeds(darts, architecture, genotype)?.p?.data;
  assert.deepEqual(dataOf({ 'normal/0->3': 'skip_connect' }), Float32Array.of(0, 1000, 0));
  assert.deepEqual(dataOf({}), Float32Array.of(1000, 0, 0));
  const retraining = SPACES.darts.create(images, { cells: 3, channels: 2 });
  assert.equal(genotypeFeeds(retraining, architecture, {}), undefined);
});

test('collapses in words', () => {
  const record = (text: string, weights?: number[]): Pick<EpochRecord, 'guards'> => ({
    guards: nasBenchGuards(text, weights),
  });
  const skips = '|skip_connect~0|+|skip_connect~0|skip_connect~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|';
  const convolutions =
    '|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|';
  const cut = '|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|';
  const pools = '|avg_pool_3x3~0|+|skip_connect~0|none~1|+|avg_pool_3x3~0|none~1|avg_pool_3x3~2|';
  const [toSkips, decided] = [
    [0.1, 0.4, 0.2, 0.2, 0.1],
    [0.1, 0.1, 0.6, 0.1, 0.1],
  ];
  const twice = (text: string, weights?: number[]) => collapseOf([record(text, weights), record(text, weights)]);
  assert.equal(twice(skips, toSkips), 'skip connections hold 3 of 6 edges');
  // By chance, where all still weigh the same; once.
  assert.equal(twice(skips), undefined);
  assert.equal(collapseOf([record(convolutions, toSkips), record(skips, toSkips)]), undefined);
  assert.equal(collapseOf([record(skips, toSkips)]), undefined);
  assert.equal(twice(convolutions, decided), 'all 6 edges have one operation, nor_conv_3x3');
  assert.equal(twice(cut, decided), 'no way leads through the cell: it puts out nothing');
  assert.equal(twice(cut), undefined);
  assert.equal(twice(pools, decided), 'no operation has weights');
  assert.equal(collapseOf([]), undefined);
  // Of a controller, which draws genotypes: by chance, as long as it has decided nothing.
  const drawn = (weights: number[]) => {
    const one = { guards: { ...nasBenchGuards(skips, weights), isSampled: true as const } };
    return collapseOf([one, one]);
  };
  assert.equal(drawn([0.19, 0.22, 0.19, 0.2, 0.2]), undefined);
  assert.equal(drawn(toSkips), 'skip connections hold 3 of 6 edges');
});

test('the dominant eigenvalue of a quadratic function, whatever its sign', async () => {
  // Eigenvalues 3, 1 and -5, in a rotated basis.
  const axes = [
    [2 / 3, 2 / 3, 1 / 3],
    [-2 / 3, 1 / 3, 2 / 3],
    [1 / 3, -2 / 3, 2 / 3],
  ];
  const values = [3, 1, -5];
  const gradientAt = async (x: Float64Array) =>
    Float64Array.from(x, (_, i) =>
      axes.reduce((sum, axis, a) => {
        const along = axis.reduce((dot, v, k) => dot + v * ((x[k] ?? 0) - 1), 0);
        return sum + (values[a] ?? 0) * along * (axis[i] ?? 0);
      }, 0),
    );
  const request = { gradientAt, at: Float64Array.of(0.3, -1, 2), direction: Float64Array.of(1, 2, 3) };
  assert.ok(Math.abs((await dominantEigenvalue({ ...request, iterations: 3 })) + 5) < 1e-9);
  const flat = { ...request, gradientAt: async () => new Float64Array(3), iterations: 2 };
  assert.equal(await dominantEigenvalue(flat), 0);
});

test('the eigenvalue takes 3 % of the runs of an epoch, within limits', () => {
  assert.deepEqual([3, 100, 156, 1000].map(eigenvalueIterations), [4, 4, 4, 8]);
});

test('R-DARTS stops where the smoothed eigenvalue has grown by a third in five epochs, and takes the epoch before', () => {
  const records = (values: readonly number[]) =>
    values.map((eigenvalue) => ({
      guards: { ...nasBenchGuards('|none~0|+|none~0|none~1|+|none~0|none~1|none~2|'), eigenvalue },
    }));
  const flat = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
  assert.equal(epochBeforeSharp(records(flat)), undefined);
  // Averages over five epochs: 1 up to epoch 5, then 1.2, 1.4.
  assert.equal(epochBeforeSharp(records([1, 1, 1, 1, 1, 2])), undefined);
  assert.equal(epochBeforeSharp(records([1, 1, 1, 1, 1, 2, -2])), 2);
  assert.equal(epochBeforeSharp(records([1, 1, 1, 1, 1, 2, -2]), 2), undefined);
  // Later epochs do not change what was found.
  assert.equal(epochBeforeSharp(records([1, 1, 1, 1, 1, 2, 2, 9, 9, 0])), 2);
});
