import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rng } from '../../common/random.ts';
import { createGraph, finish } from '../builder.ts';
import { gradients } from '../differentiate.ts';
import { interpret } from '../interpret.ts';
import type { Graph } from '../ir.ts';
import * as ops from '../ops.ts';
import { optimize, optimizeForward, skipZeroInputs } from '../passes.ts';
import { relativeError } from '../testing/check.ts';
import { demands } from './demand.ts';

const SHAPE = [4, 8, 16, 32];
const geometry = { stride: [1, 1], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 1 } as const;

/** x by `i` to nothing, itself or its rectification; that by `j` to nothing or a normalized convolution; the loss of both. */
function cell(): Graph {
  const g = createGraph();
  const [i, j] = [ops.input(g, 'i', []), ops.input(g, 'j', [])];
  const [x, w] = [ops.input(g, 'x', SHAPE), ops.input(g, 'w', [8, 8, 3, 3])];
  const bias = ops.input(g, 'bias', [1, 8, 1, 1]);
  const zero = ops.constant(g, 0, SHAPE);
  const first = ops.select(g, i, [zero, x, ops.relu(g, x)]);
  const y = ops.conv(g, ops.relu(g, first), w, geometry);
  const square = ops.reduceMean(g, ops.mul(g, y, y), [0, 2, 3], true);
  const scale = ops.div(g, ops.constant(g, 1), ops.sqrt(g, ops.add(g, square, ops.constant(g, 0.1))));
  const mean = ops.reduceMean(g, y, [0, 2, 3], true);
  const normal = ops.add(g, ops.mul(g, y, scale), ops.sub(g, bias, ops.mul(g, mean, scale)));
  const sum = ops.add(g, x, ops.select(g, j, [zero, normal]));
  return finish(g, { loss: ops.reduceMean(g, ops.mul(g, sum, sum), [0, 1, 2, 3]) });
}

/** With the gradients by x, w and bias. */
function differentiated(graph: Graph): Graph {
  const g = createGraph(graph);
  const named = new Map(graph.nodes.flatMap(({ op }, id) => (op.kind === 'input' ? [[op.name, id] as const] : [])));
  const names = ['x', 'w', 'bias'];
  const slopes = gradients(
    g,
    graph.outputs.loss ?? -1,
    names.map((name) => named.get(name) ?? -1),
  );
  return finish(g, { ...graph.outputs, ...Object.fromEntries(names.map((name, k) => [`d${name}`, slopes[k] ?? -1])) });
}

describe('convolutions of what a switch makes zero', () => {
  it('are asked for, forward and backward, only where it is not zero', () => {
    const graph = optimize(differentiated(optimizeForward(cell())));
    const conditions = demands(graph);
    const fed = new Set(graph.nodes.flatMap(({ op }, id) => (op.kind === 'input' ? [id] : [])));
    const found = graph.nodes.flatMap(({ op }, id) => (op.kind.startsWith('conv') ? [{ kind: op.kind, id }] : []));
    assert.deepEqual(found.map(({ kind }) => kind).sort(), ['conv', 'convInputGrad', 'convWeightGrad']);
    for (const { kind, id } of found) {
      const computed = [...(conditions[id] ?? [])].filter(([index]) => !fed.has(index));
      assert.deepEqual(
        computed.map(([, option]) => option),
        [0],
        kind,
      );
    }
  });

  it('keep every value and gradient, for every option', () => {
    const plain = cell();
    const random = rng('zero inputs');
    const draw = (shape: readonly number[]) => ({
      shape,
      data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    });
    const values = { x: draw(SHAPE), w: draw([8, 8, 3, 3]), bias: draw([1, 8, 1, 1]) };
    const [expected, ...actual] = [plain, skipZeroInputs(plain), optimizeForward(plain)].map(differentiated);
    for (let option = 0; option < 6; option++) {
      const [i, j] = [option % 3, Math.floor(option / 3)];
      const feeds = { ...values, i: { shape: [], data: [i] }, j: { shape: [], data: [j] } };
      const wanted = interpret(expected as Graph, feeds);
      for (const graph of [...actual, ...actual.map(optimize)]) {
        for (const [name, { data }] of Object.entries(interpret(graph, feeds))) {
          const error = relativeError(data, wanted[name]?.data ?? []);
          assert.ok(error < 1e-8, `${name} with i ${i}, j ${j}: ${error}`);
        }
      }
    }
  });
});
