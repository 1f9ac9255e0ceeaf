import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { interpret } from '../graph/interpret.ts';
import { type HostTensor, type Shape, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Architecture, Space, Task } from '../space/space.ts';
import { darts, mlp, nasBench201, smallCnn } from '../space/spaces/index.ts';
import * as s from '../space/tree/builders.ts';
import { dilatedConv, reluConvBn, separableConv } from '../space/tree/composites.ts';
import type { Module } from '../space/tree/module.ts';
import { resolve } from '../space/tree/resolve.ts';
import { neighbors, sample } from '../space/tree/vary.ts';
import { lowerNetwork } from './lower.ts';
import { morphWeights } from './morphism.ts';

const OUTPUTS = 3;
const images: Task = { kind: 'classification', input: [2, 8, 8], outputs: OUTPUTS };

type Weights = Readonly<Record<string, HostTensor>>;

function lowered(network: Module, input: Shape) {
  const g = createGraph();
  const x = ops.input(g, 'x', [2, ...input]);
  const { output, parameters, statistics } = lowerNetwork(g, network, x, { outputs: OUTPUTS, mode: 'infer' });
  return { graph: finish(g, { output }), parameters, statistics };
}

/** Weights as they might be after some training: nothing is at its initial value. */
function trained(network: Module, input: Shape, seed: string): Weights {
  const { parameters, statistics } = lowered(network, input);
  const random = rng('trained', seed);
  const draw = (shape: Shape, make: () => number) => ({
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, make),
  });
  return Object.fromEntries([
    ...parameters.map(({ path, shape }) => {
      const fan = Math.max(1, sizeOf(shape.slice(1)));
      return [path, draw(shape, () => random.normal() / Math.sqrt(fan) + 0.1 / fan)];
    }),
    ...statistics.map(({ path, shape }) => [path, draw(shape, () => 0.5 + random.float())]),
  ]);
}

function outputsOf(network: Module, input: Shape, weights: Weights): readonly number[] {
  const random = rng('input');
  const x = { shape: [2, ...input], data: Array.from({ length: 2 * sizeOf(input) }, () => random.normal()) };
  const { output } = interpret(lowered(network, input).graph, { ...weights, x });
  return [...(output?.data ?? [])];
}

interface Morphed {
  readonly departures: readonly string[];
  /** Largest difference of two outputs, as a share of the parent's largest. */
  readonly difference: number;
}

function morph(parent: Module, child: Module, input: Shape, seed = ''): Morphed {
  const weights = trained(parent, input, seed);
  const rngOf = (...labels: readonly string[]) => rng(seed, ...labels);
  const morphism = morphWeights({ parent, child, weights, input, outputs: OUTPUTS, rng: rngOf });
  const before = outputsOf(parent, input, weights);
  const after = outputsOf(child, input, { ...trained(child, input, 'fresh'), ...morphism.weights });
  const scale = Math.max(1, ...before.map(Math.abs));
  const difference = Math.max(...before.map((value, i) => Math.abs(value - (after[i] ?? Number.NaN)))) / scale;
  return { departures: morphism.departures, difference };
}

/** A network of images around a body. */
const around = (...body: readonly Module[]) =>
  s.sequential(s.conv(4, 3, { bias: true }), s.batchNorm(), s.relu(), ...body, s.globalAvgPool(), s.linear('outputs'));

function preserves(parent: Module, child: Module, input: Shape = images.input) {
  const { departures, difference } = morph(parent, child, input);
  assert.deepEqual(departures, []);
  assert.ok(difference < 1e-5, `outputs differ by ${difference}`);
}

/** It says where it departs, and it does. */
function departs(parent: Module, child: Module, why: RegExp, input: Shape = images.input) {
  const { departures, difference } = morph(parent, child, input);
  assert.match(departures.join('\n'), why);
  assert.ok(difference > 1e-5, `${departures}: and yet outputs differ by ${difference}`);
}

const block = (width: number | 'same', kernel = 3) =>
  s.sequential(s.conv(width, kernel), s.batchNorm(), s.activation('relu'));

test('wider: repeated channels keep the function, whatever reads them', () => {
  preserves(around(block(5), block(4)), around(block(8), block(11)));
  preserves(around(block(4), s.squeezeExcite(0.5)), around(block(9), s.squeezeExcite(0.5)));
  const bottleneck = (width: number) =>
    s.sequential(
      ...[block(width), s.conv('same', 1, { multiple: 2 }), s.batchNorm(), s.relu6()],
      ...[s.conv('same', 3, { groups: 'depthwise' }), s.batchNorm(), s.hardSwish()],
      ...[s.squeezeExcite(0.25, { gate: 'hardSigmoid', divisor: 2 }), s.conv(3, 1), s.batchNorm()],
    );
  preserves(around(bottleneck(4)), around(bottleneck(6)));
  preserves(around(block(4), s.factorizedReduce(6)), around(block(7), s.factorizedReduce(10)));
  preserves(
    around(s.conv('same', 3, { groups: 'depthwise' }), block(4)),
    around(s.conv('same', 5, { groups: 'depthwise' }), block(6)),
  );
  const residual = (width: number) => around(block(width), s.residual(s.sequential(block(width), s.conv(width, 1))));
  preserves(residual(4), residual(7));
  const joined = (width: number) =>
    around(
      s.dag(2, (_, to) => s.conv(width + to, 2 * to - 1), { output: 'concat' }),
      s.conv(3, 1),
    );
  preserves(joined(4), joined(6));
  const flat = (width: number) => s.sequential(block(width), s.flatten(), s.linear(7), s.relu(), s.linear('outputs'));
  preserves(flat(3), flat(5));
});

