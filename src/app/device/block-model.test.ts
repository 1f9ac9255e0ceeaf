import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import { ADDITIVE, BLOCK_FEATURES } from '../../network/block-features.ts';
import { fitBlocks, fitNetworks } from './block-model.ts';

const at = (name: (typeof BLOCK_FEATURES)[number]) => BLOCK_FEATURES.indexOf(name);

/** Blocks of a device with prices for work; a kernel of 7 takes half as long again. */
function blocks(count: number, label: string) {
  const random = rng('blocks', label);
  return Array.from({ length: count }, () => {
    const features = new Array<number>(BLOCK_FEATURES.length).fill(0);
    const kernel = random.pick([3, 5, 7]);
    features[at('pointwise')] = 1e4 + 1e6 * random.float();
    features[at('depthwise')] = 1e3 + 1e5 * random.float();
    features[at('operators')] = 2 + random.int(5);
    features[at('kernel')] = kernel;
    const work = 2e-7 * (features[at('pointwise')] ?? 0) + 1e-6 * (features[at('depthwise')] ?? 0);
    return { features, ms: (0.01 + work) * (kernel === 7 ? 1.5 : 1) };
  });
}

test('blocks are priced by their work, and trees learn what the prices do not say', () => {
  const guess = fitBlocks(blocks(600, 'known'));
  const errors = blocks(100, 'new').map(({ features, ms }) => Math.abs(guess(features) / ms - 1));
  const median = errors.toSorted((a, b) => a - b)[50] ?? 1;
  assert.ok(median < 0.05, `${median}`);
  // Few blocks: prices alone, which are never negative.
  const few = fitBlocks(blocks(20, 'few'));
  assert.ok(few(new Array<number>(BLOCK_FEATURES.length).fill(0)) > 0);
  assert.ok(ADDITIVE.length < BLOCK_FEATURES.length);
});

test('whole networks correct the sum of blocks, and one that was disturbed does not spoil it', () => {
  const random = rng('networks');
  const networks = Array.from({ length: 40 }, () => {
    const [sums, count] = [0.2 + random.float(), 5 + random.int(8)];
    const [values, weights] = [1e4 + 1e5 * random.float(), 1e4 + 1e5 * random.float()];
    const measured = 0.9 * sums - 1e-6 * values + 4e-7 * weights;
    return { ms: sums, blocks: count, values, weights, measured };
  });
  const disturbed = networks.slice(0, 30).map((one, i) => (i === 3 ? { ...one, measured: 5 * one.measured } : one));
  const correct = fitNetworks(disturbed);
  for (const one of networks.slice(30)) {
    const error = Math.abs(correct(one) / one.measured - 1);
    assert.ok(error < 0.1 && error < Math.abs(one.ms / one.measured - 1) + 0.02, `${error}`);
  }
  assert.equal(
    fitNetworks(networks.slice(0, 3))(networks[5] ?? { ms: 1, blocks: 1, values: 1, weights: 1 }),
    networks[5]?.ms,
  );
});
