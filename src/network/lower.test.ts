import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { interpret } from '../graph/interpret.ts';
import * as ops from '../graph/ops.ts';
import * as s from '../space/tree/builders.ts';
import type { Module } from '../space/tree/module.ts';
import { networkCosts } from './costs.ts';
import { initialize } from './initialize.ts';
import { lowerNetwork } from './lower.ts';

const classification = (input: readonly number[], outputs = 10) =>
  ({ kind: 'classification', input, outputs }) as const;

function lowered(network: Module, input: readonly number[], mode: 'train' | 'infer' = 'train', outputs = 2) {
  const g = createGraph();
  const x = ops.input(g, 'x', [3, ...input]);
  return { g, ...lowerNetwork(g, network, x, { outputs, mode }) };
}

test('batch norm moves its statistics to the batch mean and the unbiased variance, as PyTorch does', () => {
  const { g, statistics, output } = lowered(s.batchNorm({ affine: false, momentum: 0.1 }), [2]);
  const [mean, variance] = statistics.map(({ move }) => move);
  assert.deepEqual([mean?.momentum, variance?.momentum], [0.1, 0.1]);
  assert.deepEqual([mean?.factor, variance?.factor], [1, 3 / 2]); // times this, the biased variance is the unbiased one
  const graph = finish(g, { output, mean: mean?.batch ?? -1, variance: variance?.batch ?? -1 });
  const result = interpret(graph, { x: { shape: [3, 2], data: [1, 10, 2, 20, 6, 60] } });
  const close = (actual: ArrayLike<number> | undefined, expected: readonly number[]) =>
    assert.ok(
      expected.every((v, i) => Math.abs(v - (actual?.[i] ?? Number.NaN)) < 1e-9),
      `${actual}`,
    );
  close(result.mean?.data, [3, 30]);
  close(result.variance?.data, [14 / 3, 1400 / 3]);
  const deviation = Math.sqrt(14 / 3 + 1e-5); // biased in the normalization itself
  assert.ok(Math.abs((result.output?.data[0] ?? 0) + 2 / deviation) < 1e-9);
});

test('both modes have the same parameters and statistics; only training draws random numbers', () => {
  const network = s.sequential(
    s.conv(4, 3, { bias: true }),
    s.batchNorm(),
    s.dropPath(0.2),
    s.flatten(),
    s.dropout(0.5),
    s.linear('outputs'),
  );
  const [train, infer] = [lowered(network, [1, 4, 4], 'train'), lowered(network, [1, 4, 4], 'infer')];
  const names = (of: typeof train) => [...of.parameters, ...of.statistics].map((p) => `${p.path} ${p.shape}`);
  assert.deepEqual(names(train), names(infer));
  assert.deepEqual(train.randomInputs, [
    { name: '2/random', shape: [3, 1, 1, 1] },
    { name: '4/random', shape: [3, 64] },
  ]);
  assert.deepEqual(infer.randomInputs, []);
});

test('dropout keeps the expectation', () => {
  const { g, output } = lowered(s.dropout(0.25), [2]);
  const result = interpret(finish(g, { output }), {
    x: { shape: [3, 2], data: [1, 1, 1, 1, 1, 1] },
    random: { shape: [3, 2], data: [0.1, 0.2, 0.26, 0.5, 0.9, 0.24] },
  });
  assert.deepEqual([...(result.output?.data ?? [])], [0, 0, 4 / 3, 4 / 3, 4 / 3, 0]);
});

test('parameters are named by their path in the tree, the chosen option included', () => {
  const network = s.sequential(
    s.repeat(
      2,
      s.dag(1, () => ({ kind: 'choice', name: '0->1', options: { conv3: s.conv('same', 3) } })),
    ),
    s.flatten(),
    s.linear('outputs'),
  );
  assert.deepEqual(
    lowered(network, [1, 4, 4]).parameters.map((p) => p.path),
    ['0/0/0->1/conv3/weight', '0/1/0->1/conv3/weight', '2/weight', '2/bias'],
  );
});

test('a piecewise linear encoding rises from 0 to 1 between two quantiles, and stays there', () => {
  const g = createGraph();
  const x = ops.input(g, 'x', [3, 2]);
  const module = s.piecewiseLinear(2);
  const { output } = lowerNetwork(g, module, x, { outputs: 4, mode: 'infer', quantiles: [[], [0, 1, 2, 3, 4]] });
  const data = Float64Array.of(7, -1, 8, 0.5, 9, 3);
  const found = interpret(finish(g, { output }), { x: { shape: [3, 2], data } }).output;
  // The features themselves, then bins from 0 to 2 and from 2 to 4.
  assert.deepEqual([...(found?.data ?? [])], [7, -1, 0, 0, 8, 0.5, 0.25, 0, 9, 3, 1, 0.5]);
});

test('a piecewise linear encoding adds nothing where no quantiles are known, and no more bins than there are', () => {
  const widthOf = (bins: number, quantiles?: readonly (readonly number[])[]) => {
    const g = createGraph();
    const x = ops.input(g, 'x', [3, 2]);
    const network = s.sequential(s.piecewiseLinear(bins), s.linear(1));
    const { parameters } = lowerNetwork(g, network, x, { outputs: 1, mode: 'infer', ...(quantiles && { quantiles }) });
    return parameters.find(({ path }) => path === '1/weight')?.shape[1];
  };
  assert.equal(widthOf(8), 2);
  assert.equal(widthOf(0, [[0, 1, 2], []]), 2);
  assert.equal(widthOf(8, [[0, 1, 2], []]), 4);
});

