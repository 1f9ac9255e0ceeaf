import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import { ADDITIVE, BLOCK_FEATURES } from '../../network/block-features.ts';
import { fitBlocks } from './block-model.ts';
import { fitNetworks } from './network-model.ts';

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

/** Networks whose work in a network takes another time than in blocks alone: depthwise convolutions, by `slower`. */
function networks(count: number, slower = 0) {
  const random = rng('networks', count, slower);
  return Array.from({ length: count }, () => {
    const features = new Array<number>(BLOCK_FEATURES.length).fill(0);
    const [read, weights, depthwise] = [1e5, 1e5, 1e6].map((most) => most * (0.1 + random.float()));
    features[at('read')] = read ?? 0;
    features[at('weights')] = weights ?? 0;
    features[at('depthwise')] = depthwise ?? 0;
    const work = 3e-7 * (depthwise ?? 0);
    const [ms, blocks] = [0.2 + random.float() + work, 5 + random.int(8)];
    const measured = 0.9 * ms - 1e-6 * (read ?? 0) + 4e-7 * (weights ?? 0) + slower * work;
    return { ms, blocks, features, measured };
  });
}

const worst = (correct: ReturnType<typeof fitNetworks>, known: ReturnType<typeof networks>) =>
  known.map((one) => Math.abs(correct(one) / one.measured - 1)).toSorted((a, b) => b - a)[0] ?? 1;

test('whole networks correct the sum of blocks, and one that was disturbed does not spoil it', () => {
  const all = networks(40);
  const disturbed = all.slice(0, 30).map((one, i) => (i === 3 ? { ...one, measured: 5 * one.measured } : one));
  const plain = worst(({ ms }) => ms, all.slice(30));
  const corrected = worst(fitNetworks(disturbed), all.slice(30));
  assert.ok(corrected < 0.05 && corrected < plain / 2, `${corrected} and ${plain}`);
  const [first] = all;
  assert.ok(first);
  assert.equal(fitNetworks(all.slice(0, 3))(first), first.ms, 'too few say nothing');
});

test('many networks say which kind of work takes longer in a network than alone', () => {
  const all = networks(120, 0.8);
  const few = worst(fitNetworks(all.slice(0, 30)), all.slice(100));
  const many = worst(fitNetworks(all.slice(0, 100)), all.slice(100));
  assert.ok(many < 0.1 && many < few, `${many} and ${few}`);
});
