/** What the passes make of networks: the same numbers and gradients, with fewer tensors of an image's size. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NodeId } from '../ir.ts';
import type { GraphBuilder } from '../ops.ts';
import * as ops from '../ops.ts';
import { eliminateDeadCode, optimize, optimizeForward } from '../passes.ts';
import {
  batchNorm,
  convolution,
  feedsOf,
  forwardOf,
  IMAGE,
  imagesIn,
  largestDifference,
  type Network,
  randomNetwork,
  separable,
  withGradients,
} from '../testing/networks.ts';

/** The training graph of a network as the train room makes it. */
const optimized = (network: Network) => optimize(withGradients(optimizeForward(forwardOf(network))));

/** An edge and its weight, added to a node that others are added to as well. */
const edge =
  (body: Network): Network =>
  (g, x) =>
    ops.add(g, ops.input(g, 'others', IMAGE), ops.mul(g, body(g, x), ops.input(g, 'share', [])));

// A rewrite may add in another order, and some gradients are small differences of large sums: of 600 networks, 31 differ by more than
// 1e-14, 6 by 1e-13, 1 by 1e-12, so about 1 of 3,000 runs of this test would exceed 1e-8. A wrong rewrite is off by far more.
const TOLERANCE = 1e-6;

it('random networks keep their output and all gradients', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const network = randomNetwork(seed);
      const expected = withGradients(forwardOf(network));
      const feeds = feedsOf(expected, String(seed));
      assert.ok(largestDifference(expected, optimized(network), feeds) < TOLERANCE);
    }),
    { numRuns: 150, seed: 1 },
  );
});

it('a second pass finds nothing to do', () => {
  for (let seed = 0; seed < 20; seed++) {
    const once = optimized(randomNetwork(seed));
    assert.equal(optimize(once), once);
  }
});

describe("tensors of the image's size", () => {
  const forward = (network: Network) => imagesIn(optimizeForward(forwardOf(network)));

  it('half a separable convolution: the depthwise result, and the sum', () => {
    const network = edge((g, x) => separable(g, x, 'half'));
    assert.deepEqual(forward(network), ['relu', 'conv', 'conv', 'add']);
    assert.deepEqual(imagesIn(optimized(network)).slice(4), [
      // dy is the upstream gradient itself. Gradient by the depthwise result, as one chain of convolutions with a bias:
      'convInputGrad',
      'conv',
      'add',
      'add',
      'convInputGrad',
      'step',
      'mul',
    ]);
  });

  it('convolution 3x3 with batch norm and a weight: y, then one pass over it into the sum', () => {
    const network = edge((g, x) => batchNorm(g, convolution(g, ops.relu(g, x), 'w', { kernel: 3 })));
    // x·x is within the sum that reads it.
    assert.deepEqual(forward(network), ['relu', 'conv', 'mul', 'mul', 'add', 'add']);
  });

  it('pooling with batch norm and a weight: one pass over the pooled', () => {
    const pool = { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1] } as const;
    const network = edge((g, x) => batchNorm(g, ops.avgPool(g, x, pool)));
    assert.deepEqual(forward(network), ['avgPool', 'mul', 'mul', 'add', 'add']);
  });

  it('the same tensor weighed several times is read once', () => {
    const weigh = (g: GraphBuilder, x: NodeId, name: string) => ops.mul(g, x, ops.input(g, name, []));
    const network: Network = (g, x) =>
      ops.add(g, ops.add(g, weigh(g, x, 'a'), ops.input(g, 'o', IMAGE)), weigh(g, x, 'b'));
    assert.deepEqual(forward(network), ['mul', 'add']);
  });
});

it('inference: batch norm goes into the convolution before it', () => {
  const network: Network = (g, x) => {
    const y = convolution(g, x, 'w', { kernel: 3 });
    const scale = ops.input(g, 'scale', [1, 4, 1, 1]);
    return ops.relu(g, ops.add(g, ops.mul(g, y, scale), ops.input(g, 'shift', [1, 4, 1, 1])));
  };
  assert.deepEqual(imagesIn(optimize(forwardOf(network))), ['conv', 'relu']);
});

it('a forward graph keeps the nodes that its outputs need, and no others', () => {
  const graph = optimizeForward(forwardOf(randomNetwork(7)));
  assert.equal(eliminateDeadCode(graph), graph);
});
