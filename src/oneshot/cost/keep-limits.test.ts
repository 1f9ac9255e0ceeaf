import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import { costsOf } from '../../measure/index.ts';
import type { Architecture, Space } from '../../space/space.ts';
import { SPACES } from '../../space/spaces/index.ts';
import { architectureKey } from '../../space/tree/architecture.ts';
import { constrained } from '../../space/tree/constrain.ts';
import { decisions } from '../../space/tree/decisions.ts';
import { derive, type OptionWeights } from '../../space/tree/derive.ts';
import { first, successor } from '../../space/tree/enumerate.ts';
import { sample } from '../../space/tree/vary.ts';
import type { Limit } from '../../strategy/strategy.ts';
import { limitKeeper } from './keep-limits.ts';
import { modeledCost, staticCosts } from './model.ts';

const task = { kind: 'classification', input: [3, 8, 8], outputs: 10 };
const nb201 = SPACES['nas-bench-201'].create(task, { cells: 1, channels: 4, search: true });
const darts = SPACES.darts.create(task, { cells: 3, channels: 4, search: true });

/** Random shares of the options of each choice. */
function randomWeights(space: Space, seed: number): OptionWeights {
  const random = rng('limits', seed);
  return Object.fromEntries(
    decisions(space).flatMap(({ name, domain }) => {
      if (domain.kind !== 'values' || name === 'output') return [];
      const powers = domain.values.map(() => Math.exp(2 * random.normal()));
      const total = powers.reduce((a, b) => a + b, 0);
      return [[name, powers.map((power) => power / total)] as const];
    }),
  );
}

const goals = (space: Space, limits: readonly Limit[]) => ({
  ...{ limits, objectives: [] },
  of: (architecture: Architecture) =>
    costsOf(
      space,
      architecture,
      limits.map(({ cost }) => cost),
    ),
});

function scoreIn(space: Space, weights: OptionWeights, architecture: Architecture): number {
  return decisions(space).reduce((sum, { name, domain }) => {
    const value = architecture[name];
    if (value === undefined || domain.kind !== 'values' || weights[name] === undefined) return sum;
    return sum + Math.log(weights[name]?.[domain.values.map(String).indexOf(String(value))] ?? Number.NaN);
  }, 0);
}

test('of all architectures within the limits, the one with the largest product of shares, as enumeration finds it', () => {
  const models = { flops: staticCosts(nb201, 'flops') ?? [], params: staticCosts(nb201, 'params') ?? [] };
  const all: { architecture: Architecture; flops: number; params: number }[] = [];
  for (let one: ReturnType<typeof successor> = first(nb201); one !== undefined; one = successor(nb201, one))
    all.push({ architecture: one, flops: modeledCost(models.flops, one), params: modeledCost(models.params, one) });
  const sorted = (cost: 'flops' | 'params') => all.map((one) => one[cost]).toSorted((a, b) => a - b);
  const [flops, params] = [sorted('flops'), sorted('params')];
  let changed = 0;
  for (let seed = 0; seed < 12; seed++) {
    const weights = randomWeights(nb201, seed);
    const max = flops[Math.floor(flops.length * (0.02 + seed / 24))] ?? 0;
    const limits = [
      { cost: 'flops', max },
      ...(seed % 2 === 0 ? [] : [{ cost: 'params', max: params[Math.floor(params.length / 4)] ?? 0 }]),
    ];
    const derived = derive(nb201, weights);
    const found = limitKeeper(nb201, goals(nb201, limits))(weights, derived);
    const within = all.filter((one) => limits.every(({ cost, max: most }) => one[cost as 'flops'] <= most));
    const best = Math.max(...within.map(({ architecture }) => scoreIn(nb201, weights, architecture)));
    assert.ok(Math.abs(scoreIn(nb201, weights, found) - best) < 1e-9, `seed ${seed}`);
    if (architectureKey(found) !== architectureKey(derived)) changed++;
  }
  assert.ok(changed > 3);
});

test('cells that pick their inputs: edges and operations that keep the limits, and the derived architecture where it does', () => {
  for (let seed = 0; seed < 4; seed++) {
    const weights = randomWeights(darts, seed);
    const derived = derive(darts, weights);
    const { flops = 0, params = 0 } = costsOf(darts, derived);
    const kept = limitKeeper(darts, goals(darts, [{ cost: 'flops', max: flops }]));
    assert.deepEqual(kept(weights, derived), derived);
    const limits = [
      { cost: 'flops', max: flops - 1 },
      { cost: 'params', max: 0.9 * params },
    ];
    const found = limitKeeper(darts, goals(darts, limits))(weights, derived);
    const costs = costsOf(darts, found);
    for (const { cost, max } of limits) assert.ok((costs[cost] ?? Number.NaN) <= max, cost);
    // No single other operation would have been better and within the limits.
    const score = scoreIn(darts, weights, found);
    for (const { name, domain } of decisions(darts))
      for (const value of domain.kind === 'values' && found[name] !== undefined && name !== 'output'
        ? domain.values
        : []) {
        const other = { ...found, [name]: value };
        if (value === 'none' || scoreIn(darts, weights, other) <= score) continue;
        const ofOther = costsOf(darts, other);
        assert.ok(
          limits.some(({ cost, max }) => (ofOther[cost] ?? 0) > max),
          `${name}=${String(value)} is better`,
        );
      }
  }
});

test('costs that are no sums over options: one decision after the other', () => {
  const weights = randomWeights(nb201, 5);
  const derived = sample(nb201, rng('any'));
  const { depth = 0, activationBytes = 0 } = costsOf(nb201, derived, ['depth', 'activationBytes']);
  const limits = [
    { cost: 'depth', max: depth - 1 },
    { cost: 'activationBytes', max: 0.9 * activationBytes },
  ];
  const costs = costsOf(nb201, limitKeeper(nb201, goals(nb201, limits))(weights, derived), [
    'depth',
    'activationBytes',
  ]);
  for (const { cost, max } of limits) assert.ok((costs[cost] ?? Number.NaN) <= max, `${cost} ${costs[cost]}, ${max}`);
});

test('where nothing keeps the limits, what was derived stays', () => {
  const few = constrained(nb201, { forbid: ['avg_pool_3x3', 'nor_conv_1x1', 'skip_connect'] });
  const weights = randomWeights(few, 1);
  const derived = derive(few, weights);
  for (const cost of ['flops', 'depth'])
    assert.deepEqual(limitKeeper(few, goals(few, [{ cost, max: 0 }]))(weights, derived), derived);
});

test('constraints of the space hold, too', () => {
  const space = constrained(nb201, { require: ['nor_conv_3x3'], forbid: ['none'] });
  const weights = randomWeights(space, 2);
  const derived = derive(space, weights);
  const { flops = 0 } = costsOf(space, derived);
  const found = limitKeeper(space, goals(space, [{ cost: 'flops', max: 0.8 * flops }]))(weights, derived);
  assert.ok((costsOf(space, found).flops ?? Number.NaN) <= 0.8 * flops);
  assert.ok(Object.values(found).includes('nor_conv_3x3'));
});
