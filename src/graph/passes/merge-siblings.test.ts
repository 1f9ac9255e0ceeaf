import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Graph, NodeId } from '../ir.ts';
import * as ops from '../ops.ts';
import { optimize, optimizeForward } from '../passes.ts';
import {
  batchNorm,
  convolution,
  feedsOf,
  forwardOf,
  imagesIn,
  largestDifference,
  type Network,
  withGradients,
} from '../testing/networks.ts';
import { mergeSiblings } from './merge-siblings.ts';

const IMAGE = [2, 16, 4, 4];

/** Edges of one source, each with its own convolution, to different ends. */
const edges =
  (edge: (g: ops.GraphBuilder, x: NodeId, name: string) => NodeId, count = 3): Network =>
  (g, x) => {
    const shared = ops.relu(g, x);
    const ends = Array.from({ length: count }, (_, i) => {
      const y = edge(g, shared, `w${i}`);
      return ops.relu(g, ops.add(g, ops.input(g, `others ${i}`, g.shape(y)), y));
    });
    return ops.concat(g, ends, 1);
  };
const normalized = edges((g, x, name) => batchNorm(g, convolution(g, x, name, { kernel: 3 })));
const count = ({ nodes }: Graph, kind: string) => nodes.filter(({ op }) => op.kind === kind).length;

describe('sibling convolutions', () => {
  it('become one, forward and in both gradients, with the same values', () => {
    const expected = withGradients(forwardOf(normalized, IMAGE));
    const merged = optimize(withGradients(optimizeForward(forwardOf(normalized, IMAGE))));
    assert.ok(largestDifference(expected, merged, feedsOf(expected, 'siblings')) < 1e-9);
    assert.deepEqual(
      ['conv', 'convInputGrad', 'convWeightGrad'].map((kind) => count(merged, kind)),
      [1, 1, 1],
    );
    // What the slices of one tensor give back is joined, not padded and added up.
    assert.equal(count(merged, 'pad'), 0);
    assert.equal(imagesIn(merged, IMAGE).filter((kind) => kind === 'concat').length, 2);
  });

  it('stay apart where merging does not pay: 1x1, depthwise, without batch norm, of odd width', () => {
    const apart: Record<string, Network> = {
      pointwise: edges((g, x, name) => batchNorm(g, convolution(g, x, name))),
      depthwise: edges((g, x, name) => batchNorm(g, convolution(g, x, name, { kernel: 3, groups: 16 }))),
      bare: edges((g, x, name) => convolution(g, x, name, { kernel: 3 })),
      narrow: edges((g, x, name) => batchNorm(g, convolution(g, x, name, { kernel: 3, channels: 8 }))),
      alone: edges((g, x, name) => batchNorm(g, convolution(g, x, name, { kernel: 3 })), 1),
    };
    for (const [name, network] of Object.entries(apart)) {
      const graph = forwardOf(network, IMAGE);
      assert.equal(mergeSiblings(graph), graph, name);
    }
  });

  it('stay apart where the images are large beside the filters', () => {
    const of = (side: number) => forwardOf(normalized, [1, 16, side, side]);
    assert.notEqual(mergeSiblings(of(8)).nodes.length, of(8).nodes.length);
    const large = of(9);
    assert.equal(mergeSiblings(large), large);
  });

  it('stay apart where they differ: input, geometry, shape', () => {
    const different: Record<string, Network> = {
      input: (g, x) => {
        const once = batchNorm(g, convolution(g, x, 'v', { kernel: 3 }));
        return ops.add(g, once, batchNorm(g, convolution(g, once, 'w', { kernel: 3 })));
      },
      dilation: (g, x) =>
        ops.add(
          g,
          batchNorm(g, convolution(g, x, 'v', { kernel: 3 })),
          batchNorm(g, convolution(g, x, 'w', { kernel: 3, dilation: 2 })),
        ),
      shape: (g, x) =>
        ops.concat(
          g,
          [16, 32].map((channels) => batchNorm(g, convolution(g, x, `w${channels}`, { kernel: 3, channels }))),
          1,
        ),
    };
    for (const [name, network] of Object.entries(different)) {
      const graph = forwardOf(network, IMAGE);
      assert.equal(mergeSiblings(graph), graph, name);
    }
  });

  it('stay apart where a switch computes only one of them', () => {
    const graph = forwardOf((g, x) => {
      const index = ops.input(g, 'index', []);
      const options = ['v', 'w'].map((name) => batchNorm(g, convolution(g, x, name, { kernel: 3 })));
      return ops.select(g, index, options);
    }, IMAGE);
    assert.equal(mergeSiblings(graph), graph);
  });
});
