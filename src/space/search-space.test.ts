import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { networkCosts } from '../network/costs.ts';
import { checkSearchSpace } from './conformance.node.ts';
import { isFixed, type SearchSpace } from './search-space.ts';
import type { Architecture } from './space.ts';
import { SPACES } from './spaces/index.ts';
import { searchSpaceConformance } from './testing/conformance.ts';
import { countingSpace } from './testing/counting.ts';
import { activate, growingSpace } from './testing/genome.ts';
import { architectureKey } from './tree/architecture.ts';
import { dropout, float, linear, pick, sequential } from './tree/builders.ts';
import { defineSpace } from './tree/define.ts';
import { encodeOneHot } from './tree/encode.ts';
import { searchSpaceOf } from './tree/tree-search-space.ts';
import { mutate } from './tree/vary.ts';

const images = { kind: 'classification', input: [3, 32, 32], outputs: 10 } as const;
const sequence = { kind: 'classification', input: [3, 12], outputs: 4 } as const;
const language = { kind: 'language-model', input: [12], outputs: 9, vocabulary: 9, positions: [12] } as const;
const texts = { kind: 'text', input: [12], outputs: 3, vocabulary: 9, padded: true } as const;
const table = { kind: 'classification', input: [4], outputs: 3 } as const;

for (const [space, task] of [
  [SPACES['nas-bench-201'].create(images), images],
  [SPACES['nas-bench-101'].create(images, { cells: 1, channels: 8 }), images],
  [SPACES['small-cnn'].create(images, { tune: true }), images],
  [SPACES['residual-cnn'].create(images, { tune: true }), images],
  [SPACES.mobilenet.create(images), images],
  [SPACES.inception.create(images), images],
  [SPACES.darts.create(images, { cells: 3, channels: 4 }), images],
  [SPACES.nasnet.create(images, { cells: 3, channels: 4 }), images],
  [SPACES['enas-macro'].create(images, { layers: 4, channels: 8 }), images],
  [SPACES.macro.create(images, { layers: 5, channels: 8, tune: true }), images],
  [SPACES.macro.create(sequence, { layers: 4, channels: 8 }), sequence],
  [SPACES.macro.create(table, { layers: 4 }), table],
  [SPACES['layer-genomes'].create(images, { start: 'random', startLayers: 6, kinds: 'all' }), images],
  [SPACES['layer-genomes'].create(sequence), sequence],
  [SPACES['layer-genomes'].create(table, { start: 'random' }), table],
  [SPACES.hierarchical.create(images, { motifs: 3, cellNodes: 4, channels: 8 }), images],
  [SPACES.mnasnet.create(images), images],
  [SPACES.vit.create(images, { width: 16, heads: 2, layers: 3, tune: true }), images],
  [SPACES.vit.create(images, { width: 16, heads: 2, layers: 3, search: true }), images],
  [SPACES.transformer.create(language, { width: 16, heads: 2, tune: true }), language],
  [SPACES.transformer.create(texts, { width: 16, heads: 2, search: true, layers: 3 }), texts],
  [SPACES.transformer.create(sequence, { width: 16, heads: 2 }), sequence],
  [SPACES.rnn.create(language, { embedding: 8, width: 8, layers: 2, tune: true }), language],
  [SPACES.rnn.create(texts, { embedding: 8, width: 8, layers: 2 }), texts],
  [SPACES['evolved-transformer'].create(language, { width: 16, heads: 2, tune: true }), language],
  [SPACES['text-cnn'].create(texts, { embedding: 8, filters: 8, tune: true }), texts],
  [SPACES.mlp.create(table), table],
  [SPACES['residual-mlp'].create(table), table],
  [defineSpace('continuous', () => sequential(dropout(float('rate', 0, 0.5)), linear('outputs'))).create(table), table],
  [defineSpace('fixed', () => linear('outputs')).create(table), table],
] as const)
  searchSpaceConformance(searchSpaceOf(space), { samples: 6, network: (network) => networkCosts(network, task) });

const xor = growingSpace('xor', 2, 1);
searchSpaceConformance(xor);
searchSpaceConformance(countingSpace(30));

