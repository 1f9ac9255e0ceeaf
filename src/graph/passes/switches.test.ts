import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { rng } from '../../common/random.ts';
import { createGraph, finish } from '../builder.ts';
import { interpret } from '../interpret.ts';
import type { Graph, NodeId } from '../ir.ts';
import * as ops from '../ops.ts';
import { optimize, settleSwitches } from '../passes.ts';
import { relativeError } from '../testing/check.ts';
import { layerStep, randomSwitches } from '../testing/switches.ts';
import { demands } from './demand.ts';

/** The kinds of the nodes that are asked for when `index` has the option and not otherwise, sorted. */
function onlyFor(graph: Graph, index: string, option: number): string[] {
  const input = graph.nodes.findIndex(({ op }) => op.kind === 'input' && op.name === index);
  const conditions = demands(graph);
  return graph.nodes
    .filter((_, id) => conditions[id]?.get(input) === option)
    .map(({ op }) => (op.kind === 'unary' || op.kind === 'binary' ? op.fn : op.kind))
    .toSorted();
}

describe('what one option alone needs depends on it alone', () => {
  for (const clip of [false, true]) {
    it(`convolutions, both their gradients and the update${clip ? ', gradients clipped by the norm of all' : ''}`, () => {
      const graph = optimize(layerStep(clip));
      const zeros = ['constant', 'broadcastTo'];
      assert.deepEqual(
        onlyFor(graph, 'index', 0).filter((kind) => !zeros.includes(kind)),
        [],
      );
      for (const option of [2, 3]) {
        const kinds = onlyFor(graph, 'index', option);
        for (const kind of ['conv', 'convInputGrad', 'convWeightGrad', 'sub'])
          assert.ok(kinds.includes(kind), `${kinds}`);
      }
      const convolutions = graph.nodes.filter(({ op }) => op.kind.startsWith('conv'));
      assert.equal(convolutions.length, 6);
    });
  }

  it('a switch on an index that is known where it stands is its option', () => {
    const g = createGraph();
    const [i, x, y] = [ops.input(g, 'i', []), ops.input(g, 'x', [2]), ops.input(g, 'y', [2])];
    const inner = ops.exp(g, ops.select(g, i, [x, y]));
    const graph = optimize(finish(g, { z: ops.select(g, i, [x, ops.tanh(g, inner)]) }));
    assert.equal(graph.nodes.filter(({ op }) => op.kind === 'select').length, 1);
    assert.deepEqual(onlyFor(graph, 'i', 1), ['exp', 'input', 'tanh']);
  });

  it('a sum with what switches give is a chain of switches, one for each index', () => {
    const g = createGraph();
    const [i, j] = [ops.input(g, 'i', []), ops.input(g, 'j', [])];
    const [x, y, z] = ['x', 'y', 'z'].map((name) => ops.input(g, name, [2])) as [NodeId, NodeId, NodeId];
    const zero = ops.constant(g, 0, [2]);
    const terms = [ops.select(g, i, [x, zero]), z, ops.select(g, j, [zero, y]), ops.select(g, i, [zero, y])];
    const graph = optimize(finish(g, { sum: terms.reduce((sum, term) => ops.add(g, sum, term)) }));
    const kinds = graph.nodes.map(({ op }) => op.kind);
    assert.equal(kinds.filter((kind) => kind === 'select').length, 2);
    assert.equal(kinds.filter((kind) => kind === 'constant').length, 0);
    assert.equal(kinds.filter((kind) => kind === 'binary').length, 3);
  });
});

// A pass may add in another order. The random graphs cancel large values: 1 of 5,000 differed by 1e-9, a wrong value by 1.
const TOLERANCE = 1e-6;

it('the passes keep every value, for every option', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const graph = randomSwitches(seed);
      const random = rng('random switches, values', seed);
      const draw = () => ({ shape: [2, 3], data: Float64Array.from({ length: 6 }, () => random.normal()) });
      const values = { x: draw(), y: draw() };
      const [settled, optimized] = [settleSwitches(graph), optimize(graph)];
      for (let i = 0; i < 3; i++) {
        for (let j = 0; j < 3; j++) {
          const feeds = { ...values, i: { shape: [], data: [i] }, j: { shape: [], data: [j] } };
          const expected = interpret(graph, feeds);
          for (const after of [settled, optimized]) {
            for (const [name, { data }] of Object.entries(interpret(after, feeds))) {
              const error = relativeError(data, expected[name]?.data ?? []);
              assert.ok(error < TOLERANCE, `${name} with i ${i}, j ${j}: ${error}`);
            }
          }
        }
      }
    }),
    { numRuns: 60, seed: 1 },
  );
});