test('what encodes numbers hands on to wider layers if its bins stay; other bins are no morphism', () => {
  const encoded = (bins: number, width: number) =>
    s.sequential(s.piecewiseLinear(bins), s.linear(width), s.relu(), s.linear('outputs'));
  const quantiles = [[-1, 0, 1, 2], [], [0, 1, 2]];
  const weightsFor = (parent: Module, child: Module) => {
    const g = createGraph();
    const options = { outputs: OUTPUTS, mode: 'infer', quantiles } as const;
    const { parameters } = lowerNetwork(g, parent, ops.input(g, 'x', [1, 3]), options);
    const weights = Object.fromEntries(
      parameters.map(({ path, shape }) => [
        path,
        { shape, data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => i + 1) },
      ]),
    );
    const ends = { input: [3], outputs: OUTPUTS, quantiles, rng: () => rng('bins') };
    return { given: weights, ...morphWeights({ parent, child, weights, ...ends }) };
  };
  const { given, weights, departures } = weightsFor(encoded(2, 4), encoded(2, 6));
  assert.deepEqual(departures, []);
  assert.deepEqual(weights['1/weight']?.shape, [6, 7]);
  assert.deepEqual([...(weights['1/weight']?.data ?? [])].slice(0, 28), [...(given['1/weight']?.data ?? [])]);
  assert.match(weightsFor(encoded(2, 4), encoded(3, 4)).departures.join(), /0: numbers are encoded by other bins/);
});

test('a layer norm is preserved where every channel is repeated equally often, and nowhere else', () => {
  const normalized = (width: number) => around(s.conv(width, 3), s.layerNorm(), s.relu());
  preserves(normalized(3), normalized(6));
  departs(normalized(3), normalized(5), /4: its mean is over channels/u);
});

test('deeper: new layers pass on what they read', () => {
  const stage = (times: number) => around(s.repeat(times, block(5)));
  preserves(stage(1), stage(3));
  preserves(around(block(4)), around(s.sequential(s.conv(6, 3), s.batchNorm(), s.relu(), s.dropout(0.3), block(8, 5))));
  const residual = s.sequential(s.residual(s.sequential(block(4), s.conv('same', 3), s.batchNorm())), s.relu());
  preserves(around(s.repeat(1, residual)), around(s.repeat(3, residual)));
  const dense = (...units: readonly number[]) =>
    s.sequential(...units.flatMap((one) => [s.linear(one), s.relu()]), s.linear('outputs'));
  // In one row, the new layer stands where the last was.
  assert.match(morph(dense(6), dense(6, 6), [5]).departures.join(), /3: a new relu/u);
  const rows = (times: number) =>
    s.sequential(s.repeat(times, s.sequential(s.linear(6), s.batchNorm(), s.relu())), s.linear('outputs'));
  preserves(rows(1), rows(3), [5]);
  const smooth = (times: number) => around(s.repeat(times, s.sequential(s.conv(4, 3), s.batchNorm(), s.silu())));
  departs(smooth(1), smooth(2), /3\/1\/2: a new silu cannot pass on what it reads/u);
});

test('larger kernels and smaller dilations have zeros where there were no weights; smaller kernels lose some', () => {
  preserves(around(block(4, 1)), around(block(4, 3)));
  preserves(around(block(4, 3)), around(block(6, 5)));
  preserves(around(s.conv(4, 3, { dilation: 2 })), around(s.conv(4, 5)));
  departs(around(block(4, 5)), around(block(4, 3)), /kernel of 5 is cut to 3/u);
  departs(around(s.conv(4, 3, { stride: 2 })), around(s.conv(4, 3)), /stride 2 became 1/u);
});

test('operations on edges: what was nothing puts out nothing, kernels grow; the rest departs', () => {
  const cell = (one: Module, other: Module) =>
    around(s.dag(2, (from, to) => (from === 0 && to === 1 ? one : from === 0 ? other : s.identity())));
  preserves(cell(reluConvBn(1), s.zero()), cell(reluConvBn(3), reluConvBn(3)));
  preserves(cell(reluConvBn(1), s.zero()), cell(reluConvBn(3), separableConv(3)));
  departs(cell(reluConvBn(1), s.zero()), cell(reluConvBn(1), s.identity()), /put out zeros/u);
  departs(cell(separableConv(3), s.zero()), cell(dilatedConv(3), s.zero()), /3\/0->1\/4/u);
  departs(cell(reluConvBn(1), s.avgPool(3)), cell(reluConvBn(1), reluConvBn(3)), /pool became sequential/u);
});

