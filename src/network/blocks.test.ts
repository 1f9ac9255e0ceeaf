import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { Task } from '../space/space.ts';
import { SPACES } from '../space/spaces/index.ts';
import * as s from '../space/tree/builders.ts';
import type { Module } from '../space/tree/module.ts';
import { resolve } from '../space/tree/resolve.ts';
import { sample } from '../space/tree/vary.ts';
import { ADDITIVE, BLOCK_FEATURES } from './block-features.ts';
import { type Block, blocksOf } from './blocks.ts';
import { networkCosts } from './costs.ts';

const images: Task = { kind: 'classification', input: [3, 32, 32], outputs: 10 };
const table: Task = { kind: 'classification', input: [13], outputs: 3 };

const NAMES: readonly string[] = BLOCK_FEATURES;

const flops = ({ features }: Pick<Block, 'features'>) =>
  ['pointwise', 'convolution', 'depthwise', 'grouped', 'matrix']
    .flatMap((name) => [name, `${name}Odd`])
    .reduce((sum, name) => sum + (features[NAMES.indexOf(name)] ?? 0), 0);

for (const [name, task] of [
  ['mobilenet', images],
  ['residual-cnn', images],
  ['nas-bench-201', images],
  ['small-cnn', images],
  ['darts', images],
  ['residual-mlp', table],
] as const)
  test(`${name}: blocks follow one another, and together they do the work of the network`, () => {
    const space = SPACES[name].create(task);
    const known = new Map<string, Block>();
    for (let i = 0; i < 4; i++) {
      const network = resolve(space, sample(space, rng('blocks', i)));
      const blocks = blocksOf(network, task, known);
      assert.deepEqual(blocks[0]?.input, task.input);
      for (const [j, { input }] of blocks.entries()) if (j > 0) assert.deepEqual(input, blocks[j - 1]?.output);
      assert.deepEqual(blocks.at(-1)?.output, [task.outputs]);
      const { flops: all } = networkCosts(network, task);
      const sum = blocks.reduce((total, block) => total + flops(block), 0);
      // A linear layer's bias is counted once an output.
      assert.ok(Math.abs(sum - all) <= 0.02 * all + 2000, `${sum} and ${all}`);
    }
    assert.ok([...known.keys()].every((key) => !key.includes('"choice"')));
  });

test('a block is what lies between two places where one tensor alone goes on; the same block has the same key', () => {
  const bottleneck = (channels: number) =>
    s.sequential(s.conv(channels * 4, 1), s.batchNorm(), s.relu(), s.conv(channels, 1), s.batchNorm());
  const network = s.sequential(
    s.conv(8, 3),
    s.batchNorm(),
    s.relu(),
    s.repeat(2, s.sequential(s.residual(bottleneck(8)), s.relu())),
    bottleneck(16),
    s.dropout(0.5),
    s.globalAvgPool(),
    s.linear('outputs'),
  );
  const blocks = blocksOf(network, images);
  const kinds = blocks.map(({ part }) =>
    part.kind === 'sequential' ? part.children.map(({ kind }) => kind) : part.kind,
  );
  assert.deepEqual(kinds, [
    ['conv', 'batchNorm', 'activation'],
    ['residual', 'activation'],
    ['residual', 'activation'],
    ['conv', 'batchNorm', 'activation', 'conv', 'batchNorm'],
    ['globalPool', 'linear'],
  ]);
  assert.equal(blocks[1]?.key, blocks[2]?.key);
  assert.equal(new Set(blocks.map(({ key }) => key)).size, 4);
});

test('features tell apart what takes another time: channels that fill no block, fused activations, folded batch norm', () => {
  const featuresOf = (...modules: readonly Module[]) => {
    const [block] = blocksOf(s.sequential(...modules, s.conv(10, 1), s.globalAvgPool()), images);
    return Object.fromEntries(BLOCK_FEATURES.map((name, i) => [name, block?.features[i] ?? Number.NaN]));
  };
  const even = featuresOf(s.conv(16, 3), s.batchNorm(), s.relu());
  assert.equal(even.convolution, 3 * 9 * 16 * 1024);
  assert.equal(even.convolutionOdd, 0);
  assert.equal(even.padding, 0);
  assert.equal(even.operators, 1);
  assert.equal(even.cheap, 0);
  const odd = featuresOf(s.conv(18, 3));
  assert.equal(odd.convolution, 0);
  assert.ok((odd.convolutionOdd ?? 0) > 0);
  assert.equal(featuresOf(s.conv(20, 3)).padding, 12 * 1024);
  const silu = featuresOf(s.conv(16, 3), s.batchNorm(), s.activation('silu'));
  assert.equal(silu.costly, 16 * 1024);
  assert.ok(ADDITIVE.includes('read') && !ADDITIVE.includes('kernel'));
});

test('a network that reads tokens is refused, and what depends on the input of the whole network is not cut', () => {
  const tokens: Task = { kind: 'next-token', input: [8], outputs: 5, positions: [8], vocabulary: 5 };
  assert.throws(
    () => blocksOf(s.sequential(s.embedding('inputs', 4), s.linear('outputs')), tokens),
    /it reads tokens; only networks of images/,
  );
  const dense: Task = { kind: 'pixel-classes', input: [3, 8, 8], outputs: 2, positions: [8, 8] };
  const network = s.sequential(s.conv(4, 3, { stride: 2 }), s.conv(2, 1), s.resize('input'));
  assert.equal(blocksOf(network, dense).length, 1);
});
