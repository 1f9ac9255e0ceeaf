import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Rng, rng } from '../../common/random.ts';
import { createGraph, finish } from '../builder.ts';
import type { Graph, NodeId } from '../ir.ts';
import { sizeOf } from '../ir.ts';
import type { GraphBuilder } from '../ops.ts';
import * as ops from '../ops.ts';
import { feedsOf, largestDifference } from '../testing/networks.ts';
import { sinkTransposes } from './sink-transposes.ts';

/** Chains of operators on tensors of two to four axes, with transposes between them, all of whose kinds the pass knows. */
function randomChain(seed: number): Graph {
  const random = rng('transposes', seed);
  const g = createGraph();
  const known: NodeId[] = [ops.input(g, 'a', [2, 3, 4]), ops.input(g, 'b', [2, 3, 4]), ops.input(g, 'c', [3, 1])];
  for (let step = 0; step < 14; step++) {
    const made = randomStep(g, random, random.pick(known), known);
    if (made !== undefined && sizeOf(g.shape(made)) < 2000) known.push(made);
  }
  return finish(g, Object.fromEntries(known.slice(-3).map((id, i) => [`output ${i}`, id])));
}

function randomStep(g: GraphBuilder, random: Rng, x: NodeId, known: readonly NodeId[]): NodeId | undefined {
  const shape = g.shape(x);
  const axes = [...shape.keys()];
  const axis = random.int(axes.length);
  const fits = known.filter((id) => String(g.shape(id)) === String(shape));
  switch (random.int(12)) {
    case 0:
    case 1:
    case 2:
      return ops.transpose(g, x, random.shuffle(axes));
    case 3:
      return ops.tanh(g, x);
    case 4:
      return ops.add(g, x, random.pick(fits));
    case 5: {
      const along = Array.from({ length: shape[axis] ?? 1 }, (_, i) => i + 0.5);
      return ops.mul(
        g,
        ops.constant(
          g,
          along,
          axes.map((one) => (one === axis ? along.length : 1)),
        ),
        x,
      );
    }
    case 6:
      return axes.length > 2 ? ops.reduceSum(g, x, [axis]) : ops.reduceMean(g, x, [axis], true);
    case 7:
      return ops.logSoftmax(g, x, axis);
    case 8:
      return (shape[axis] ?? 0) > 1
        ? ops.slice(
            g,
            x,
            axes.map(() => 0),
            shape.with(axis, 1),
          )
        : undefined;
    case 9:
      return ops.concat(g, [x, random.pick(fits)], axis);
    case 10: {
      const size = shape[axis] ?? 1;
      const parts = size % 2 === 0 ? [2, size / 2] : [1, size];
      if (random.int(2) === 0)
        return axes.length < 4 ? ops.reshape(g, x, shape.toSpliced(axis, 1, ...parts)) : undefined;
      return axis + 1 < axes.length && axes.length > 2
        ? ops.reshape(g, x, shape.toSpliced(axis, 2, size * (shape[axis + 1] ?? 1)))
        : undefined;
    }
    default:
      return ops.matmul(g, x, random.pick(fits), { transposeB: true });
  }
}

test('whatever is moved, the numbers stay', () => {
  let sunk = 0;
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const graph = randomChain(seed);
      const after = sinkTransposes(graph);
      if (after !== graph) sunk++;
      assert.ok(largestDifference(graph, after, feedsOf(graph, String(seed))) < 1e-9);
    }),
    { numRuns: 400, seed: 1 },
  );
  assert.ok(sunk > 100, `${sunk} graphs were changed`);
});

test('between two products with positions nothing is transposed: residual, norm and activation work on the tensor as it lies', () => {
  const g = createGraph();
  const [n, c, t] = [2, 6, 5];
  const product = (x: NodeId, name: string) => {
    const rows = ops.reshape(g, ops.transpose(g, x, [0, 2, 1]), [n * t, c]);
    const made = ops.matmul(g, rows, ops.input(g, name, [c, c]), { transposeB: true });
    return ops.transpose(g, ops.reshape(g, made, [n, t, c]), [0, 2, 1]);
  };
  const x = ops.transpose(g, ops.input(g, 'x', [n, t, c]), [0, 2, 1]);
  const centered = ops.sub(g, x, ops.reduceMean(g, x, [1], true));
  const scaled = ops.mul(g, centered, ops.input(g, 'scale', [c, 1]));
  const inner = ops.relu(g, product(scaled, 'first'));
  const y = ops.add(g, x, product(inner, 'second'));
  const graph = finish(g, { y: ops.transpose(g, y, [0, 2, 1]) });
  const after = sinkTransposes(graph);
  assert.deepEqual(
    after.nodes.filter(({ op }) => op.kind === 'transpose'),
    [],
  );
  assert.ok(largestDifference(graph, after, feedsOf(graph, 'products')) < 1e-12);
});