test('nodes that get nothing are the same in both where a dag concatenates, or the child departs', () => {
  const cell = (width: number, one: Module) =>
    around(
      s.dag(3, (from, to) => (to === 1 ? s.zero() : to === 3 && from === 2 ? one : s.conv(width, 1)), {
        output: 'concat',
      }),
      s.conv(3, 1),
    );
  preserves(cell(4, s.conv(4, 1)), cell(6, s.conv(6, 1)));
  const empty = (edge: Module) =>
    around(
      s.dag(1, () => edge, { output: 'concat' }),
      s.conv(3, 1),
    );
  const two = (edge: Module) =>
    around(
      s.dag(2, (from, to) => (to === 1 ? edge : from === 0 ? s.conv(4, 1) : s.zero()), { output: 'concat' }),
      s.conv(3, 1),
    );
  preserves(empty(s.conv(4, 1)), empty(s.conv(6, 1)));
  departs(two(s.zero()), two(s.conv(4, 1)), /its nodes are others/u);
});

test('batch norms come and go', () => {
  const layer = (...norm: readonly Module[]) =>
    around(s.sequential(s.conv(4, 3, { bias: true }), s.sequential(...norm)));
  preserves(layer(s.batchNorm()), layer());
  preserves(layer(), layer(s.batchNorm()));
  departs(layer(s.layerNorm()), layer(), /layerNorm .* is gone/u);
});

test('narrower and shallower networks take over what fits', () => {
  departs(around(block(8)), around(block(5)), /fewer channels/u);
  departs(around(s.repeat(2, block(4))), around(block(4)), /is gone|became/u);
});

test('a new layer keeps in training what it reads, too: its batch norm expects it', () => {
  const stage = (times: number) => around(s.repeat(times, block(5)));
  const weights = trained(stage(1), images.input, '');
  const request = { weights, input: images.input, outputs: OUTPUTS, rng };
  const { weights: found } = morphWeights({ ...request, parent: stage(1), child: stage(2) });
  const [mean, variance, weight, bias] = ['runningMean', 'runningVariance', 'weight', 'bias'].map((name) => [
    ...(found[`3/1/1/${name}`]?.data ?? []),
  ]);
  const [gain, shift] = ['weight', 'bias'].map((name) => weights[`3/0/1/${name}`]?.data);
  assert.deepEqual(bias, mean);
  for (const [i, one] of weight?.entries() ?? []) {
    assert.ok(Math.abs(one ** 2 - (variance?.[i] ?? 0) - 1e-5) < 1e-5);
    const random = rng('rectified', i);
    const draws = Array.from({ length: 20_000 }, () =>
      Math.max(0, (shift?.[i] ?? 0) + (gain?.[i] ?? 0) * random.normal()),
    );
    const average = draws.reduce((sum, value) => sum + value / draws.length, 0);
    assert.ok(Math.abs(average - (mean?.[i] ?? 0)) < 0.03 * (1 + Math.abs(average)), `${average} ${mean?.[i]}`);
  }
});

/** Every claim holds: without departures, outputs are equal. */
function claims(space: Space, pairs: number, childOf: (parent: Architecture, i: number) => Architecture) {
  let exact = 0;
  for (let i = 0; i < pairs; i++) {
    const parent = sample(space, rng('parent', i));
    const child = childOf(parent, i);
    const { departures, difference } = morph(
      resolve(space, parent),
      resolve(space, child),
      space.task.input,
      String(i),
    );
    if (departures.length > 0) continue;
    exact++;
    assert.ok(difference < 1e-5, `${JSON.stringify([parent, child])}: ${difference}`);
  }
  return exact;
}

test('random pairs of known spaces: what is said to be preserved is', () => {
  const table: Task = { kind: 'classification', input: [5], outputs: OUTPUTS };
  const small = smallCnn.create(images);
  const grown = (parent: Architecture, i: number): Architecture => {
    const child: Architecture = { ...parent, normalisation: 'batch', activation: 'relu' };
    const { [`width${(i % 3) + 1}`]: width } = child;
    const wider = [8, 16, 24, 32, 48].find((one) => one > Number(width)) ?? 48;
    return { ...child, [`width${(i % 3) + 1}`]: wider, [`kernel${(i % 2) + 1}`]: 5, depth3: 2 };
  };
  const plain = (i: number) => {
    const drawn = sample(small, rng('plain', i));
    return { ...drawn, normalisation: 'batch', activation: 'relu' };
  };
  for (let i = 0; i < 6; i++) {
    const parent = plain(i);
    preserves(resolve(small, parent), resolve(small, grown(parent, i)));
  }
  const near = (space: Space) => (parent: Architecture, i: number) => rng('near', i).pick(neighbors(space, parent));
  for (const [space, pairs, least] of [
    [small, 15, 2],
    [mlp.create(table), 30, 2],
    [nasBench201.create(images, { cells: 1, channels: 4 }), 20, 2],
    [darts.create(images, { cells: 3, channels: 4 }), 4, 0],
  ] as const) {
    const exact = claims(space, pairs, near(space));
    assert.ok(exact >= least, `${space.name}: ${exact} of ${pairs} preserved`);
  }
});
