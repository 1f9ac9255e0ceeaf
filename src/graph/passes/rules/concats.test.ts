import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as ops from '../../ops.ts';
import { optimize, optimizeForward } from '../../passes.ts';
import {
  convolution,
  feedsOf,
  forwardOf,
  imagesIn,
  largestDifference,
  type Network,
  withGradients,
} from '../../testing/networks.ts';

const IMAGE = [2, 16, 4, 4];

/** Two nodes of a cell, joined. */
const cell = (g: ops.GraphBuilder, x: number, channels = 16) =>
  ops.concat(g, [convolution(g, x, 'a', { channels }), convolution(g, ops.relu(g, x), 'b', { kernel: 3 })], 1);

/** What is left of a network with its gradients, which are checked to be the same. */
function left(network: Network): string[] {
  const plain = withGradients(forwardOf(network, IMAGE));
  const forward = optimizeForward(forwardOf(network, IMAGE));
  const actual = optimize(withGradients(forward));
  assert.ok(largestDifference(plain, actual, feedsOf(plain, 'joints')) < 1e-10);
  return imagesIn(actual, IMAGE);
}

describe('joined channels', () => {
  it('a convolution of them is a sum of convolutions: nothing is joined, no gradient cut', () => {
    const found = left((g, x) => convolution(g, ops.relu(g, cell(g, x)), 'w', { channels: 16 }));
    assert.ok(!found.includes('concat') && !found.includes('slice'), `${found}`);
  });

  it('the same with a stride on what is left of the image without its first row and column', () => {
    const found = left((g, x) => {
      const whole = ops.relu(g, cell(g, x));
      const shifted = ops.slice(g, whole, [0, 0, 1, 1], g.shape(whole));
      return convolution(g, shifted, 'w', { channels: 16, stride: 2 });
    });
    assert.ok(!found.includes('concat'), `${found}`);
  });

  it('means over the pixels are joined, not what they are taken of', () => {
    const found = left((g, x) => ops.reduceMean(g, cell(g, x), [2, 3], false));
    assert.ok(!found.includes('concat') && !found.includes('slice'), `${found}`);
  });

  it('parts that are no whole blocks stay joined, and so does what a grouped convolution reads', () => {
    assert.ok(left((g, x) => convolution(g, cell(g, x, 12), 'w', { channels: 16 })).includes('concat'));
    assert.ok(left((g, x) => convolution(g, cell(g, x), 'w', { channels: 32, groups: 4 })).includes('concat'));
  });
});