test('what does not fit is refused with its place', () => {
  const refuses = (network: Module, input: readonly number[], message: RegExp) =>
    assert.throws(
      () => lowered(network, input),
      (error) => error instanceof UserError && message.test(error.message),
    );
  refuses(s.sequential(s.linear(3)), [1, 4, 4], /network 0 \(linear\): input is \[3,1,4,4\]; it needs features/);
  refuses(s.conv(3, 3), [5], /network \(conv\): input is \[3,5\]; it needs images/);
  refuses(
    s.sequential(s.conv(5, 3, { groups: 2 })),
    [4, 4, 4],
    /4 channels in, 5 out, 2 groups; groups must divide both/,
  );
  refuses(s.sequential(s.maxPool(5, { padding: 0 })), [1, 4, 4], /input is 4x4; a window of 5 must fit/);
  refuses(s.residual(s.conv(3, 3)), [1, 4, 4], /\[3,3,4,4\] and \[3,1,4,4\] meet; what is added must have one shape/);
  refuses(s.flatten(), [1, 4, 4], /its output is \[3,16\]; it must be \[3, 2\]/);
  refuses(s.conv(s.pick('width', [1, 2]), 3), [1, 4, 4], /choice "width" is open/);
});

test('costs: parameters, multiply-accumulates and activations by layer and in all', () => {
  const network = s.sequential(s.conv(8, 3), s.batchNorm(), s.relu(), s.globalAvgPool(), s.linear('outputs'));
  const costs = networkCosts(network, classification([3, 4, 4]));
  assert.deepEqual(
    costs.layers.map((l) => [l.path, l.kind, l.params, l.flops, l.activationBytes]),
    [
      ['0', 'conv', 216, 216 * 16, 512],
      ['1', 'batchNorm', 16, 0, 512],
      ['2', 'activation', 0, 0, 512],
      ['3', 'globalPool', 0, 0, 32],
      ['4', 'linear', 90, 90, 40],
    ],
  );
  assert.equal(costs.params, 216 + 16 + 90);
  assert.equal(costs.flops, 216 * 16 + 90);
  assert.equal(costs.activationBytes, 3 * 512 + 32 + 40);
});

test('initial values: the same for the same path and seed, with the deviation asked for', () => {
  const { parameters } = lowered(s.sequential(s.conv(64, 3), s.flatten(), s.linear('outputs')), [16, 8, 8]);
  const draw = (seed: number) => initialize(parameters, (...labels) => rng(seed, ...labels));
  const [weights, again, other] = [draw(1), draw(1), draw(2)];
  assert.deepEqual(weights, again);
  assert.notDeepEqual(weights['0/weight'], other['0/weight']);
  const values = [...(weights['0/weight']?.data ?? [])];
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
  assert.ok(Math.abs(deviation / Math.sqrt(2 / (9 * 64)) - 1) < 0.03, `${deviation}`);
  const limit = Math.sqrt(6 / (64 * 64 + 2));
  const linear = weights['2/weight']?.data ?? [];
  assert.ok(linear.every((v) => Math.abs(v) <= limit) && linear.some((v) => Math.abs(v) > 0.9 * limit));
});

test('none contributes no channels where a dag concatenates', () => {
  const costs = (cell: Module) =>
    networkCosts(s.sequential(cell, s.globalAvgPool(), s.linear('outputs')), classification([4, 6, 6]));
  const conv = 4 * 4;
  const classifier = (channels: number) => (channels + 1) * 10;
  // Node 1 gets only none, so node 2 reads the input alone, and the output has its 4 channels.
  const put = s.dag(2, (from, to) => (from === 0 && to === 2 ? s.conv('same', 1) : s.zero()), { output: 'concat' });
  assert.equal(costs(put).params, conv + classifier(4));
  const cut = s.dag(2, (_, to) => (to === 1 ? s.zero() : s.conv('same', 1)), { output: 'concat' });
  assert.equal(costs(cut).params, conv + classifier(4));
  // A node that concatenates leaves out what is none, also as the option that is chosen.
  const none: Module = { kind: 'choice', name: 'edge', options: { none: s.zero() } };
  const joined = s.dag(2, (from, to) => (from === 1 ? none : s.conv(to, 1)), { combine: 'concat' });
  assert.equal(costs(joined).params, 4 + 4 * 2 + classifier(2));
  // Sums are as they were.
  const sum = s.dag(2, (from) => (from === 1 ? s.zero() : s.conv('same', 1)));
  assert.equal(costs(sum).params, 2 * conv + classifier(4));
  assert.equal(costs(s.dag(1, () => s.zero())).params, classifier(4));
  assert.throws(() => costs(s.dag(2, () => s.zero(), { output: 'concat' })), {
    name: 'UserError',
    message:
      /network 0 \(dag\): all that comes to its output is none; a path from its input to its output must be without none/,
  });
});

test('rows of an image are sequences of their own', () => {
  const { params, flops } = networkCosts(
    s.sequential(s.rows(s.recurrent('rnn', 5)), s.globalAvgPool(), s.linear('outputs')),
    classification([3, 4, 6]),
  );
  assert.equal(params, 5 * (3 + 5 + 2) + 6 * 10);
  assert.ok(flops > 4 * 6 * 5 * 3);
  assert.throws(() => lowered(s.rows(s.last()), [3, 4, 6]), /what reads a row gives \[12,3\]; it must give a sequence/);
  assert.throws(() => lowered(s.rows(s.identity()), [3, 6]), /it needs images/);
});
