import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGraph, finish } from './builder.ts';
import { interpret } from './interpret.ts';
import { add, input, relu, reshape, stopGradient } from './ops.ts';

describe('the interpreter', () => {
  it('runs what the outputs need and asks for no other feed', () => {
    const g = createGraph();
    const [x, unused] = [input(g, 'x', [2]), input(g, 'unused', [2])];
    add(g, x, unused);
    const { y } = interpret(finish(g, { y: relu(g, x) }), { x: { shape: [2], data: [-1, 2] } });
    assert.deepEqual([...(y?.data ?? [])], [0, 2]);
  });

  it('names an input that is missing or has another shape', () => {
    const g = createGraph();
    const graph = finish(g, { y: relu(g, input(g, 'x', [2, 3])) });
    assert.throws(() => interpret(graph, {}), { message: 'input "x" was not fed' });
    assert.throws(() => interpret(graph, { x: { shape: [3, 2], data: [1, 2, 3, 4, 5, 6] } }), {
      message: 'input "x": [3,2] with 6 numbers; the graph takes [2,3]',
    });
    assert.throws(() => interpret(graph, { x: { shape: [2, 3], data: [1] } }), /\[2,3\] with 1 numbers/);
  });

  it('hands out arrays that share no memory with feeds or each other', () => {
    const g = createGraph();
    const x = input(g, 'x', [2]);
    const graph = finish(g, { x, row: reshape(g, x, [1, 2]), same: stopGradient(g, x) });
    const fed = new Float64Array([1, 2]);
    const results = Object.values(interpret(graph, { x: { shape: [2], data: fed } }));
    for (const { data } of results) data.fill(9);
    assert.deepEqual([...fed], [1, 2]);
    assert.equal(new Set([fed.buffer, ...results.map(({ data }) => data.buffer)]).size, 4);
  });
});
