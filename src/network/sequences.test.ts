/** What sequences, dense prediction and shared weights promise beyond right gradients, which modules.test.ts checks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import { type FedTensor, interpret } from '../graph/interpret.ts';
import { type Shape, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import * as s from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import type { Module } from '../space/tree/module.ts';
import { resolve, supernet } from '../space/tree/resolve.ts';
import { networkCosts } from './costs.ts';
import { initialize } from './initialize.ts';
import { type LowerOptions, lowerNetwork } from './lower.ts';
import { morphWeights } from './morphism.ts';

const BATCH = 2;

function lowered(
  network: Module,
  input: Shape,
  shape: Shape,
  options: Partial<LowerOptions> & { readonly tokens?: true } = {},
) {
  const g = createGraph();
  const { tokens, ...rest } = options;
  const x = ops.input(g, 'x', [BATCH, ...input], tokens ? 'int32' : 'float32');
  return { g, ...lowerNetwork(g, network, x, { outputs: shape[0] ?? 1, shape, mode: 'infer', ...rest }) };
}

type Lowered = ReturnType<typeof lowered>;

/** Some numbers for each parameter. */
function weightsOf({ parameters }: Pick<Lowered, 'parameters'>): Record<string, FedTensor> {
  const random = rng('weights');
  return Object.fromEntries(
    parameters.map(({ path, shape }) => [
      path,
      { shape, data: Array.from({ length: sizeOf(shape) }, () => 0.5 * random.normal()) },
    ]),
  );
}

function outputOf({ g, output, states }: Lowered, feeds: Readonly<Record<string, FedTensor>>) {
  const ends = Object.fromEntries(states.map(({ name, output: end }) => [`next ${name}`, end]));
  return interpret(finish(g, { output, ...ends }), feeds);
}

function numbers(label: string, shape: Shape): FedTensor & { readonly data: readonly number[] } {
  const random = rng(label);
  return { shape, data: Array.from({ length: sizeOf(shape) }, () => random.normal()) };
}

function assertClose(actual: ArrayLike<number> | undefined, expected: readonly number[]): void {
  assert.equal(actual?.length, expected.length);
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - (actual?.[i] ?? Number.NaN))));
  assert.ok(worst < 1e-9, `${worst}`);
}

/** As `torch.nn.functional.interpolate(x, size, mode, align_corners=False)` defines it, pixel by pixel, of [BATCH, 1, H, W]. */
function interpolated(x: readonly number[], [h, w]: readonly number[], [oh, ow]: readonly number[], bilinear: boolean) {
  const [height = 1, width = 1, outHeight = 1, outWidth = 1] = [h, w, oh, ow];
  const pixel = (n: number, row: number, column: number) =>
    x[(n * height + Math.min(row, height - 1)) * width + Math.min(column, width - 1)] ?? Number.NaN;
  const source = (i: number, from: number, to: number) => Math.max(0, ((i + 0.5) * from) / to - 0.5);
  return Array.from({ length: BATCH * outHeight * outWidth }, (_, k) => {
    const [n, i, j] = [Math.floor(k / (outHeight * outWidth)), Math.floor(k / outWidth) % outHeight, k % outWidth];
    if (!bilinear) return pixel(n, Math.floor((i * height) / outHeight), Math.floor((j * width) / outWidth));
    const [y, x0] = [source(i, height, outHeight), source(j, width, outWidth)];
    const [top, left] = [Math.floor(y), Math.floor(x0)];
    const [dy, dx] = [y - top, x0 - left];
    const row = (at: number) => (1 - dx) * pixel(n, at, left) + dx * pixel(n, at, left + 1);
    return (1 - dy) * row(top) + dy * row(top + 1);
  });
}

for (const [mode, factor, from, to] of [
  ['nearest', 2, [3, 4], [6, 8]],
  ['nearest', 0.7, [5, 4], [3, 2]],
  ['bilinear', 2, [3, 4], [6, 8]],
  ['bilinear', 1.5, [3, 5], [4, 7]],
  ['bilinear', 0.5, [6, 5], [3, 2]],
] as const) {
  test(`${mode} resize of ${from} by ${factor} is PyTorch's`, () => {
    const x = numbers('x', [BATCH, 1, ...from]);
    const { output } = outputOf(lowered(s.resize(factor, { mode }), [1, ...from], [1, ...to]), { x });
    assertClose(output?.data, interpolated(x.data, from, to, mode === 'bilinear'));
  });
}

