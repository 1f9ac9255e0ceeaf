import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import { SPACES } from '../spaces/index.ts';
import { cellGraph } from './cell-graph.ts';
import { sample } from './vary.ts';

const images = { kind: 'classification', input: [3, 32, 32], outputs: 10 } as const;

test('nas-bench-201: one cell; zeros are closed, identities open, each other operation has its number', () => {
  const space = SPACES['nas-bench-201'].create(images);
  const { shape, rowOf } = cellGraph(space);
  assert.deepEqual([shape.components, shape.sources, shape.sinks], [[0, 0, 0, 0], [0], [3]]);
  assert.deepEqual([shape.edges.length, shape.operations, shape.features], [6, 3, 0]);
  const cell = { '0->1': 'none', '0->2': 'skip_connect', '1->2': 'nor_conv_3x3' };
  const rest = { '0->3': 'nor_conv_3x3', '1->3': 'nor_conv_1x1', '2->3': 'avg_pool_3x3' };
  const { edges, nodes } = rowOf({ ...cell, ...rest });
  const at = (from: number, to: number) => edges[shape.edges.findIndex((edge) => edge.from === from && edge.to === to)];
  assert.deepEqual([at(0, 1), at(0, 2)], [0, 1]);
  assert.equal(at(1, 2), at(0, 3));
  assert.deepEqual([at(0, 3), at(1, 3), at(2, 3)].toSorted(), [2, 3, 4]);
  assert.deepEqual(nodes, [1, 1, 1, 1]);
});

test('darts: two cells of two inputs; edges that are not picked are closed, all nodes behind the inputs are sinks', () => {
  const space = SPACES.darts.create(images);
  const { shape, rowOf } = cellGraph(space);
  assert.deepEqual([shape.components.length, shape.sources.length, shape.sinks.length], [12, 4, 8]);
  assert.deepEqual([shape.edges.length, shape.features], [28, 0]);
  assert.ok(shape.edges.every(({ from, to }) => from < to && shape.components[from] === shape.components[to]));
  const { edges } = rowOf(sample(space, rng('darts')));
  assert.equal(edges.filter((number) => number !== 0).length, 16);
});

test('a space without cells is refused', () => {
  assert.throws(
    () => cellGraph(SPACES['small-cnn'].create(images)),
    /space "small-cnn": has no cells; a graph network/,
  );
});
