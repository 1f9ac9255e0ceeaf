import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import { costsOf } from '../../measure/index.ts';
import type { Architecture, Space } from '../../space/space.ts';
import { first, successor } from '../../space/tree/enumerate.ts';
import { DEFAULT_SETTINGS } from '../../train/settings.ts';
import { blobs } from '../../train/testing/blobs.ts';
import { referenceEngine } from '../../train/testing/reference-engine.ts';
import { trainUntil } from '../../train/trainable.ts';
import { ONE_SHOT } from '../index.ts';
import { cells, pointSpace } from '../testing/space.ts';
import type { CostGoals } from './goals.ts';

const data = blobs(48, 12);
const points = pointSpace(data.info);
const wired = cells.create(data.info, { cells: 3 });
const EPOCHS = 5;

const goalsOf = (space: Space, goals: Partial<CostGoals>): CostGoals => ({
  ...{ limits: [], objectives: [] },
  of: (architecture) => costsOf(space, architecture),
  ...goals,
});

async function search(
  method: keyof typeof METHODS,
  space: Space,
  costs: CostGoals | undefined,
  options: Readonly<Record<string, number | string>> = {},
) {
  const supernet = await ONE_SHOT[method].open(
    {
      ...{ engine: referenceEngine(), ...data, space },
      settings: { ...DEFAULT_SETTINGS, epochs: EPOCHS, batchSize: 8 },
      rng: (...labels) => rng('costs', ...labels),
      ...(costs && { costs }),
    },
    { ...METHODS[method], ...options },
  );
  await trainUntil(supernet, EPOCHS);
  await supernet.dispose();
  const mixture = supernet.history.at(-1)?.mixture;
  assert.ok(mixture !== undefined);
  return mixture;
}

const METHODS = {
  darts: { archLearningRate: 0.3 },
  'darts-second-order': { archLearningRate: 0.3 },
  'beta-darts': { archLearningRate: 0.3, betaDecay: 0 },
  snas: { archLearningRate: 0.3 },
  gdas: { archLearningRate: 0.3, recalibrate: 0 },
  'darts-pt': {},
  enas: { hidden: 8, controllerSteps: 10, aggregate: 4, candidates: 6, recalibrate: 0, controllerLearningRate: 0.05 },
} as const satisfies Partial<Record<keyof typeof ONE_SHOT, object>>;

const all: Architecture[] = [];
for (let one: ReturnType<typeof successor> = first(points); one !== undefined; one = successor(points, one))
  all.push(one);
const flopsOf = (architecture: Architecture) => costsOf(points, architecture).flops ?? Number.NaN;
const sorted = all.map(flopsOf).toSorted((a, b) => a - b);
const cheapest = sorted[0] ?? 0;

const STRONG = { costWeight: 1000 };
for (const method of ['darts', 'darts-second-order', 'beta-darts', 'snas', 'gdas'] as const)
  for (const costForm of method === 'darts' ? ['linear', 'log'] : ['linear'])
    test(`${method}: with a strong weight of costs, ${costForm}, the cheapest options win`, async () => {
      const mixture = await search(method, points, goalsOf(points, { objectives: ['flops'] }), { ...STRONG, costForm });
      assert.equal(flopsOf(mixture.genotype), cheapest);
      const mean = sorted.reduce((sum, flops) => sum + flops / sorted.length, 0);
      assert.ok((mixture.costs?.flops ?? Number.NaN) < (cheapest + mean) / 2, `${mixture.costs?.flops}`);
    });

test('enas: with a strong exponent of costs, the controller samples cheap options', async () => {
  const costs = goalsOf(points, { objectives: ['flops'] });
  const costly = (row: readonly number[] = []) => row[1] ?? 0;
  const [cheap, plain] = [
    await search('enas', points, costs, { costExponent: 5 }),
    await search('enas', points, costs, { costExponent: 0 }),
  ];
  assert.ok(costly(cheap.weights.first) < costly(plain.weights.first));
  assert.equal(flopsOf(cheap.genotype), cheapest);
});

for (const method of ['darts', 'snas', 'gdas', 'darts-pt', 'enas'] as const)
  test(`${method}: derives an architecture within a limit, also where its weights say another`, async () => {
    const limits = [{ cost: 'flops', max: sorted[1] ?? 0 }];
    const weak = method === 'enas' ? { limitExponent: 0 } : method === 'darts-pt' ? {} : { limitWeight: 0 };
    const mixture = await search(method, points, goalsOf(points, { limits }), weak);
    assert.ok(flopsOf(mixture.genotype) <= (sorted[1] ?? 0), `${flopsOf(mixture.genotype)}`);
  });

for (const method of ['darts', 'gdas'] as const)
  test(`${method}: what is above a limit counts in the loss until the expected cost keeps it`, async () => {
    const max = (sorted[0] ?? 0) + 3;
    const mixture = await search(method, points, goalsOf(points, { limits: [{ cost: 'flops', max }] }), {
      limitWeight: 1000,
    });
    assert.ok((mixture.costs?.flops ?? Number.NaN) < 1.1 * max, `${mixture.costs?.flops}, ${max}`);
  });

test('without goals, or with weights of 0, a search is the one without costs', async () => {
  const without = await search('darts', points, undefined);
  const zero = await search('darts', points, goalsOf(points, { objectives: ['flops'] }), { costWeight: 0 });
  assert.deepEqual(zero, without);
});

for (const method of ['p-darts', 'pc-darts'] as const)
  test(`${method}: costs of cells that pick their inputs count, with the options that a stage has`, async () => {
    const costs = goalsOf(wired, { objectives: ['params'] });
    const supernet = await ONE_SHOT[method].open(
      {
        ...{ engine: referenceEngine(), ...data, space: wired, costs },
        settings: { ...DEFAULT_SETTINGS, epochs: EPOCHS + 1, batchSize: 8 },
        rng: (...labels) => rng('costs', ...labels),
      },
      { archLearningRate: 0.3, costWeight: 1000, warmupShare: 0, skipCap: 100 },
    );
    await trainUntil(supernet, EPOCHS + 1);
    await supernet.dispose();
    const { genotype = {} } = supernet.history.at(-1)?.mixture ?? {};
    // The skip connection alone has no batch norm.
    const operations = Object.entries(genotype).flatMap(([name, value]) => (name.includes('->') ? [value] : []));
    assert.deepEqual(new Set(operations), new Set(['skip']));
  });
