import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { interpret } from '../interpret.ts';
import type { Graph } from '../ir.ts';
import * as ops from '../ops.ts';
import { optimize, scaleGradients } from '../passes.ts';
import {
  batchNorm,
  convolution,
  feedsOf,
  forwardOf,
  largestDifference,
  type Network,
  withGradients,
} from '../testing/networks.ts';

/** With a scale and a shift, as the network room lowers it. */
function affineNorm(g: ops.GraphBuilder, x: number, name: string): number {
  const mean = ops.reduceMean(g, x, [0, 2, 3], true);
  const square = ops.reduceMean(g, ops.mul(g, x, x), [0, 2, 3], true);
  const variance = ops.relu(g, ops.sub(g, square, ops.mul(g, mean, mean)));
  const gamma = ops.input(g, `${name} scale`, [1, g.shape(x)[1] ?? 1, 1, 1]);
  const scale = ops.div(g, gamma, ops.sqrt(g, ops.add(g, variance, ops.constant(g, 1e-5))));
  const shift = ops.sub(g, ops.input(g, `${name} shift`, g.shape(gamma)), ops.mul(g, mean, scale));
  return ops.add(g, ops.mul(g, x, scale), shift);
}

const norms = {
  'with a scale': affineNorm,
  'without one': (g: ops.GraphBuilder, x: number) => batchNorm(g, x),
};
/** Two convolutions with batch norm, of which the second one has a gradient by its input. */
const networkWith =
  (norm: typeof affineNorm): Network =>
  (g, x) => {
    const first = ops.relu(g, norm(g, convolution(g, x, 'v', { kernel: 3 }), 'first'));
    return norm(g, convolution(g, first, 'w', { kernel: 3 }), 'second');
  };
/** Operators of each filter that a gradient by the input is computed with. */
const filtersIn = ({ nodes }: Graph) =>
  nodes.flatMap(({ op, inputs }) => (op.kind === 'convInputGrad' ? [nodes[inputs[1] ?? -1]?.op.kind] : []));

describe('gradients by the input of a batch norm', () => {
  for (const [name, norm] of Object.entries(norms)) {
    it(`have its scale in the filters, ${name}`, () => {
      const plain = withGradients(forwardOf(networkWith(norm)));
      const optimized = optimize(plain);
      assert.ok(largestDifference(plain, optimized, feedsOf(plain, 'scales')) < 1e-10);
      assert.deepEqual(filtersIn(optimized), ['binary', 'binary']);
      assert.deepEqual(filtersIn(plain), ['input', 'input']);
    });

    it(`are left once they are so, ${name}`, () => {
      const once = optimize(withGradients(forwardOf(networkWith(norm))));
      assert.equal(scaleGradients(once), once);
    });
  }

  it('are finite where the scale is zero', () => {
    const graph = optimize(withGradients(forwardOf(networkWith(affineNorm))));
    const feeds = Object.entries(feedsOf(graph, 'zeros')).map(([name, { shape, data }]) => {
      return [name, { shape, data: name.endsWith('scale') ? Array.from(data, () => 0) : data }] as const;
    });
    for (const { data } of Object.values(interpret(graph, Object.fromEntries(feeds))))
      assert.ok(data.every(Number.isFinite));
  });

  it('stay as they are where something else reads them', () => {
    const graph = optimize(
      withGradients(
        forwardOf((g, x) => {
          const y = ops.tanh(g, convolution(g, x, 'w', { kernel: 3 }));
          return ops.mul(g, affineNorm(g, y, 'only'), y);
        }),
      ),
    );
    assert.deepEqual(filtersIn(graph), ['input']);
  });
});
