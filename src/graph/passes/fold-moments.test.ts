import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as ops from '../ops.ts';
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
import { foldMoments } from './fold-moments.ts';

const kinds = (network: Network) => foldMoments(forwardOf(network)).nodes.map(({ op }) => op.kind);
const isFolded = (network: Network) => kinds(network).includes('convWeightGrad');

describe('moments of a 1x1 convolution', () => {
  for (const groups of [1, 2]) {
    it(`have the same values and gradients, ${groups} groups`, () => {
      const network: Network = (g, x) => batchNorm(g, convolution(g, x, 'w', { channels: 6, groups }));
      const plain = forwardOf(network);
      const folded = foldMoments(plain);
      assert.ok(isFolded(network));
      const [expected, actual] = [withGradients(plain), withGradients(folded)];
      assert.ok(largestDifference(expected, actual, feedsOf(expected, 'moments')) < 1e-11);
    });
  }

  it('leave only what scales and shifts the convolution reading it', () => {
    const network: Network = (g, x) => batchNorm(g, convolution(g, x, 'w'));
    assert.deepEqual(imagesIn(foldMoments(forwardOf(network))), ['conv', 'mul', 'add']);
  });

  it('stay where something else needs the convolution anyway', () => {
    assert.ok(!isFolded((g, x) => ops.relu(g, ops.add(g, x, twice(g, x)))));
    function twice(g: ops.GraphBuilder, x: number): number {
      const y = convolution(g, x, 'w');
      return ops.add(g, batchNorm(g, y), y);
    }
  });

  it('stay for other kernels, strides and many channels a group', () => {
    assert.ok(!isFolded((g, x) => batchNorm(g, convolution(g, x, 'w', { kernel: 3 }))));
    assert.ok(!isFolded((g, x) => batchNorm(g, convolution(g, x, 'w', { stride: 2 }))));
    const wide =
      (channels: number): Network =>
      (g, x) =>
        batchNorm(g, convolution(g, convolution(g, x, 'v', { channels, kernel: 3 }), 'w'));
    assert.ok(isFolded(wide(32)));
    assert.ok(!isFolded(wide(33)));
  });
});
