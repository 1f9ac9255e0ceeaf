import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGraph, finish } from './builder.ts';
import { peakBytes } from './liveness.ts';
import * as ops from './ops.ts';

const floats = (count: number) => 4 * count;

test('a chain holds two of its values at a time, beside what it was given', () => {
  const g = createGraph();
  let x = ops.input(g, 'x', [10]);
  for (let i = 0; i < 5; i++) x = ops.neg(g, x);
  assert.equal(peakBytes(finish(g, { y: x })), floats(10 + 2 * 10));
});

test('a value is held until its last use, an output to the end', () => {
  const g = createGraph();
  const x = ops.input(g, 'x', [10]);
  const early = ops.relu(g, x);
  const chain = ops.exp(g, ops.neg(g, ops.exp(g, early)));
  const used = finish(g, { y: ops.add(g, chain, early) });
  assert.equal(peakBytes(used), floats(10 + 3 * 10));
  assert.equal(peakBytes(finish(g, { early, y: chain })), floats(10 + 3 * 10));
  assert.equal(peakBytes(finish(g, { y: chain })), floats(10 + 2 * 10));
});

test('a value that is not needed takes no memory', () => {
  const g = createGraph();
  const x = ops.input(g, 'x', [10]);
  ops.exp(g, ops.input(g, 'unused', [1000]));
  assert.equal(peakBytes(finish(g, { y: ops.neg(g, x) })), floats(10 + 10));
});

test('views take no memory of their own, and keep what they look at', () => {
  const g = createGraph();
  const x = ops.neg(g, ops.input(g, 'x', [10]));
  const view = ops.reshape(g, x, [2, 5]);
  const chain = ops.exp(g, ops.neg(g, ops.exp(g, x)));
  const sum = ops.add(g, ops.reshape(g, chain, [2, 5]), view);
  assert.equal(peakBytes(finish(g, { y: sum })), floats(10 + 3 * 10));
});

test('a broadcast is made only for operators that cannot broadcast by themselves', () => {
  const graph = (wide: 'sum' | 'matmul') => {
    const g = createGraph();
    const row = ops.broadcastTo(g, ops.input(g, 'row', [1, 8]), [8, 8]);
    const x = ops.input(g, 'x', [8, 8]);
    return finish(g, { y: wide === 'sum' ? ops.add(g, x, row) : ops.matmul(g, x, row) });
  };
  assert.equal(peakBytes(graph('sum')), floats(8 + 64 + 64));
  assert.equal(peakBytes(graph('matmul')), floats(8 + 64 + 64 + 64));
});

test('the workspace counts while its operator runs', () => {
  const g = createGraph();
  const x = ops.input(g, 'x', [4, 6]);
  const graph = finish(g, { y: ops.neg(g, ops.matmul(g, x, ops.input(g, 'w', [6, 2]))) });
  const workspace = (op: { readonly op: { readonly kind: string } }, operands: readonly (readonly number[])[]) =>
    op.op.kind === 'matmul' ? 100 * (operands[1]?.[1] ?? 0) : 0;
  assert.equal(peakBytes(graph, workspace), floats(24 + 12 + 8 + 200));
});
