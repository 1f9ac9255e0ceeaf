/** A sample has the same output in a batch of any length, and its gradients have nothing of what is behind its end. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../common/random.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import { type FedTensor, interpret } from '../graph/interpret.ts';
import { sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import * as s from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import type { Module } from '../space/tree/module.ts';
import { supernet } from '../space/tree/resolve.ts';
import { lowerNetwork } from './lower.ts';

const VOCABULARY = 5;
const SAMPLES = [
  [3, 1, 4],
  [1, 2, 2, 4, 3, 1, 2],
];

/** Output and gradients of the parameters, by the reference interpreter, with the samples filled up to a length. */
function run(network: Module, time: number, padded = true, choices: 'mixture' | undefined = undefined) {
  const g = createGraph();
  const x = ops.input(g, 'x', [SAMPLES.length, time], 'int32');
  const options = { outputs: 2, vocabulary: VOCABULARY, padded, mode: 'train', ...(choices && { choices }) } as const;
  const lowered = lowerNetwork(g, network, x, options);
  const inputs = [...lowered.parameters, ...lowered.architecture];
  const loss = ops.reduceSum(g, ops.mul(g, lowered.output, lowered.output), [0, 1]);
  const found = gradients(
    g,
    loss,
    inputs.map(({ node }) => node),
  );
  const random = rng('weights');
  const weights = Object.fromEntries(
    inputs.map(({ path, shape }): [string, FedTensor] => [
      path,
      { shape, data: Array.from({ length: sizeOf(shape) }, () => random.normal()) },
    ]),
  );
  const tokens = SAMPLES.flatMap((sample) => [...sample, ...Array(time - sample.length).fill(0)]);
  const ends = Object.fromEntries(inputs.map(({ path }, i) => [path, found[i] ?? loss]));
  return interpret(finish(g, { output: lowered.output, ...ends }), {
    ...weights,
    x: { shape: [SAMPLES.length, time], data: tokens },
  });
}

function assertSame(network: Module, choices?: 'mixture'): void {
  const expected = run(network, 7, true, choices);
  for (const time of [8, 11]) {
    const found = run(network, time, true, choices);
    for (const [name, { data }] of Object.entries(expected))
      for (const [i, value] of data.entries())
        assert.ok(Math.abs(value - (found[name]?.data[i] ?? Number.NaN)) < 1e-9, `${name} with ${time} positions`);
  }
  // Without padding, what is behind the end counts.
  const [whole, cut] = [run(network, 7, false, choices), run(network, 8, false, choices)];
  assert.notDeepEqual(whole.output?.data, cut.output?.data);
}

const head = [s.globalAvgPool(), s.linear('outputs')];

suite('sequences of several lengths in one batch', () => {
  const bodies: Readonly<Record<string, readonly Module[]>> = {
    'convolutions and the mean': [s.conv(3, 3, { bias: true }), s.relu(), s.conv(3, 5, { bias: true }), ...head],
    'convolutions with a stride': [s.conv(3, 3, { stride: 2, bias: true }), s.tanh(), s.conv(3, 3), ...head],
    'pools and the maximum': [
      ...[
        s.conv(3, 3, { bias: true }),
        s.maxPool(3, { stride: 1, padding: 1 }),
        s.avgPool(3, { stride: 2, padding: 1 }),
      ],
      ...[s.globalMaxPool(), s.linear('outputs')],
    ],
    'a GRU and its last state': [s.recurrent('gru', 3), s.recurrent('rnn', 3), s.last(), s.linear('outputs')],
    'causal convolutions': [
      s.conv(3, 3, { bias: true, padding: 'causal' }),
      s.relu(),
      s.conv(3, 4, { padding: 'causal' }),
      ...head,
    ],
    'a GRU that reads backwards, and its last state': [
      ...[s.recurrent('gru', 3, { reverse: true }), s.last({ at: 'start' }), s.linear('outputs')],
    ],
    'an LSTM and its last state': [s.recurrent('lstm', 3), s.last(), s.linear('outputs')],
    'attention and the mean': [s.positions('sinusoidal'), s.attention(2), s.attention(1, { window: 2 }), ...head],
    'layer normalization': [s.conv(3, 3, { bias: true }), s.layerNorm(), s.relu(), s.conv(3, 3), ...head],
    'causal attention and the last position': [s.attention(2, { causal: true }), s.last(), s.linear('outputs')],
  };
  for (const [name, body] of Object.entries(bodies))
    test(name, () => assertSame(s.sequential(s.embedding('inputs', 4), ...body)));

  test('a supernet of them', () => {
    const options = { convolution: s.conv('same', 3), attention: s.attention(2), pool: s.maxPool(3, { padding: 1 }) };
    const space = defineSpace('padded', () =>
      s.sequential(s.embedding('inputs', 4), s.choice('layer', options), ...head),
    ).create({ kind: 'classification', input: [7], outputs: 2, vocabulary: VOCABULARY, padded: true });
    assertSame(supernet(space), 'mixture');
  });
});