test('a resize to the input has its size; values at the corners of PyTorch documentation', () => {
  const network = s.sequential(s.maxPool(2, { stride: 2, padding: 0 }), s.resize('input', { mode: 'bilinear' }));
  const { g, output } = lowered(network, [1, 5, 4], [1, 5, 4]);
  assert.deepEqual(g.shape(output), [BATCH, 1, 5, 4]);
  // interpolate([[1, 2], [3, 4]], scale_factor=2, mode='bilinear')
  const doubled = lowered(s.resize(2, { mode: 'bilinear' }), [1, 2, 2], [1, 4, 4]);
  const x = { shape: [BATCH, 1, 2, 2], data: [1, 2, 3, 4, 1, 2, 3, 4] };
  const image = [1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4];
  assertClose(outputOf(doubled, { x }).output?.data, [...image, ...image]);
});

test('a transposed convolution lays each pixel times the filter at its place', () => {
  const network = s.convTranspose(1, [1, 3], { stride: [1, 2] });
  const x = { shape: [BATCH, 1, 1, 2], data: [1, 10, 2, 0] };
  const weight = { shape: [1, 1, 1, 3], data: [1, 2, 3] };
  // 1 2 3 . . + . . 10 20 30, without the last.
  const { output } = outputOf(lowered(network, [1, 1, 2], [1, 1, 4]), { x, weight });
  assert.deepEqual([...(output?.data ?? [])], [1, 2, 13, 20, 2, 4, 6, 0]);
});

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** One step of PyTorch's cells, written as its documentation has them: (x, h, c) -> (h, c). */
function stepOf(cell: 'rnn' | 'gru' | 'lstm', weights: Readonly<Record<string, FedTensor>>, units: number) {
  const row = (name: string, k: number, x: readonly number[]) =>
    x.reduce((sum, v, i) => sum + v * Number(weights[`${name}/weight`]?.data[k * x.length + i]), 0) +
    Number(weights[`${name}/bias`]?.data[k]);
  return (x: readonly number[], h: readonly number[], c: readonly number[]) => {
    const next = Array.from({ length: units }, (_, u): readonly [number, number] => {
      const input = (gate: number) => row('input', gate * units + u, x);
      const hidden = (gate: number) => row('hidden', gate * units + u, h);
      const both = (gate: number) => input(gate) + hidden(gate);
      if (cell === 'rnn') return [Math.tanh(both(0)), 0];
      if (cell === 'gru') {
        const [r, z] = [sigmoid(both(0)), sigmoid(both(1))];
        const n = Math.tanh(input(2) + r * hidden(2));
        return [(1 - z) * n + z * Number(h[u]), 0];
      }
      const [i, f, o] = [sigmoid(both(0)), sigmoid(both(1)), sigmoid(both(3))];
      const memory = f * Number(c[u]) + i * Math.tanh(both(2));
      return [o * Math.tanh(memory), memory];
    });
    return [next.map(([one]) => one), next.map(([, one]) => one)] as const;
  };
}

for (const cell of ['rnn', 'gru', 'lstm'] as const) {
  test(`${cell}: PyTorch's equations, and a sequence in two runs with its state carried is the sequence in one`, () => {
    const [channels, units, length] = [2, 3, 4];
    const network = s.recurrent(cell, units);
    const whole = lowered(network, [channels, length], [units, length]);
    const weights = weightsOf(whole);
    const x = numbers('x', [BATCH, channels, length]);
    const all = outputOf(whole, { ...weights, x }).output?.data ?? [];

    const step = stepOf(cell, weights, units);
    const expected = Array.from({ length: BATCH }, (_, n) => {
      let [h, c]: readonly (readonly number[])[] = [Array(units).fill(0), Array(units).fill(0)];
      const steps = Array.from({ length }, (_, t) => {
        const now = Array.from({ length: channels }, (_, k) => Number(x.data[(n * channels + k) * length + t]));
        [h, c] = step(now, h ?? [], c ?? []);
        return h;
      });
      return Array.from({ length: units }, (_, u) => steps.map((one) => Number(one[u]))).flat();
    }).flat();
    assertClose(all, expected);

    const half = lowered(network, [channels, 2], [units, 2], { state: true });
    assert.deepEqual(
      half.states.map(({ name, shape }) => [name, shape]),
      (cell === 'lstm' ? ['state/hidden', 'state/cell'] : ['state/hidden']).map((name) => [name, [BATCH, units]]),
    );
    let state = Object.fromEntries(
      half.states.map(({ name, shape }) => [name, { shape, data: Array<number>(sizeOf(shape)).fill(0) } as FedTensor]),
    );
    for (const first of [0, 2]) {
      const part = {
        shape: [BATCH, channels, 2],
        data: x.data.filter((_, i) => Math.floor((i % length) / 2) * 2 === first),
      };
      const result = outputOf(half, { ...weights, ...state, x: part });
      assertClose(
        result.output?.data,
        [...all].filter((_, i) => Math.floor((i % length) / 2) * 2 === first),
      );
      state = Object.fromEntries(half.states.map(({ name }) => [name, result[`next ${name}`] as FedTensor]));
    }
  });
}

