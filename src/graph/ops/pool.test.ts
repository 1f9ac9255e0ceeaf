import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGraph } from '../builder.ts';
import { gradients } from '../differentiate.ts';
import type { PoolGeometry, Shape } from '../ir.ts';
import { count, evaluate } from '../testing/evaluate.ts';
import { avgPool, constant, input, maxPool, mul, reduceSum } from './construct.ts';

const pairs: PoolGeometry = { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] };
const around: PoolGeometry = { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1] };

/** The gradient by x of the sum of maxPool(x) weighted by 1, 2, 3, ... */
function maxPoolGradient(data: readonly number[], shape: Shape, geometry: PoolGeometry): number[] {
  return evaluate((g) => {
    const x = constant(g, data, shape);
    const y = maxPool(g, x, geometry);
    const size = g.shape(y).reduce((product, n) => product * n, 1);
    const weights = constant(
      g,
      count(size).map((i) => i + 1),
      g.shape(y),
    );
    return gradients(g, reduceSum(g, mul(g, y, weights), [0, 1, 2, 3]), [x])[0] ?? -1;
  }).data;
}

describe('maxPool', () => {
  it('gives the largest of each window; padding never wins', () => {
    const negative = evaluate((g) => maxPool(g, constant(g, [-4, -3, -2, -1], [1, 1, 2, 2]), around));
    assert.deepEqual(negative.data, [-1, -1, -1, -1]);
    const { shape, data } = evaluate((g) => maxPool(g, constant(g, count(20), [1, 1, 4, 5]), pairs));
    assert.deepEqual(
      [shape, data],
      [
        [1, 1, 2, 2],
        [6, 8, 16, 18],
      ],
    );
  });

  it('gives the gradient to the first of equal elements, in row-major order, as PyTorch does', () => {
    assert.deepEqual(maxPoolGradient([7, 7, 7, 7], [1, 1, 2, 2], pairs), [1, 0, 0, 0]);
    assert.deepEqual(maxPoolGradient([0, 5, 5, 0], [1, 1, 2, 2], pairs), [0, 1, 0, 0]);
    // Windows overlap: with all equal, each gives to its own first element inside the image.
    const ones = new Array<number>(9).fill(1);
    assert.deepEqual(maxPoolGradient(ones, [1, 1, 3, 3], around), [1 + 2 + 4 + 5, 3 + 6, 0, 7 + 8, 9, 0, 0, 0, 0]);
  });

  it('lets NaN through, so that a diverged network shows', () => {
    assert.deepEqual(evaluate((g) => maxPool(g, constant(g, [1, Number.NaN, 3, 2], [1, 1, 2, 2]), pairs)).data, [
      Number.NaN,
    ]);
  });
});

it('avgPool does not count padding', () => {
  const { data } = evaluate((g) => avgPool(g, constant(g, [1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]), around));
  assert.deepEqual(data, [3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7]);
});

it('pooling refuses windows that do not fit or could lie in the padding alone', () => {
  const g = createGraph();
  const x = input(g, 'x', [1, 1, 4, 4]);
  assert.throws(() => maxPool(g, x, { ...pairs, pads: [2, 0, 0, 0] }), {
    message: 'maxPool of [1,1,4,4]: pads are whole and smaller than the kernel [2,2], found [2,0,0,0]',
  });
  assert.throws(
    () => avgPool(g, x, { ...pairs, kernel: [5, 2] }),
    /avgPool .*: the window \[5,2\] fits into the padded/,
  );
  assert.throws(() => avgPool(g, x, { ...pairs, stride: [0, 2] }), /kernel and stride are at least 1/);
});