test('one tree is one space by the contract, with its size, its networks and its training settings', () => {
  const tree = defineSpace('joint', () => ({
    network: sequential(linear(pick('units', [8, 12])), linear('outputs')),
    hyperparameters: { learningRate: pick('rate', [0.1, 0.2, 0.3]), optimizer: 'adamw' },
  })).create(table);
  const space = searchSpaceOf(tree);
  assert.equal(searchSpaceOf(tree), space);
  assert.equal(space.tree, tree);
  assert.equal(space.size?.(), 6n);
  const one = space.parse('units=12, rate=0.2');
  assert.deepEqual(space.hyperparameters?.(one), { learningRate: 0.2, optimizer: 'adamw' });
  assert.equal(isFixed(space), false);
  assert.equal(isFixed(searchSpaceOf(defineSpace('fixed', () => linear('outputs')).create(table))), true);
  assert.equal(isFixed(xor), false);
});

test('a value that no decision can have is refused where it is read', () => {
  const tree = SPACES['nas-bench-201'].create(images);
  const damaged = { ...searchSpaceOf(tree).sample(rng('damaged')), '0->1': { op: 'none' } };
  for (const read of [() => mutate(tree, damaged, rng('one')), () => encodeOneHot(tree, damaged)])
    assert.throws(read, { name: 'UserError', message: /architecture: decision "0->1" is \{"op":"none"\}; must be/ });
});

test('keys do not depend on the order of keys at any depth, and tell lists from objects', () => {
  assert.equal(
    architectureKey({ a: { x: 1, y: [{ p: 1, q: 2 }] } }),
    architectureKey({ a: { y: [{ q: 2, p: 1 }], x: 1 } }),
  );
  assert.notEqual(architectureKey({ a: { x: 1 } }), architectureKey({ a: [['x', 1]] }));
});

test('checkSearchSpace names the first rule that is broken', async () => {
  const broken = (change: Partial<SearchSpace>): SearchSpace => ({ ...xor, ...change });
  await checkSearchSpace(xor);
  const same = (architecture: Architecture) => architecture;
  await assert.rejects(
    checkSearchSpace(broken({ mutate: same })),
    /space "xor" breaks the rule "a mutation is another/,
  );
  await assert.rejects(
    checkSearchSpace(broken({ check: (found) => found as Architecture })),
    /"what is no member is refused/,
  );
  let draws = 0;
  await assert.rejects(
    checkSearchSpace(broken({ sample: () => xor.sample(rng('draw', draws++)) })),
    /"the same stream draws/,
  );
  const thawed = () => ({ ...xor.sample(rng('one')) });
  await assert.rejects(
    checkSearchSpace(broken({ sample: thawed, crossover: same })),
    /samples are not all alike|and frozen/,
  );
  await assert.rejects(checkSearchSpace(broken({ format: () => '' })), /"the text of a member/);
});

test('a genome grows without end, and the same innovation has the same number in two lineages', () => {
  const stream = rng('growth');
  let genome = xor.sample(stream);
  for (let i = 0; i < 300; i++) genome = xor.mutate(genome, stream);
  assert.ok(genome.hidden.length > 15, `${genome.hidden.length} hidden nodes`);
  const first = Array.from({ length: 60 }, (_, i) => xor.sample(rng('lineage', i))).flatMap(({ hidden }) => hidden);
  const numbers = Map.groupBy(first, ({ id }) => id);
  assert.ok([...numbers.values()].some((nodes) => nodes.length > 3));
  for (const nodes of numbers.values()) assert.equal(new Set(nodes.map((node) => node.place)).size, 1);
});

test('a genome computes what its nodes say', () => {
  const either = { from: 0, to: 3, weight: 2 };
  const network = xor.check({
    hidden: [],
    connections: [either, { from: 1, to: 3, weight: 2 }, { from: 2, to: 3, weight: -1 }],
  });
  const answers = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ].map((inputs) => Math.round(activate(network, inputs)[0] ?? Number.NaN));
  assert.deepEqual(answers, [0, 1, 1, 1]);
});
