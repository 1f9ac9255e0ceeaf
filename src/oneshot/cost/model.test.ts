import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import { costsOf } from '../../measure/index.ts';
import type { Architecture, Space } from '../../space/space.ts';
import { SPACES } from '../../space/spaces/index.ts';
import { choice, identity, linear, sequential } from '../../space/tree/builders.ts';
import { constrained } from '../../space/tree/constrain.ts';
import { defineSpace } from '../../space/tree/define.ts';
import { derive } from '../../space/tree/derive.ts';
import { sample } from '../../space/tree/vary.ts';
import { keepsLimits, withPredicted } from './goals.ts';
import { limitKeeper } from './keep-limits.ts';
import { modeledCost, predictedCosts } from './model.ts';

const task = { kind: 'classification', input: [3, 8, 8], outputs: 10 };
const nb201 = SPACES['nas-bench-201'].create(task, { cells: 1, channels: 4, search: true });
const spaces: Readonly<Record<string, Space>> = {
  nested: defineSpace('nested', () => {
    const inner = (name: string) => choice(name, { large: sequential(linear(32), linear(8)), none: identity() });
    return sequential(
      linear(8),
      choice('outer', { skip: identity(), two: sequential(inner('b'), inner('b')), one: inner('a') }),
      choice('last', { plain: linear(8), deep: choice('c', { x: linear(8), y: inner('a') }) }),
      linear('outputs'),
    );
  }).create({ kind: 'classification', input: [4], outputs: 3 }),
  'nas-bench-201': nb201,
  // Without cells that nothing comes through, which supernets do not derive.
  darts: constrained(SPACES.darts.create(task, { cells: 3, channels: 4, search: true }), { forbid: ['none'] }),
};
const flopsIn = (space: Space) => (architecture: Architecture) => costsOf(space, architecture).flops ?? Number.NaN;

for (const [name, space] of Object.entries(spaces))
  test(`${name}: a cost that is a sum over options is found by asking once for each option`, () => {
    let asked = 0;
    const model = predictedCosts(space, (architecture) => {
      asked++;
      return flopsIn(space)(architecture);
    });
    assert.ok(asked < 300, `${asked}`);
    for (let i = 0; i < 12; i++) {
      const architecture = sample(space, rng('predicted costs', name, i));
      const [found, wanted] = [modeledCost(model, architecture), flopsIn(space)(architecture)];
      assert.ok(Math.abs(found / wanted - 1) < 1e-9, `${JSON.stringify(architecture)}: ${found}, ${wanted}`);
    }
  });

test('a predicted latency counts as an objective and as a limit, also where it is no sum', () => {
  const flops = flopsIn(nb201);
  // What is wide together costs more than each by itself.
  const latency = (architecture: Architecture) => (flops(architecture) / 1e5) ** 1.1;
  const none = { limits: [], objectives: [], of: (one: Architecture) => costsOf(nb201, one) };
  const weights = Object.fromEntries(
    Object.keys(sample(nb201, rng('any'))).map((name) => [name, [0.01, 0.02, 0.1, 0.8, 0.07]]),
  );
  const derived = derive(nb201, weights);
  const max = latency(derived) / 2;
  const goals = withPredicted(nb201, none, { cost: 'latency', isObjective: true, max, of: latency });
  assert.deepEqual([goals.objectives, goals.limits], [['latency'], [{ cost: 'latency', max }]]);
  assert.ok(!keepsLimits(goals, derived));
  const found = limitKeeper(nb201, goals)(weights, derived);
  assert.ok(latency(found) <= max && latency(found) > max / 2, `${latency(found)}, ${max}`);
});
