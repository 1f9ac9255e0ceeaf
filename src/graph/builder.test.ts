import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGraph, finish } from './builder.ts';
import { add, constant, input, relu } from './ops.ts';

describe('the builder', () => {
  it('gives each node the path of the enclosing modules, also after one has thrown', () => {
    const g = createGraph();
    const x = input(g, 'x', [2]);
    g.within('3', () => g.within('0->1', () => relu(g, x)));
    assert.throws(() =>
      g.within('4', () => {
        throw new Error('inside');
      }),
    );
    relu(g, x);
    assert.deepEqual(
      g.nodes.map(({ path }) => path),
      ['', '3/0->1', ''],
    );
  });

  it('refuses a second input of one name and nodes that are not there', () => {
    const g = createGraph();
    const x = input(g, 'x', [2]);
    assert.throws(() => input(g, 'x', [2]), { message: 'input "x" is in the graph already' });
    assert.throws(() => add(g, x, 7), { message: 'the graph has no node 7, only 0 to 0' });
    assert.throws(() => finish(g, { y: 3 }), { message: 'output "y" is node 3; there are 1' });
  });

  it('infers the shape of one operator for operands of different shapes, each time', () => {
    const g = createGraph();
    const [a, b] = [input(g, 'a', [2]), input(g, 'b', [3, 2])];
    const op = { kind: 'unary', fn: 'relu' } as const;
    assert.deepEqual(
      [a, b, a].map((from) => g.shape(g.add(op, [from]))),
      [[2], [3, 2], [2]],
    );
  });

  it('adds nothing when an operator is refused', () => {
    const g = createGraph();
    const [a, b] = [input(g, 'a', [2]), input(g, 'b', [3])];
    assert.throws(() => add(g, a, b));
    assert.equal(g.nodes.length, 2);
  });

  it('can go on after a graph is finished, which then stays as it was', () => {
    const g = createGraph();
    const x = input(g, 'x', [2]);
    const graph = finish(g, { x });
    add(g, x, constant(g, 1));
    assert.equal(graph.nodes.length, 1);
    assert.ok(Object.isFrozen(graph.nodes) && Object.isFrozen(graph.nodes[0]));
  });

  it('extends a finished graph: ids and input names stay taken', () => {
    const g = createGraph();
    const x = input(g, 'x', [2]);
    const first = finish(g, { y: relu(g, x) });
    const more = createGraph(first);
    const z = add(more, first.outputs.y ?? -1, x);
    assert.equal(z, first.nodes.length);
    assert.deepEqual(more.shape(z), [2]);
    assert.throws(() => input(more, 'x', [2]), { message: 'input "x" is in the graph already' });
    assert.equal(first.nodes.length, 2);
  });
});
