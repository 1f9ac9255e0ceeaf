import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import { createGraph } from '../../graph/builder.ts';
import type { HostTensor } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { endsOf, networkCosts } from '../../network/costs.ts';
import { type LowerOptions, lowerNetwork } from '../../network/lower.ts';
import type { Space } from '../../space/space.ts';
import { SPACES } from '../../space/spaces/index.ts';
import { choice, identity, linear, sequential, zero } from '../../space/tree/builders.ts';
import { defineSpace } from '../../space/tree/define.ts';
import { first, successor } from '../../space/tree/enumerate.ts';
import { resolve, supernet } from '../../space/tree/resolve.ts';
import type { CostGoals } from './goals.ts';
import { staticCosts, tableCosts } from './model.ts';
import type { CostSettings } from './settings.ts';
import { costGradientOf, costTerm } from './term.ts';

const task = { kind: 'classification', input: [3, 8, 8], outputs: 10 };

/** A choice inside an option, and one decision in two places. */
const nested = defineSpace('nested', () => {
  const inner = (name: string) =>
    choice(name, { small: linear(8), large: sequential(linear(32), linear(8)), none: identity() });
  return sequential(
    linear(8),
    choice('outer', { one: inner('a'), two: sequential(inner('b'), inner('b')), skip: identity() }),
    choice('last', { one: inner('a'), nothing: zero() }),
    linear('outputs'),
  );
}).create({ kind: 'classification', input: [4], outputs: 3 });

const darts = SPACES.darts.create(task, { cells: 3, channels: 4, search: true });

/** The architecture parameters of a supernet, each a random number. */
function opened(space: Space, choices: NonNullable<LowerOptions['choices']> = 'mixture') {
  const g = createGraph();
  const x = ops.input(g, 'x', [1, ...space.task.input]);
  const { architecture } = lowerNetwork(g, supernet(space), x, { ...endsOf(space.task), mode: 'infer', choices });
  const random = rng('cost term', space.name);
  const tensors: Record<string, HostTensor> = Object.fromEntries(
    architecture.map(({ path, shape }) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      return [path, { shape, data: data.map(() => random.normal()) }];
    }),
  );
  return { architecture, tensors, network: supernet(space) };
}

const goals = (space: Space, changes: Partial<CostGoals> = {}): CostGoals => ({
  ...{ limits: [], objectives: [] },
  of: (architecture) => ({ ...networkCosts(resolve(space, architecture), space.task) }) as never,
  ...changes,
});

const settings: CostSettings = { costWeight: 0.7, limitWeight: 3, costForm: 'linear' };

/** Central differences of a function of float32 tensors. */
function differences(
  value: (tensors: Readonly<Record<string, HostTensor>>) => number,
  tensors: Readonly<Record<string, HostTensor>>,
) {
  const at = (path: string, i: number, change: number) => {
    const { shape, data } = tensors[path] as HostTensor;
    const moved = Float32Array.from(data);
    moved[i] = (data[i] ?? 0) + change;
    return { value: value({ ...tensors, [path]: { shape, data: moved } }), moved: moved[i] ?? 0 };
  };
  return Object.fromEntries(
    Object.entries(tensors).map(([path, { data }]) => [
      path,
      Array.from(data, (_, i) => {
        const [above, below] = [at(path, i, 1e-3), at(path, i, -1e-3)];
        return (above.value - below.value) / (above.moved - below.moved);
      }),
    ]),
  );
}

for (const [name, space, choices] of [
  ['choices inside options', nested, 'mixture'],
  ['cells that pick their inputs', darts, 'mixture'],
  ['cells whose edges have weights', darts, { kind: 'mixture', edges: true }],
] as const)
  for (const costForm of ['linear', 'log'] as const)
    test(`${name}: the gradient of costs, ${costForm}, is that of finite differences`, () => {
      const { architecture, tensors, network } = opened(space, choices);
      const far = { cost: 'params', max: 1 };
      const both = goals(space, { objectives: ['flops'], limits: [far] });
      const term = costTerm(space, network, architecture, both, { ...settings, costForm });
      const found = term.gradient(tensors);
      let largest = 0;
      for (const [path, row] of Object.entries(differences(term.value, tensors)))
        for (const [i, wanted] of row.entries()) {
          const slope = found[costGradientOf(path)]?.data[i] ?? Number.NaN;
          const scale = Math.max(...row.map(Math.abs));
          largest = Math.max(largest, scale);
          assert.ok(
            Math.abs(slope - wanted) <= 1e-3 * scale + 1e-9,
            `${path} ${i}: ${slope}, by differences ${wanted}`,
          );
        }
      assert.ok(largest > 1e-3);
    });

