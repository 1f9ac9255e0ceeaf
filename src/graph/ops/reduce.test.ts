import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGraph } from '../builder.ts';
import { gradients } from '../differentiate.ts';
import { count, evaluate } from '../testing/evaluate.ts';
import { constant, input, logSoftmax, reduceMax, reduceMean, reduceSum } from './construct.ts';

describe('reduce', () => {
  it('sums, averages and takes the largest over inner and outer axes', () => {
    const over = (axes: readonly number[], reduce: typeof reduceSum) =>
      evaluate((g) => reduce(g, constant(g, count(12), [2, 3, 2]), axes));
    assert.deepEqual(over([0, 2], reduceSum), { shape: [3], data: [14, 22, 30] });
    assert.deepEqual(over([1], reduceMean), { shape: [2, 2], data: [2, 3, 8, 9] });
    assert.deepEqual(over([-1, 0], reduceMax), { shape: [3], data: [7, 9, 11] });
  });

  it('keeps reduced axes as 1 on demand', () => {
    assert.deepEqual(evaluate((g) => reduceSum(g, constant(g, count(4), [2, 2]), [0], true)).shape, [1, 2]);
  });

  it('shares the gradient of max evenly among equal elements', () => {
    const { data } = evaluate((g) => {
      const x = constant(g, [3, 3, 1, 0, 2, 2], [2, 3]);
      return gradients(g, reduceSum(g, reduceMax(g, x, [1]), [0]), [x])[0] ?? -1;
    });
    assert.deepEqual(data, [0.5, 0.5, 0, 0, 0.5, 0.5]);
  });

  it('refuses axes out of range or given twice', () => {
    const g = createGraph();
    const x = input(g, 'x', [2, 3]);
    assert.throws(() => reduceMean(g, x, [2]), {
      message: 'reduce mean of [2,3]: axes are different ones of 0 to 1, found [2]',
    });
    assert.throws(() => reduceSum(g, x, [1, -1]), /axes are different ones of 0 to 1, found \[1,1\]/);
  });
});

it('logSoftmax does not overflow', () => {
  const { data } = evaluate((g) => logSoftmax(g, constant(g, [1000, 0, 0, 0], [2, 2])));
  assert.deepEqual(data, [0, -1000, -Math.log(2), -Math.log(2)]);
});