test('causal attention sees nothing of what comes later, and a window nothing that is too far back', () => {
  const length = 5;
  const seenBy = (network: Module) => {
    const built = lowered(network, [2, length], [2, length]);
    const weights = weightsOf(built);
    const x = numbers('x', [BATCH, 2, length]);
    const before = outputOf(built, { ...weights, x }).output?.data ?? [];
    // Which positions of the first sample change with its third.
    const changed = { ...x, data: x.data.map((v, i) => (i < 2 * length && i % length === 2 ? v + 1 : v)) };
    const after = outputOf(built, { ...weights, x: changed }).output?.data ?? [];
    return [...Array(length).keys()].filter((t) => Math.abs(Number(before[t]) - Number(after[t])) > 1e-9);
  };
  assert.deepEqual(seenBy(s.attention(2)), [0, 1, 2, 3, 4]);
  assert.deepEqual(seenBy(s.attention(2, { causal: true })), [2, 3, 4]);
  assert.deepEqual(seenBy(s.attention(2, { causal: true, window: 2 })), [2, 3]);
  assert.deepEqual(seenBy(s.attention(1, { window: 2 })), [1, 2, 3]);
});

test('a causal convolution sees nothing of what comes later', () => {
  const length = 6;
  for (const [kernel, dilation, seen] of [
    [3, 1, [2, 3, 4]],
    [2, 2, [2, 4]],
  ] as const) {
    const built = lowered(s.conv(2, kernel, { padding: 'causal', dilation }), [2, length], [2, length]);
    const weights = weightsOf(built);
    const x = numbers('x', [BATCH, 2, length]);
    const changed = { ...x, data: x.data.map((v, i) => (i < length && i % length === 2 ? v + 1 : v)) };
    const [before, after] = [x, changed].map((one) => outputOf(built, { ...weights, x: one }).output?.data ?? []);
    const differ = [...Array(length).keys()].filter((t) => Math.abs(Number(before?.[t]) - Number(after?.[t])) > 1e-9);
    assert.deepEqual(differ, seen);
  }
  assert.throws(() => lowered(s.conv(2, 3, { padding: 'causal' }), [2, 5, 5], [2, 5, 5]), {
    name: 'UserError',
    message: /padding is 'causal'; only sequences have an order/,
  });
});

test('a recurrent layer that reads backwards is one that reads the reversed sequence', () => {
  const [channels, units, length] = [2, 3, 4];
  const x = numbers('x', [BATCH, channels, length]);
  const reversed = (data: ArrayLike<number>) =>
    Array.from(data, (_, i) => Number(data[Math.floor(i / length) * length + length - 1 - (i % length)]));
  const [forwards, backwards] = [false, true].map((reverse) =>
    lowered(s.recurrent('lstm', units, { reverse }), [channels, length], [units, length]),
  ) as [Lowered, Lowered];
  const weights = weightsOf(forwards);
  const expected = outputOf(forwards, { ...weights, x: { ...x, data: reversed(x.data) } }).output?.data ?? [];
  assertClose(outputOf(backwards, { ...weights, x }).output?.data, reversed(expected));
});

