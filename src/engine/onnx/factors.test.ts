import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import onnxProto from 'onnx-proto';
import { createGraph, finish } from '../../graph/builder.ts';
import { interpret } from '../../graph/interpret.ts';
import type { Graph, NodeId } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { optimize } from '../../graph/passes.ts';
import { feedsOf } from '../../graph/testing/networks.ts';
import { createEngine } from '../create.ts';
import { nodeRuntime } from '../runtime/node.node.ts';
import { toFloat32 } from '../testing/agreement.ts';
import { lowerGraph } from './lower.ts';

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
after(() => engine.dispose());

const LEFT = [2, 3, 4];
const PLAIN = { kind: 'matmul', transposeA: false, transposeB: false } as const;

/** Its operators of these types in alphabetical order, after its values were checked against the interpreter. */
async function operators(build: (g: ops.GraphBuilder, a: NodeId, b: NodeId) => NodeId, types: RegExp): Promise<string> {
  const g = createGraph();
  const graph: Graph = finish(g, { y: build(g, ops.input(g, 'a', LEFT), ops.input(g, 'b', [2, 4, 5])) });
  const feeds = feedsOf(graph, 'factors');
  const expected = interpret(graph, feeds).y;
  const { model } = lowerGraph(optimize(graph), { target: 'cpu' });
  const program = await engine.load(model);
  const found = (await program.run(toFloat32(feeds))).y;
  await program.dispose();
  assert.deepEqual(found?.shape, expected?.shape);
  for (const [i, value] of (expected?.data ?? []).entries()) {
    const own = found?.data[i] ?? Number.NaN;
    assert.ok(Math.abs(own - value) < 1e-5 * Math.max(1, Math.abs(value)), `${own} is not ${value}`);
  }
  const names = onnxProto.onnx.ModelProto.decode(model).graph?.node?.map(({ opType }) => opType ?? '') ?? [];
  return names
    .filter((name) => types.test(name))
    .sort()
    .join(' ');
}

const PRODUCTS = /Mul|Gemm/;

test('matrix products take numbers along, of an operand, of both, or of their result', async () => {
  const product = 'FusedMatMul';
  const of = (build: Parameters<typeof operators>[0]) => operators(build, PRODUCTS);
  assert.equal(await of((g, a, b) => ops.matmul(g, ops.scale(g, a, 3), b)), product);
  assert.equal(await of((g, a, b) => ops.matmul(g, ops.scale(g, a, 3), ops.scale(g, b, 0.5))), product);
  assert.equal(await of((g, a, b) => ops.scale(g, ops.matmul(g, a, b), -2)), product);
  assert.equal(
    await of((g, a) => {
      const scaled = ops.scale(g, a, 3);
      return ops.matmul(g, scaled, scaled, { transposeB: true });
    }),
    product,
  );
  const turned = (g: ops.GraphBuilder, a: NodeId) =>
    ops.transpose(g, ops.reshape(g, ops.scale(g, a, 3), [6, 4]), [1, 0]);
  assert.equal(await of((g, a, b) => ops.matmul(g, ops.reshape(g, b, [10, 4]), turned(g, a))), 'Gemm');
  assert.equal(await of((g, a, b) => ops.scale(g, ops.reshape(g, ops.matmul(g, a, b), [2, 15]), 0.25)), product);
  const biased = (g: ops.GraphBuilder, a: NodeId, b: NodeId) => {
    const [left, right] = [ops.reshape(g, a, [6, 4]), ops.reshape(g, b, [4, 10])];
    return ops.scale(g, g.add(PLAIN, [left, right, ops.reduceSum(g, right, [0])]), 2);
  };
  assert.equal(await of(biased), 'Gemm');
  const bothScaled = (g: ops.GraphBuilder, a: NodeId, b: NodeId) => {
    const [left, right] = [ops.scale(g, ops.tanh(g, ops.reshape(g, a, [6, 4])), 3), ops.reshape(g, b, [4, 10])];
    return ops.scale(g, ops.exp(g, ops.scale(g, g.add(PLAIN, [left, right, ops.reduceSum(g, right, [0])]), 0.1)), 2);
  };
  assert.equal(await of(bothScaled), 'Gemm Mul');
  const weighed = (g: ops.GraphBuilder, a: NodeId, b: NodeId) => {
    const weights = ops.exp(g, ops.reduceSum(g, a, [2], true));
    return ops.scale(g, ops.mul(g, ops.scale(g, ops.matmul(g, a, b), 0.5), weights), 3);
  };
  assert.equal(await of(weighed), `${product} Mul`);
});

test('a number is multiplied by itself where something else reads the product, or a batched one adds a bias', async () => {
  const both = (g: ops.GraphBuilder, a: NodeId, b: NodeId) => {
    const scaled = ops.scale(g, a, 3);
    return ops.add(g, ops.matmul(g, scaled, b), ops.reduceSum(g, scaled, [2], true));
  };
  assert.equal(await operators(both, PRODUCTS), 'MatMul Mul');
  const batched = (g: ops.GraphBuilder, a: NodeId, b: NodeId) =>
    ops.scale(g, g.add(PLAIN, [a, b, ops.reduceSum(g, b, [0, 1])]), 2);
  assert.equal(await operators(batched, PRODUCTS), 'MatMul Mul');
});

test('a softmax is one operator, unless its logarithm is read, too', async () => {
  const types = /Softmax|Exp/;
  assert.equal(await operators((g, a) => ops.softmax(g, a, 1), types), 'Softmax');
  const both = (g: ops.GraphBuilder, a: NodeId) => {
    const logarithm = ops.logSoftmax(g, a);
    return ops.mul(g, ops.exp(g, logarithm), logarithm);
  };
  assert.equal(await operators(both, types), 'Exp LogSoftmax');
});
