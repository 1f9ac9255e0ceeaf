import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { createGraph, finish } from '../graph/builder.ts';
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
import { lowerNetwork } from './lower.ts';

const CIFAR = { kind: 'classification', input: [3, 32, 32], outputs: 10 } as const;

function lowered(network: Module, input: Shape, outputs: number, mixed = true) {
  const g = createGraph();
  const x = ops.input(g, 'x', [2, ...input]);
  const found = lowerNetwork(g, network, x, { outputs, mode: 'train', ...(mixed && { choices: 'mixture' }) });
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
