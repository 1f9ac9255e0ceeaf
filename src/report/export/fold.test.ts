import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import { toOnnx } from '../../engine/onnx/lower.ts';
import { createGraph, finish } from '../../graph/builder.ts';
import { interpret } from '../../graph/interpret.ts';
import { sizeOf } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { lowerNetwork } from '../../network/lower.ts';
import * as s from '../../space/tree/builders.ts';
import type { Module } from '../../space/tree/module.ts';
import { foldWeights } from './fold.ts';

const [VOCABULARY, LENGTH] = [5, 4];

const models: Readonly<Record<string, Module>> = {
  'tied embedding and output, attention': s.sequential(
    s.shared('tokens', s.embedding('inputs', 4)),
    s.positions(),
    s.residual(s.sequential(s.layerNorm({ axes: 'channel' }), s.attention(2, { causal: true }))),
    s.shared('tokens', s.linear('outputs', { bias: false })),
    s.batchNorm(),
  ),
  'a block shared by two places, each with its own batch norm': s.sequential(
    s.embedding(VOCABULARY, 4),
    s.repeat(2, s.shared('block', s.sequential(s.conv('same', 3), s.batchNorm(), s.relu()))),
    s.linear('outputs'),
  ),
  'a GRU': s.sequential(s.embedding(VOCABULARY, 4), s.recurrent('gru', 3), s.linear('outputs')),
};

for (const [name, network] of Object.entries(models)) {
  test(`folded weights compute the same: ${name}`, () => {
    const g = createGraph();
    const x = ops.input(g, 'x', [1, LENGTH], 'int32');
    const shape = [VOCABULARY, LENGTH];
    const options = { outputs: VOCABULARY, shape, vocabulary: VOCABULARY, mode: 'infer' } as const;
    const { output, parameters, statistics } = lowerNetwork(g, network, x, options);
    const random = rng('weights', name);
    const weights = Object.fromEntries(
      [...parameters, ...statistics].map(({ path, shape }) => [
        path,
        { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => 0.5 + 0.5 * random.float()) },
      ]),
    );
    const graph = finish(g, { output });
    const folded = foldWeights({ graph, weights }, 'x');
    const tokens = { shape: [1, LENGTH], data: [3, 0, 3, 1] };
    const expected = interpret(graph, { ...weights, x: tokens }).output?.data ?? [];
    const actual = interpret(folded.graph, { ...folded.weights, x: tokens }).output?.data ?? [];
    const difference = Math.max(...[...expected].map((value, i) => Math.abs(value - (actual[i] ?? Number.NaN))));
    assert.ok(difference < 1e-5, `${difference}`);
    // With the batch left open, as a file has it.
    toOnnx(folded.graph, { target: 'standard', openBatch: ['x'], initializers: folded.weights });
  });
}

test('a weight of another shape, as an edited file may have, is refused with its name', () => {
  const g = createGraph();
  const x = ops.input(g, 'x', [1, 2]);
  const output = ops.matmul(g, x, ops.input(g, 'w', [2, 2]));
  const weights = { w: { shape: [3, 2], data: new Float32Array(6) } };
  assert.throws(() => foldWeights({ graph: finish(g, { output }), weights }, 'x'), {
    name: 'UserError',
    message: 'weight "w": is [3,2]; the network takes [2,2]',
  });
});
