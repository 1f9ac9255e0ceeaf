import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { rng } from '../../common/random.ts';
import { createGraph, finish } from '../builder.ts';
import { gradients } from '../differentiate.ts';
import { interpret } from '../interpret.ts';
import type { Graph, NodeId } from '../ir.ts';
import * as ops from '../ops.ts';
import { optimise, settleSwitches } from '../passes.ts';
import { relativeError } from '../testing/check.ts';
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

const geometry = { stride: [1, 1], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 1 } as const;

/** A layer that is nothing, its input, or one of two convolutions; a gradient step for the weights of the chosen one. */
function layerStep(clip: boolean): Graph {
  const g = createGraph();
  const [index, x] = [ops.input(g, 'index', []), ops.input(g, 'x', [2, 3, 4, 4])];
  const weights = ['a', 'b'].map((name) => ops.input(g, name, [3, 3, 3, 3]));
  const before = ops.mul(g, x, ops.input(g, 'gain', [1, 3, 1, 1]));
  const convolutions = weights.map((w) => ops.conv(g, ops.relu(g, before), w, geometry));
  const y = ops.select(g, index, [ops.zerosLike(g, x), before, ...convolutions]);
  const loss = ops.reduceMean(g, ops.mul(g, y, y), [0, 1, 2, 3]);
  const slopes = gradients(g, loss, weights);
  const norm = ops.sqrt(
    g,
    slopes.map((d) => ops.reduceSum(g, ops.mul(g, d, d), [0, 1, 2, 3])).reduce((sum, s) => ops.add(g, sum, s)),
  );
  const next = weights.map((w, i) => {
    const slope = slopes[i] ?? w;
    const moved = ops.sub(g, w, clip ? ops.div(g, slope, norm) : slope);
    return ops.select(g, index, [w, w, i === 0 ? moved : w, i === 1 ? moved : w]);
  });
  const [dGain = 0] = gradients(g, loss, [g.nodes.findIndex(({ op }) => op.kind === 'input' && op.name === 'gain')]);
  return optimise(finish(g, { loss, dGain, a: next[0] ?? 0, b: next[1] ?? 0 }));
}

describe('what one option alone needs hangs on it alone', () => {
  for (const clip of [false, true]) {
    it(`convolutions, both their gradients and the update${clip ? ', gradients clipped by the norm of all' : ''}`, () => {
      const graph = layerStep(clip);
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
    const graph = optimise(finish(g, { z: ops.select(g, i, [x, ops.tanh(g, inner)]) }));
    assert.equal(graph.nodes.filter(({ op }) => op.kind === 'select').length, 1);
    assert.deepEqual(onlyFor(graph, 'i', 1), ['exp', 'input', 'tanh']);
  });

  it('a sum with what switches give is a chain of switches, one for each index', () => {
    const g = createGraph();
    const [i, j] = [ops.input(g, 'i', []), ops.input(g, 'j', [])];
    const [x, y, z] = ['x', 'y', 'z'].map((name) => ops.input(g, name, [2])) as [NodeId, NodeId, NodeId];
    const zero = ops.constant(g, 0, [2]);
    const terms = [ops.select(g, i, [x, zero]), z, ops.select(g, j, [zero, y]), ops.select(g, i, [zero, y])];
    const graph = optimise(finish(g, { sum: terms.reduce((sum, term) => ops.add(g, sum, term)) }));
    const kinds = graph.nodes.map(({ op }) => op.kind);
    assert.equal(kinds.filter((kind) => kind === 'select').length, 2);
    assert.equal(kinds.filter((kind) => kind === 'constant').length, 0);
    assert.equal(kinds.filter((kind) => kind === 'binary').length, 3);
  });
});

/** Random operators and switches on [2, 3] tensors, with the gradient of their sum, and guarded steps along it. */
function randomGraph(seed: number): Graph {
  const random = rng('random switches', seed);
  const g = createGraph();
  const indices = ['i', 'j'].map((name) => ops.input(g, name, []));
  const x = ops.input(g, 'x', [2, 3]);
  const y = ops.input(g, 'y', [2, 3]);
  const nodes = [x, y, ops.constant(g, 0, [2, 3])];
  const recent = () => random.pick(nodes.slice(-6));
  for (let n = 0; n < 20; n++) {
    const [p, q] = [recent(), recent()];
    nodes.push(
      random.pick([
        () => ops.unary(g, random.pick(['relu', 'tanh', 'neg', 'sigmoid', 'zerosLike'] as const), p),
        () => ops.binary(g, random.pick(['add', 'sub', 'mul', 'max'] as const), p, q),
        () => ops.matmul(g, p, ops.matmul(g, q, p, { transposeA: true })),
        () => ops.broadcastTo(g, ops.reduceMean(g, p, [1], true), [2, 3]),
        () => ops.select(g, random.pick(indices), [p, q, recent()]),
        () => ops.select(g, random.pick(indices), [ops.constant(g, 0, [2, 3]), q, ops.tanh(g, q)]),
      ])(),
    );
  }
  const sum = nodes.reduce((total, id) => ops.add(g, total, id));
  const loss = ops.reduceMean(g, ops.tanh(g, sum), [0, 1]);
  const [dx = -1, dy = -1] = gradients(g, loss, [x, y]);
  const squares = ops.reduceSum(g, ops.mul(g, dx, dx), [0, 1]);
  const [i = 0, j = 0] = indices;
  const nextX = ops.select(g, i, [x, ops.sub(g, x, ops.mul(g, dx, squares)), x]);
  const nextY = ops.select(g, i, [y, y, ops.select(g, j, [ops.sub(g, y, dy), y, y])]);
  return finish(g, { sum, loss, dx, dy, nextX, nextY });
}

it('the passes keep every value, for every option', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const graph = randomGraph(seed);
      const random = rng('random switches, values', seed);
      const draw = () => ({ shape: [2, 3], data: Float64Array.from({ length: 6 }, () => random.normal()) });
      const values = { x: draw(), y: draw() };
      const [settled, optimised] = [settleSwitches(graph), optimise(graph)];
      for (let i = 0; i < 3; i++) {
        for (let j = 0; j < 3; j++) {
          const feeds = { ...values, i: { shape: [], data: [i] }, j: { shape: [], data: [j] } };
          const expected = interpret(graph, feeds);
          for (const after of [settled, optimised]) {
            for (const [name, { data }] of Object.entries(interpret(after, feeds))) {
              const error = relativeError(data, expected[name]?.data ?? []);
              assert.ok(error < 1e-10, `${name} with i ${i}, j ${j}: ${error}`);
            }
          }
        }
      }
    }),
    { numRuns: 60 },
  );
});
