import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import { interpret } from '../graph/interpret.ts';
import { type Shape, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { SPACES } from '../space/spaces/index.ts';
import * as s from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import type { Module } from '../space/tree/module.ts';
import { resolve, supernet } from '../space/tree/resolve.ts';
import { sample } from '../space/tree/vary.ts';
import { networkCosts } from './costs.ts';
import { type LowerOptions, lowerNetwork } from './lower.ts';
import { SKIP_DROPOUT } from './mixture.ts';
import { pathInputs } from './paths.ts';

const CIFAR = { kind: 'classification', input: [3, 32, 32], outputs: 10 } as const;

function lowered(
  network: Module,
  input: Shape,
  outputs: number,
  choices: LowerOptions['choices'] | false = 'mixture',
  mode: LowerOptions['mode'] = 'train',
) {
  const g = createGraph();
  const x = ops.input(g, 'x', [2, ...input]);
  const found = lowerNetwork(g, network, x, { outputs, mode, ...(choices && { choices }) });
  return { g, ...found };
}

const countOf = (parameters: readonly { readonly shape: Shape }[]) =>
  parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

test('the DARTS supernet has the weights and the decisions of the published one', () => {
  const search = SPACES.darts.create(CIFAR, { search: true, channels: 16, cells: 8 });
  const { parameters, architecture } = lowered(supernet(search), CIFAR.input, 10);
  assert.equal(countOf(parameters), 1_930_618);
  assert.deepEqual(
    architecture.map(({ path, shape }) => [path, shape]),
    [['architecture:8', [28, 8]]],
  );
  const decisions = architecture[0]?.decisions ?? [];
  assert.deepEqual(decisions[0], {
    name: 'normal/0->2',
    options: 'none max_pool_3x3 avg_pool_3x3 skip_connect sep_conv_3x3 sep_conv_5x5 dil_conv_3x3 dil_conv_5x5'.split(
      ' ',
    ),
  });
  assert.equal(decisions[27]?.name, 'reduce/4->5');
});

test('the network of DARTS_V2 has the size that the paper prints: 3.3 M weights at 36 channels and 20 cells', () => {
  const space = SPACES.darts.create(CIFAR, { channels: 36, cells: 20 });
  const { params } = networkCosts(resolve(space, space.text?.parse('DARTS_V2') ?? {}), CIFAR);
  assert.equal(params, 3_349_342);
});

test('every weight of a resolved network stands in the supernet, at the same path and of the same shape', () => {
  for (const [name, options] of [
    ['darts', { search: true, channels: 4, cells: 3 }],
    ['nas-bench-201', { channels: 4, cells: 2 }],
  ] as const) {
    const space = SPACES[name].create(CIFAR, options);
    const all = new Map(lowered(supernet(space), CIFAR.input, 10).parameters.map(({ path, shape }) => [path, shape]));
    for (const seed of [1, 2, 3]) {
      const { parameters } = lowered(resolve(space, sample(space, rng(seed))), CIFAR.input, 10, false);
      for (const { path, shape } of parameters) assert.deepEqual(all.get(path), shape, path);
    }
  }
});

/** Two places of one decision, then another with as many options; all numbers can be followed by hand. */
const scale = (by: number) => s.choice('scale', { none: s.zero(), once: s.identity(), mean: s.avgPool(by) });
const small = defineSpace('small', () =>
  s.sequential(
    scale(1),
    s.scoped('b', scale(1)),
    scale(1),
    s.choice('end', { max: s.globalMaxPool(), mean: s.globalAvgPool() }),
  ),
).create({ kind: 'classification', input: [1, 1, 2], outputs: 1 });

test('an open choice is the sum of its options, each times its share; none adds nothing but has its share', () => {
  const { g, output, architecture } = lowered(supernet(small), [1, 1, 2], 1);
  assert.deepEqual(
    architecture.map(({ path, shape, decisions }) => [path, shape, decisions.map(({ name }) => name)]),
    [
      ['architecture:3', [2, 3], ['scale', 'b/scale']],
      ['architecture:2', [1, 2], ['end']],
    ],
  );
  const log = (...values: readonly number[]) => values.map(Math.log);
  const result = interpret(finish(g, { output }), {
    x: { shape: [2, 1, 1, 2], data: [1, 3, 10, 20] },
    // Shares 1/2, 1/4, 1/4 and 1/5, 3/5, 1/5; a window of one pixel changes nothing, so what is left is 1 - none.
    'architecture:3': { shape: [2, 3], data: [...log(2, 1, 1), ...log(1, 3, 1)] },
    'architecture:2': { shape: [1, 2], data: log(1, 3) },
  });
  const kept = (1 / 2) * (4 / 5) * (1 / 2);
  const expected = [kept * (3 / 4 + (3 * 2) / 4), kept * (20 / 4 + (3 * 15) / 4)];
  assert.ok(
    expected.every((v, i) => Math.abs(v - (result.output?.data[i] ?? Number.NaN)) < 1e-9),
    `${result.output?.data}`,
  );
});

test('a stack hands each cell the outputs of the two before it, and the first ones the input', () => {
  // A cell puts out older + 2 · newer.
  const cell = s.dagOfNodes(1, () => ({ from: [0, 1] }), { entries: [s.identity(), s.residual(s.identity())] });
  const { g, output } = lowered(s.sequential(s.stack(cell, cell, cell), s.globalAvgPool()), [1, 1, 1], 1, false);
  const result = interpret(finish(g, { output }), { x: { shape: [2, 1, 1, 1], data: [1, -1] } });
  // 1 + 2·1 = 3, 1 + 2·3 = 7, 3 + 2·7 = 17.
  assert.deepEqual([...(result.output?.data ?? [])], [17, -17]);
});

test('what a mixture cannot weigh is refused, naming the choice', () => {
  const open = (root: Module) => supernet(defineSpace('open', () => root).create(CIFAR));
  const head = [s.globalAvgPool(), s.linear('outputs')];
  const refuses = (root: Module, message: RegExp) => assert.throws(() => lowered(open(root), CIFAR.input, 10), message);
  refuses(s.sequential(s.scoped('a', s.conv(s.pick('width', [4, 8]), 3)), ...head), /choice "a\/width" is open/u);
  refuses(s.sequential(s.repeat(s.int('depth', 1, 2), s.relu()), ...head), /choice "depth" is open/u);
  const options = { a: s.conv(4, 3), b: s.conv(8, 3) };
  refuses(s.sequential(s.choice('k', options), ...head), /\[2,4,32,32\] and \[2,8,32,32\] meet/u);
  const wired = s.dag(2, () => s.identity(), { inputs: 1 });
  assert.throws(
    () => lowered(open(s.sequential(wired, ...head)), CIFAR.input, 10, false),
    /inputs of node 2 are open \(2<-\)/u,
  );
});

const close = (found: ArrayLike<number> | undefined, expected: readonly number[], tolerance = 1e-9) =>
  assert.ok(
    found?.length === expected.length && expected.every((v, i) => Math.abs(v - (found[i] ?? 9)) < tolerance),
    `${found}, expected ${expected}`,
  );
const logs = (...values: readonly number[]) => values.map(Math.log);

test('partial channels: the first ones pass through the options, the rest go around, then they alternate', () => {
  const options = { none: s.zero(), once: s.identity(), negative: s.sequential(s.relu(), s.conv('same', 1)) };
  const space = defineSpace('partial', () => s.sequential(s.choice('op', options), s.flatten())).create({
    ...{ kind: 'regression', input: [4, 1, 1], outputs: 4 },
  });
  const form = { kind: 'mixture', partial: 2 } as const;
  const { g, output, parameters } = lowered(supernet(space), [4, 1, 1], 4, form);
  assert.deepEqual(
    parameters.map(({ shape }) => shape),
    [[2, 2, 1, 1]],
  );
  const result = interpret(finish(g, { output }), {
    x: { shape: [2, 4, 1, 1], data: [1, 2, 3, 4, 10, 20, 30, 40] },
    [parameters[0]?.path ?? '']: { shape: [2, 2, 1, 1], data: [1, 0, 1, 1] },
    'architecture:3': { shape: [1, 3], data: logs(1, 2, 1) },
  });
  // 1/2 [a, b] + 1/4 [a, a + b], then [c, d] between.
  close(result.output?.data, [0.75, 3, 1.75, 4, 7.5, 30, 17.5, 40]);
});

test('partial channels: where options have stride 2, the rest is max-pooled, odd sides too', () => {
  const options = { mean: s.avgPool(1, { stride: 2 }), most: s.maxPool(1, { stride: 2 }) };
  const space = defineSpace('partial', () => s.sequential(s.choice('op', options), s.flatten())).create({
    ...{ kind: 'regression', input: [2, 3, 3], outputs: 8 },
  });
  const { g, output } = lowered(supernet(space), [2, 3, 3], 8, { kind: 'mixture', partial: 2 });
  const image = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const result = interpret(finish(g, { output }), {
    x: { shape: [2, 2, 3, 3], data: [image, image, image, image].flat() },
    'architecture:2': { shape: [1, 2], data: [0, 0] },
  });
  // Windows of one pixel take every second one; those of the rest are 2x2, cut off at the border.
  close(result.output?.data.slice(0, 8), [1, 3, 7, 9, 5, 6, 8, 9]);
});

test('edge normalization: a node adds up its edges, each times its share; equal cells have one row', () => {
  const cell = s.dag(2, (from, to) => s.choice(`${from}->${to}`, { a: s.identity(), b: s.identity() }));
  const space = defineSpace('edges', () => s.sequential(s.repeat(2, s.scoped('cell', cell)), s.flatten()));
  const repeated = supernet(space.create({ kind: 'regression', input: [1, 1, 1], outputs: 1 }));
  const { architecture } = lowered(repeated, [1, 1, 1], 1, { kind: 'mixture', edges: true });
  const rows = architecture.find(({ path }) => path === 'edges:2')?.decisions;
  assert.deepEqual(
    rows?.map(({ name, options }) => [name, options]),
    [
      ['cell/0/2<-', ['0', '1']],
      ['cell/1/2<-', ['0', '1']],
    ],
  );
  const plain = defineSpace('edges', () => s.sequential(s.scoped('cell', cell), s.scoped('cell', cell), s.flatten()));
  const network = supernet(plain.create({ kind: 'regression', input: [1, 1, 1], outputs: 1 }));
  const { g, output } = lowered(network, [1, 1, 1], 1, { kind: 'mixture', edges: true });
  const result = interpret(finish(g, { output }), {
    x: { shape: [2, 1, 1, 1], data: [1, -1] },
    'architecture:2': { shape: [3, 2], data: [0, 0, 0, 0, 0, 0] },
    'edges:2': { shape: [1, 2], data: logs(3, 1) },
  });
  // Node 1 is x; node 2 is 3/4 x + 1/4 x.
  close(result.output?.data, [1, -1]);
});

test('a mixture of partial channels with edge shares and skip dropout: gradients equal finite differences', () => {
  const operation = (from: number, to: number) =>
    s.choice(`${from}->${to}`, {
      none: s.zero(),
      skip: s.identity(),
      conv: s.sequential(s.tanh(), s.conv('same', 1)),
    });
  const space = defineSpace('tiny', () =>
    s.sequential(s.dag(3, operation, { inputs: 2 }), s.globalAvgPool(), s.linear('outputs')),
  ).create({ kind: 'classification', input: [4, 2, 2], outputs: 2 });
  const form = { kind: 'mixture', partial: 2, edges: true, skipDropout: true } as const;
  const { g, output, parameters, architecture, randomInputs } = lowered(supernet(space), [4, 2, 2], 2, form);
  assert.deepEqual(
    architecture.map(({ path, shape }) => [path, shape]),
    [
      ['architecture:3', [6, 3]],
      ['edges:2', [1, 2]],
      ['edges:3', [1, 3]],
    ],
  );
  const loss = ops.reduceSum(g, ops.mul(g, output, output), [0, 1]);
  const wanted = [...parameters, ...architecture];
  const found = gradients(
    g,
    loss,
    wanted.map(({ node }) => node),
  );
  const graph = finish(g, { loss, ...Object.fromEntries(wanted.map(({ path }, i) => [path, found[i] ?? loss])) });
  const random = rng('gradients');
  const filled = (shape: Shape, draw: () => number) => ({
    shape,
    data: Float64Array.from({ length: sizeOf(shape) }, draw),
  });
  const feeds: Record<string, { readonly shape: Shape; readonly data: Float64Array }> = {
    x: filled([2, 4, 2, 2], () => random.normal()),
    [SKIP_DROPOUT]: { shape: [], data: Float64Array.of(0.5) },
    ...Object.fromEntries(randomInputs.map(({ name, shape }) => [name, filled(shape, () => random.float())])),
    ...Object.fromEntries(wanted.map(({ path, shape }) => [path, filled(shape, () => random.normal())])),
  };
  const result = interpret(graph, feeds);
  const only = finish(g, { loss });
  for (const { path } of wanted) {
    const data = feeds[path]?.data ?? new Float64Array();
    const slopes = Array.from(data, (value, i) => {
      const at = (x: number) => {
        data[i] = x;
        return interpret(only, feeds).loss?.data[0] ?? Number.NaN;
      };
      const slope = (at(value + 1e-5) - at(value - 1e-5)) / 2e-5;
      data[i] = value;
      return slope;
    });
    close(result[path]?.data, slopes, 1e-6);
  }
});

test('skip dropout drops whole channels behind an identity and scales the rest; inference knows none', () => {
  const options = { skip: s.identity(), none: s.zero() };
  const space = defineSpace('skips', () => s.sequential(s.choice('op', options), s.flatten())).create({
    ...{ kind: 'regression', input: [1, 1, 2], outputs: 2 },
  });
  const form = { kind: 'mixture', skipDropout: true } as const;
  const x = { shape: [2, 1, 1, 2], data: [1, 2, 3, 4] };
  const shares = { 'architecture:2': { shape: [1, 2], data: [0, 0] } };
  const training = lowered(supernet(space), [1, 1, 2], 2, form);
  assert.deepEqual(
    training.randomInputs.map(({ shape }) => shape),
    [[2, 1, 1, 1]],
  );
  const drawn = { [training.randomInputs[0]?.name ?? '']: { shape: [2, 1, 1, 1], data: [0.1, 0.9] } };
  const rate = { [SKIP_DROPOUT]: { shape: [], data: [0.6] } };
  const result = interpret(finish(training.g, { output: training.output }), { x, ...shares, ...drawn, ...rate });
  close(result.output?.data, [0, 0, 3 / 0.4 / 2, 4 / 0.4 / 2]);
  const inference = lowered(supernet(space), [1, 1, 2], 2, form, 'infer');
  assert.deepEqual(inference.randomInputs, []);
  close(interpret(finish(inference.g, { output: inference.output }), { x, ...shares }).output?.data, [0.5, 1, 1.5, 2]);
});

test('paths are the sum of those options that are at 1, of the edges at 1', () => {
  const operation = () => s.choice('op', { none: s.zero(), once: s.identity(), again: s.identity() });
  const space = defineSpace('paths', () => s.sequential(s.dag(2, operation, { inputs: 1 }), s.flatten())).create({
    ...{ kind: 'regression', input: [1, 1, 1], outputs: 1 },
  });
  const network = supernet(space);
  assert.deepEqual(
    pathInputs(network).map(({ name, shape, decisions }) => [name, shape, decisions.map((one) => one.name)]),
    [
      ['paths:3', [1, 3], ['op']],
      ['paths:2', [1, 2], ['2<-']],
    ],
  );
  const { g, output, architecture } = lowered(network, [1, 1, 1], 1, 'paths');
  assert.deepEqual(architecture, []);
  const at = (options: readonly number[], edges: readonly number[]) =>
    interpret(finish(g, { output }), {
      x: { shape: [2, 1, 1, 1], data: [1, 10] },
      'paths:3': { shape: [1, 3], data: options },
      'paths:2': { shape: [1, 2], data: edges },
    }).output?.data;
  // Node 1 is x times the number of its options; node 2 adds both edges, or one.
  close(at([1, 1, 1], [1, 1]), [2 + 4, 60]);
  close(at([0, 0, 1], [1, 1]), [2, 20]);
  close(at([0, 1, 1], [0, 1]), [4, 40]);
  close(at([1, 0, 0], [1, 1]), [0, 0]);
});

test('partial channels stand on the supernet of darts: a quarter of the channels in each operation', () => {
  const search = SPACES.darts.create(CIFAR, { search: true, channels: 8, cells: 3 });
  const form = { kind: 'mixture', partial: 4, edges: true } as const;
  const { parameters, architecture } = lowered(supernet(search), CIFAR.input, 10, form);
  const shapeOf = (path: string) => parameters.find((one) => one.path === path)?.shape;
  assert.deepEqual(shapeOf('2/0/0->2/sep_conv_3x3/2/weight'), [2, 2, 1, 1]);
  assert.deepEqual(shapeOf('2/1/0->2/sep_conv_3x3/2/weight'), [4, 4, 1, 1]);
  assert.deepEqual(
    architecture.map(({ path, shape }) => [path, shape]),
    [
      ['architecture:8', [28, 8]],
      ['edges:2', [2, 2]],
      ['edges:3', [2, 3]],
      ['edges:4', [2, 4]],
      ['edges:5', [2, 5]],
    ],
  );
  assert.deepEqual(
    architecture.slice(1).flatMap(({ decisions }) => decisions.map(({ name }) => name)),
    [2, 3, 4, 5].flatMap((to) => [`normal/${to}<-`, `reduce/${to}<-`]),
  );
});
