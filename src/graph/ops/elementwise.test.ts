import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGraph } from '../builder.ts';
import { gradients } from '../differentiate.ts';
import { evaluate } from '../testing/evaluate.ts';
import { abs, binary, clip, constant, erf, input, maximum, reduceSum, relu, sigmoid, sub } from './construct.ts';

describe('unary functions', () => {
  it('erf agrees with the C library to 15 digits, on both sides of its change of method', () => {
    const { data } = evaluate((g) => erf(g, constant(g, [0, 0.5, -1, 2, 2.9999, 3.0001, 4, -7, Number.NaN])));
    const known = [0, 0.5204998778130465, -0.8427007929497149, 0.9953222650189527, 0.9999778955735178];
    known.push(0.9999779234241298, 0.9999999845827421, -1, Number.NaN);
    for (const [i, expected] of known.entries()) {
      const error = Math.abs((data[i] ?? 0) - expected);
      assert.ok(Number.isNaN(expected) ? Number.isNaN(error) : error < 2e-15, `erf: ${data[i]}, ${expected}`);
    }
  });

  it('sigmoid neither overflows nor loses its tail', () => {
    const { data } = evaluate((g) => sigmoid(g, constant(g, [-1000, -40, 0, 1000])));
    assert.deepEqual(data, [0, Math.exp(-40), 0.5, 1]);
  });

  it('abs has slope zero at zero, as in PyTorch', () => {
    const { data } = evaluate((g) => {
      const x = constant(g, [-2, 0, 3]);
      return gradients(g, reduceSum(g, abs(g, x), [0]), [x])[0] ?? -1;
    });
    assert.deepEqual(data, [-1, 0, 1]);
  });

  it('relu and clip keep NaN, so that a diverged loss shows', () => {
    assert.deepEqual(evaluate((g) => relu(g, constant(g, [Number.NaN, -1, 2]))).data, [Number.NaN, 0, 2]);
    assert.deepEqual(evaluate((g) => clip(g, constant(g, [Number.NaN, -1, 9]), 0, 6)).data, [Number.NaN, 0, 6]);
  });
});

describe('binary functions', () => {
  it('broadcast both operands', () => {
    const { shape, data } = evaluate((g) => sub(g, constant(g, [10, 20], [2, 1]), constant(g, [1, 2, 3])));
    assert.deepEqual(
      [shape, data],
      [
        [2, 3],
        [9, 8, 7, 19, 18, 17],
      ],
    );
  });

  it('refuse operands that do not broadcast', () => {
    const g = createGraph();
    const [a, b] = [input(g, 'a', [2, 3]), input(g, 'b', [2])];
    assert.throws(() => binary(g, 'mul', a, b), {
      message: 'mul of [2,3], [2]: aligned at the last axis, sizes are equal or 1',
    });
  });

  it('max gives each operand half the gradient at a tie', () => {
    const slope = (which: 0 | 1) =>
      evaluate((g) => {
        const operands = [constant(g, [1, 2, 5]), constant(g, [1, 3, 4])] as const;
        const sum = reduceSum(g, maximum(g, operands[0], operands[1]), [0]);
        return gradients(g, sum, operands)[which] ?? -1;
      }).data;
    assert.deepEqual(slope(0), [0.5, 0, 1]);
    assert.deepEqual(slope(1), [0.5, 1, 0]);
  });
});

it('clip refuses bounds the wrong way round', () => {
  const g = createGraph();
  const x = input(g, 'x', [3]);
  assert.throws(() => clip(g, x, 1, 0), { message: 'clip of [3]: low is at most high, found 1 and 0' });
});