test('the expected cost is the mean over all architectures, each as likely as its shares say', () => {
  const space = SPACES['nas-bench-201'].create(task, { cells: 1, channels: 4, search: true });
  const small = defineSpace('two choices', () =>
    sequential(
      linear(8),
      choice('a', { one: linear(8), two: sequential(linear(16), linear(8)) }),
      choice('b', { one: linear(8), none: identity(), deep: choice('c', { x: linear(8), y: identity() }) }),
      linear('outputs'),
    ),
  ).create({ kind: 'classification', input: [4], outputs: 3 });
  assert.notEqual(staticCosts(space, 'flops'), undefined);
  const { architecture, tensors, network } = opened(small);
  const shares = (name: string) => {
    const tensor = architecture.find(({ decisions }) => decisions.some((one) => one.name === name));
    const row = tensor?.decisions.findIndex((one) => one.name === name) ?? 0;
    const options = tensor?.decisions[row]?.options ?? [];
    const values = Array.from(options, (_, k) =>
      Math.exp(tensors[tensor?.path ?? '']?.data[row * options.length + k] ?? 0),
    );
    const total = values.reduce((a, b) => a + b, 0);
    return new Map(options.map((option, k) => [option, (values[k] ?? 0) / total]));
  };
  let mean = 0;
  for (let one: ReturnType<typeof successor> = first(small); one !== undefined; one = successor(small, one)) {
    const chance = Object.entries(one).reduce((p, [name, value]) => p * (shares(name).get(String(value)) ?? 0), 1);
    mean += chance * networkCosts(resolve(small, one), small.task).flops;
  }
  const term = costTerm(small, network, architecture, goals(small, { objectives: ['flops'] }), settings);
  assert.ok(
    Math.abs((term.expected(tensors).flops ?? 0) / mean - 1) < 1e-6,
    `${term.expected(tensors).flops}, ${mean}`,
  );
});

test('a limit that the expected cost keeps adds nothing, and what is above it does', () => {
  const { architecture, tensors, network } = opened(nested);
  const expected = (max: number) =>
    costTerm(nested, network, architecture, goals(nested, { limits: [{ cost: 'flops', max }] }), settings);
  const flops = expected(1).expected(tensors).flops ?? 0;
  assert.equal(expected(1.01 * flops).value(tensors), 0);
  for (const { data } of Object.values(expected(1.01 * flops).gradient(tensors)))
    assert.deepEqual(
      [...data],
      [...data].map(() => 0),
    );
  assert.ok(Math.abs(expected(flops / 2).value(tensors) - settings.limitWeight) < 1e-6);
});

test('the options of a wired cell that put out nothing are no way to save costs', () => {
  const { architecture, tensors, network } = opened(darts);
  const term = costTerm(darts, network, architecture, goals(darts, { objectives: ['flops'] }), settings);
  const none = architecture.map(({ path, decisions }) => ({
    path,
    at: decisions.map(({ options }) => options.indexOf('none')),
  }));
  const gradient = term.gradient(tensors);
  for (const { path, at } of none)
    for (const [row, k] of at.entries()) assert.equal(gradient[costGradientOf(path)]?.data[row * 8 + k], 0);
});

test('a table of the costs of options is a model: what all networks have, and what each option adds', () => {
  const table: Readonly<Record<string, number>> = {
    'outer=one': 5,
    'outer=two': 7,
    'a=small': 2,
    'b=large': 3,
    'last=one': 1,
  };
  const model = tableCosts(nested, 10, (decision, option) => table[`${decision}=${option}`] ?? 0);
  const latency = goals(nested, { objectives: ['latency'], model: (cost) => (cost === 'latency' ? model : undefined) });
  const { architecture, tensors, network } = opened(nested);
  const at = (chosen: Readonly<Record<string, string>>) => {
    const sure = Object.fromEntries(
      architecture.map(({ path, shape, decisions }) => [
        path,
        {
          shape,
          data: Float32Array.from(
            decisions.flatMap(({ name, options }) => options.map((one) => (one === chosen[name] ? 100 : 0))),
          ),
        },
      ]),
    );
    return costTerm(nested, network, architecture, latency, settings).expected({ ...tensors, ...sure }).latency ?? 0;
  };
  // Without `two`, the choice `b` costs nothing.
  assert.ok(Math.abs(at({ outer: 'one', a: 'small', b: 'large', last: 'nothing' }) - 17) < 1e-6);
  assert.ok(Math.abs(at({ outer: 'two', a: 'none', b: 'large', last: 'one' }) - 21) < 1e-6);
});