test('variational dropout has one mask for all positions, embedding dropout one for all places of a token', () => {
  const draws = (built: Lowered) => Object.fromEntries(built.randomInputs.map(({ name, shape }) => [name, shape]));
  const random = (shape: Shape) => ({ shape, data: numbers('draw', shape).data.map((v) => (v > 0 ? 0.9 : 0.1)) });
  const channels = lowered(s.dropout(0.5, { over: 'channels' }), [4, 3], [4, 3], { mode: 'train' });
  assert.deepEqual(draws(channels), { random: [BATCH, 4, 1] });
  const mask = random([BATCH, 4, 1]);
  const ones = { shape: [BATCH, 4, 3], data: Array<number>(BATCH * 4 * 3).fill(1) };
  const kept = outputOf(channels, { x: ones, random: mask }).output?.data ?? [];
  assert.deepEqual(
    [...kept],
    mask.data.flatMap((v) => Array<number>(3).fill(v > 0.5 ? 2 : 0)),
  );

  const tokens = lowered(s.embedding(3, 1, { dropout: 0.5 }), [4], [1, 4], {
    mode: 'train',
    tokens: true,
    vocabulary: 3,
  });
  assert.deepEqual(draws(tokens), { random: [3, 1] });
  const feeds = { weight: { shape: [3, 1], data: [1, 2, 3] }, random: { shape: [3, 1], data: [0.9, 0.1, 0.9] } };
  const x = { shape: [BATCH, 4], data: [0, 1, 2, 1, 1, 1, 0, 2] };
  assert.deepEqual([...(outputOf(tokens, { ...feeds, x }).output?.data ?? [])], [2, 0, 6, 0, 0, 0, 2, 6]);
});

test('weight drop has one mask for all steps, and none when not training', () => {
  const network = s.recurrent('gru', 2, { weightDrop: 0.5 });
  const [train, infer] = (['train', 'infer'] as const).map((mode) => lowered(network, [2, 3], [2, 3], { mode }));
  assert.deepEqual(
    train?.randomInputs.map(({ shape }) => shape),
    [[6, 2]],
  );
  assert.deepEqual(infer?.randomInputs, []);
});

const VOCABULARY = 4;
const LENGTH = 9;
/** After 0 1 comes 2 or 3, by turns: what came before tells which. */
const PATTERN = [0, 1, 2, 0, 1, 3];

/** Embedding and output layer share their table, as in most language models. */
const block = (channels: number) =>
  s.sequential(
    s.residual(s.sequential(s.layerNorm({ axes: 'channel' }), s.attention(2, { causal: true }))),
    s.residual(s.sequential(s.layerNorm({ axes: 'channel' }), s.linear(2 * channels), s.gelu(), s.linear(channels))),
  );
const characterModel = (channels: number, depth = 1) =>
  s.sequential(
    s.shared('tokens', s.embedding('inputs', channels)),
    s.positions('learned'),
    s.repeat(depth, block(channels)),
    s.layerNorm({ axes: 'channel' }),
    s.shared('tokens', s.linear('outputs', { bias: false })),
  );
const recurrentModel = (cell: 'gru' | 'lstm') =>
  s.sequential(s.embedding(VOCABULARY, 6), s.recurrent(cell, 10), s.linear('outputs'));

/** Adam on one batch: two phases of the pattern. The last mean loss of a token, and the share of tokens foretold. */
function overfit(network: Module, steps: number) {
  const tokens = { tokens: true, vocabulary: VOCABULARY, mode: 'train' } as const;
  const built = lowered(network, [LENGTH], [VOCABULARY, LENGTH], tokens);
  const { g, output, parameters } = built;
  const tokenAt = (phase: number, t: number) => PATTERN[(t + phase) % PATTERN.length] ?? 0;
  const places = [0, 1].flatMap((n) => Array.from({ length: LENGTH }, (_, t) => [n, t] as const));
  const x = { shape: [BATCH, LENGTH], data: places.map(([n, t]) => tokenAt(3 * n, t)) };
  const wanted = places.map(([n, t]) => tokenAt(3 * n, t + 1));
  const oneHot = [0, 1].flatMap((n) =>
    Array.from({ length: VOCABULARY * LENGTH }, (_, i) =>
      wanted[n * LENGTH + (i % LENGTH)] === Math.floor(i / LENGTH) ? 1 / (BATCH * LENGTH) : 0,
    ),
  );
  const target = ops.constant(g, oneHot, [BATCH, VOCABULARY, LENGTH]);
  const loss = ops.neg(g, ops.reduceSum(g, ops.mul(g, ops.logSoftmax(g, output, 1), target), [0, 1, 2]));
  const slopes = gradients(
    g,
    loss,
    parameters.map(({ node }) => node),
  );
  const graph = finish(g, { loss, output, ...Object.fromEntries(slopes.map((id, i) => [`d${i}`, id])) });
  const weights = Object.entries(initialize(parameters, (...labels) => rng(1, ...labels))).map(
    ([name, { shape, data }]) => ({ name, shape, data: Float64Array.from(data), m: [] as number[], v: [] as number[] }),
  );
  let result: Record<string, FedTensor> = {};
  for (let step = 1; step <= steps; step++) {
    result = interpret(graph, { x, ...Object.fromEntries(weights.map((one) => [one.name, one])) });
    for (const [i, { data, m, v }] of weights.entries()) {
      for (const [k, slope] of (result[`d${i}`]?.data ?? []).entries()) {
        m[k] = 0.9 * (m[k] ?? 0) + 0.1 * slope;
        v[k] = 0.99 * (v[k] ?? 0) + 0.01 * slope ** 2;
        const rate = 0.03 / ((1 - 0.9 ** step) * (Math.sqrt((v[k] ?? 0) / (1 - 0.99 ** step)) + 1e-8));
        data[k] = (data[k] ?? 0) - rate * (m[k] ?? 0);
      }
    }
  }
  const logits = [...(result.output?.data ?? [])];
  const foretold = places.filter(([n, t], i) => {
    const scores = Array.from({ length: VOCABULARY }, (_, k) => logits[(n * VOCABULARY + k) * LENGTH + t] ?? 0);
    return scores.indexOf(Math.max(...scores)) === wanted[i];
  });
  return { loss: Number(result.loss?.data[0]), accuracy: foretold.length / places.length };
}

