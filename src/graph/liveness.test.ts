import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGraph, finish } from './builder.ts';
import { peakBytes } from './liveness.ts';
import { add, exp, input, mul, reduceSum, relu, reshape, sigmoid } from './ops.ts';

describe('peakBytes', () => {
  it('frees a tensor after its last use', () => {
    const g = createGraph();
    let x = input(g, 'x', [100]);
    for (let i = 0; i < 10; i++) x = relu(g, x);
    // The input is held, and one operand beside one result.
    assert.equal(peakBytes(finish(g, { x })), 3 * 100 * 4);
  });

  it('holds what is used late, as training does with activations', () => {
    const g = createGraph();
    const x = input(g, 'x', [100]);
    const [a, b, c] = [exp(g, x), relu(g, x), sigmoid(g, x)];
    assert.equal(peakBytes(finish(g, { y: mul(g, a, mul(g, b, c)) })), 5 * 100 * 4);
  });

  it('counts a reshape once, and not what no output needs', () => {
    const g = createGraph();
    const x = input(g, 'x', [10, 10]);
    input(g, 'unused', [1000]);
    const y = exp(g, x);
    add(g, y, y);
    assert.equal(peakBytes(finish(g, { y: reduceSum(g, reshape(g, y, [100]), [0]) })), (100 + 100 + 1) * 4);
  });

  it('keeps outputs until the end', () => {
    const g = createGraph();
    const x = input(g, 'x', [100]);
    const early = exp(g, x);
    const late = relu(g, relu(g, relu(g, x)));
    assert.equal(peakBytes(finish(g, { early, late })), 4 * 100 * 4);
  });
});
