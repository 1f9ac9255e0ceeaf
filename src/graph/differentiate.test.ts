import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGraph, finish } from './builder.ts';
import { gradients } from './differentiate.ts';
import { interpret } from './interpret.ts';
import {
  add,
  constant,
  conv,
  exp,
  type GraphBuilder,
  input,
  log,
  mul,
  reduceSum,
  relu,
  sigmoid,
  step,
  stopGradient,
} from './ops.ts';

/** The values of gradients of `build`'s scalar by the wanted nodes, at x = [1, -2, 3]. */
function slopes(build: (g: GraphBuilder, x: number) => { output: number; wrt: readonly number[] }): number[][] {
  const g = createGraph();
  const x = input(g, 'x', [3]);
  const { output, wrt } = build(g, x);
  const found = gradients(g, output, wrt);
  const results = interpret(finish(g, Object.fromEntries(found.map((id, i) => [String(i), id]))), {
    x: { shape: [3], data: [1, -2, 3] },
  });
  return found.map((_, i) => [...(results[String(i)]?.data ?? [])]);
}

describe('gradients', () => {
  it('sum the contributions of all branches', () => {
    // x·x + 5x
    const found = slopes((g, x) => {
      const y = add(g, mul(g, x, x), mul(g, x, constant(g, 5)));
      return { output: reduceSum(g, y, [0]), wrt: [x] };
    });
    assert.deepEqual(found, [[7, 1, 11]]);
  });

  it('are total also where one wanted node lies before another', () => {
    const found = slopes((g, x) => {
      const y = mul(g, x, x);
      return { output: reduceSum(g, mul(g, y, y), [0]), wrt: [y, x] };
    });
    assert.deepEqual(found, [
      [2, 8, 18],
      [4, -32, 108],
    ]);
  });

  it('are zeros where the output does not depend on the node, later nodes among them', () => {
    const found = slopes((g, x) => {
      const other = mul(g, x, constant(g, 2));
      const output = reduceSum(g, exp(g, x), [0]);
      return { output, wrt: [other, relu(g, x)] };
    });
    assert.deepEqual(found, [
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it('do not pass stopGradient and step', () => {
    const found = slopes((g, x) => ({
      output: reduceSum(g, add(g, mul(g, x, stopGradient(g, x)), step(g, x)), [0]),
      wrt: [x],
    }));
    assert.deepEqual(found, [[1, -2, 3]]);
  });

  it('of the output with respect to itself are one', () => {
    const found = slopes((g, x) => {
      const output = reduceSum(g, x, [0]);
      return { output, wrt: [output] };
    });
    assert.deepEqual(found, [[1]]);
  });

  it('apply to their own result, again and again', () => {
    // x^5: 5x^4, 20x^3, 60x^2, 120x
    const found = slopes((g, x) => {
      const squared = mul(g, x, x);
      let output = reduceSum(g, mul(g, mul(g, squared, squared), x), [0]);
      for (let order = 1; order < 4; order++) output = reduceSum(g, gradients(g, output, [x])[0] ?? -1, [0]);
      return { output, wrt: [x] };
    });
    assert.deepEqual(found, [[120, -240, 360]]);
  });

  it('refuse an output of more than one element', () => {
    const g = createGraph();
    const x = input(g, 'x', [3]);
    assert.throws(() => gradients(g, log(g, x), [x]), { message: 'gradients of [3]: the output has one element' });
  });

  it('do not walk branches that the wanted nodes do not reach', () => {
    const g = createGraph();
    const x = input(g, 'x', [1, 2, 4, 4]);
    const geometry = { stride: [1, 1], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 1 } as const;
    const first = conv(g, x, input(g, 'first', [2, 2, 3, 3]), geometry);
    const w = input(g, 'w', [2, 2, 3, 3]);
    const output = reduceSum(g, conv(g, sigmoid(g, first), w, geometry), [0, 1, 2, 3]);
    const before = g.nodes.length;
    gradients(g, output, [w]);
    const kinds = g.nodes.slice(before).map(({ op }) => op.kind);
    assert.deepEqual(kinds, ['constant', 'reshape', 'broadcastTo', 'convWeightGrad']);
  });
});