test('a character model of causal attention with a tied output learns a repeated sequence by heart', () => {
  const { loss, accuracy } = overfit(characterModel(8), 150);
  assert.ok(accuracy > 0.9 && loss < 0.3, `${accuracy}, ${loss}`);
});

test('a GRU and an LSTM learn a repeated sequence by heart', () => {
  for (const cell of ['gru', 'lstm'] as const) {
    const { loss, accuracy } = overfit(recurrentModel(cell), 150);
    // Which of the two phases it is, the first token does not tell.
    assert.ok(accuracy > 0.9 && loss < 0.3, `${cell}: ${accuracy}, ${loss}`);
  }
});

test('what is shared is one tensor under its own name: counted once, and its gradient is the sum over its uses', () => {
  const network = characterModel(4);
  const options = { tokens: true, vocabulary: VOCABULARY } as const;
  const { parameters } = lowered(network, [LENGTH], [VOCABULARY, LENGTH], options);
  const names = parameters.map(({ path }) => path);
  assert.deepEqual(
    names.filter((name) => name.startsWith('shared/')),
    ['shared/tokens/weight'],
  );
  assert.equal(new Set(names).size, names.length);

  // x · w · w by one number: the slope is 2 · x · w.
  const twice = s.sequential(s.shared('w', s.linear(1, { bias: false })), s.shared('w', s.linear(1, { bias: false })));
  const built = lowered(twice, [1], [1]);
  const [weight] = built.parameters;
  const total = ops.reduceSum(built.g, built.output, [0, 1]);
  const [slope] = gradients(built.g, total, [weight?.node ?? -1]);
  const graph = finish(built.g, { slope: slope ?? -1 });
  const feeds = { x: { shape: [BATCH, 1], data: [3, 4] }, 'shared/w/weight': { shape: [1, 1], data: [5] } };
  assert.deepEqual([...(interpret(graph, feeds).slope?.data ?? [])], [2 * 5 * 7]);
  const costs = networkCosts(twice, { kind: 'regression', input: [1], outputs: 1 });
  assert.deepEqual([costs.params, costs.flops], [1, 2]);
});

test('what is shared must have one shape, and each place has its own statistics', () => {
  const differ = s.sequential(s.shared('w', s.linear(3)), s.shared('w', s.linear(1)));
  assert.throws(
    () => lowered(differ, [2], [1]),
    /network 1 \(linear\): "shared\/w\/weight" is \[1,3\] here, and \[3,2\] where it was used before; what is shared/u,
  );
  const twice = s.repeat(2, s.shared('norm', s.batchNorm()));
  const { parameters, statistics } = lowered(twice, [2], [2]);
  assert.deepEqual(
    parameters.map(({ path }) => path),
    ['shared/norm/weight', 'shared/norm/bias'],
  );
  assert.deepEqual(
    statistics.map(({ path }) => path),
    ['0/runningMean', '0/runningVariance', '1/runningMean', '1/runningVariance'],
  );
});

test('supernet and network name what is shared alike, also inside choices', () => {
  const option = (kernel: number) => s.shared(`conv${kernel}`, s.conv('same', kernel));
  const space = defineSpace('shared', () =>
    s.sequential(
      s.repeat(2, s.choice('op', { small: option(1), large: option(3), both: s.sequential(option(1), option(3)) })),
      s.globalAvgPool(),
    ),
  ).create({ kind: 'regression', input: [2, 4, 4], outputs: 2 });
  for (const choices of ['mixture', 'switch'] as const) {
    const all = lowered(supernet(space), [2, 4, 4], [2], { choices });
    const tensors = new Map(all.parameters.map(({ path, shape, when }) => [path, { shape, when }]));
    assert.deepEqual([...tensors.keys()], ['shared/conv1/weight', 'shared/conv3/weight']);
    // Used by two options: no one of them must be chosen.
    assert.deepEqual(
      [...tensors.values()].map(({ when }) => when),
      [[], []],
    );
    for (const op of ['small', 'large', 'both']) {
      for (const { path, shape } of lowered(resolve(space, { op }), [2, 4, 4], [2]).parameters)
        assert.deepEqual(tensors.get(path)?.shape, shape);
    }
  }
});

test('tokens are refused by what computes with numbers, and numbers by an embedding', () => {
  const options = { tokens: true } as const;
  assert.throws(
    () => lowered(s.linear(2), [3], [2], options),
    /network \(linear\): input is tokens; .* embedding\(\)/u,
  );
  assert.throws(() => lowered(s.embedding(5, 2), [3], [2, 3]), /input is float32 \[2,3\]; it needs tokens/u);
  assert.throws(() => lowered(s.embedding('inputs', 2), [3], [2, 3], options), /the task has no vocabulary/u);
  assert.throws(() => lowered(s.attention(3), [4, 2], [4, 2]), /4 channels, 3 heads; heads must divide the channels/u);
  assert.throws(
    () => lowered(s.conv(1, [3, 3]), [4, 5], [1, 5]),
    /a window of 3x3 over a sequence; it takes one number/u,
  );
  assert.throws(
    () => lowered(s.convTranspose(1, 2, { stride: 3 }), [4, 5], [1, 15]),
    /kernel .* is at least its stride/u,
  );
  assert.throws(
    () => lowered(s.positions('learned', { length: 4 }), [4, 5], [4, 5]),
    /a sequence of 5 positions; it learns 4/u,
  );
});

test('a character model becomes deeper and keeps its function; one of other heads starts that layer from new weights', () => {
  const tokens = { tokens: true, vocabulary: VOCABULARY } as const;
  const shape = [VOCABULARY, LENGTH];
  const parent = characterModel(4);
  const weights = Object.fromEntries(
    Object.entries(weightsOf(lowered(parent, [LENGTH], shape, tokens))).map(([path, tensor]) => [
      path,
      { shape: tensor.shape, data: Float32Array.from(tensor.data) },
    ]),
  );
  const random = rng('tokens');
  const x = { shape: [BATCH, LENGTH], data: Array.from({ length: BATCH * LENGTH }, () => random.int(VOCABULARY)) };
  const morph = (child: Module) =>
    morphWeights({
      parent,
      child,
      weights,
      input: [LENGTH],
      dtype: 'int32',
      outputs: VOCABULARY,
      shape,
      vocabulary: VOCABULARY,
      rng: (...labels) => rng('morph', ...labels),
    });
  const before = [...(outputOf(lowered(parent, [LENGTH], shape, tokens), { ...weights, x }).output?.data ?? [])];
  const deeper = morph(characterModel(4, 2));
  assert.deepEqual(deeper.departures, []);
  const child = lowered(characterModel(4, 2), [LENGTH], shape, tokens);
  const { output } = outputOf(child, { ...weightsOf(child), ...deeper.weights, x });
  assert.ok(Math.max(...before.map((v, i) => Math.abs(v - Number(output?.data[i])))) < 1e-5);

  const [embed, ...rest] = (parent as Extract<Module, { kind: 'sequential' }>).children;
  const other = morph(s.sequential(embed ?? s.identity(), s.attention(1), ...rest));
  assert.match(other.departures.join('\n'), /1: positions became attention/u);
  assert.deepEqual(other.weights['shared/tokens/weight']?.data, weights['shared/tokens/weight']?.data);
});
