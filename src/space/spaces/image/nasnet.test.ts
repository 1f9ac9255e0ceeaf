import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../../common/random.ts';
import { createGraph } from '../../../graph/builder.ts';
import * as ops from '../../../graph/ops.ts';
import { networkCosts } from '../../../network/costs.ts';
import { type LowerOptions, lowerNetwork } from '../../../network/lower.ts';
import type { Task } from '../../space.ts';
import { architectureKey, formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { count } from '../../tree/count.ts';
import { decisions } from '../../tree/decisions.ts';
import { derive } from '../../tree/derive.ts';
import { encodeAdjacency, encodeOneHot, encodePath } from '../../tree/encode.ts';
import { spaceFromJson, spaceToJson } from '../../tree/json.ts';
import type { Module } from '../../tree/module.ts';
import { resolve, supernet } from '../../tree/resolve.ts';
import { crossover, mutate, sample } from '../../tree/vary.ts';
import { enasMacro, nasnet } from '../index.ts';

const task: Task = { kind: 'classification', input: [3, 32, 32], outputs: 10 };
const space = nasnet.create(task, { cells: 3, channels: 4 });
const refuses = (text: string, message: RegExp) =>
  assert.throws(() => parseArchitecture(space, text), { name: 'UserError', message });

test('nasnet: two unconditional decisions for each of the two things that a node adds', () => {
  assert.equal(count(space), (2n * (720n * 8n ** 5n) ** 2n) ** 2n);
  assert.equal(decisions(space).length, 2 * (5 * 4 + 1));
  assert.ok(decisions(space).every(({ when }) => when.length === 1 && when[0]?.length === 0));
});

test('nasnet: members that differ have different texts, and encodings of one length', () => {
  const [a, b] = [sample(space, rng(1)), sample(space, rng(2))];
  const members = [a, b, crossover(space, a, b, rng(4)), ...[3, 5, 6, 7, 8].map((seed) => mutate(space, a, rng(seed)))];
  const texts = new Map<string, string>();
  for (const one of members) {
    const text = formatArchitecture(space, one);
    assert.deepEqual(parseArchitecture(space, text), one);
    texts.set(text, architectureKey(one));
    assert.equal(encodeOneHot(space, one).length, 2 * (2 * (2 + 3 + 4 + 5 + 6) + 10 * 8 + 2));
    assert.equal(encodeAdjacency(space, one).length, 2 * 2 * (2 + 3 + 4 + 5 + 6) * 8);
    assert.equal(encodePath(space, one, { longest: 2 }).length, 2 * 2 * (8 + 64));
  }
  assert.equal(new Set(texts.values()).size, texts.size);
  // Which nodes are loose is seen in the paths: node 2 of PNASNet-5 is put out either way, node 4 only where all are.
  const pnas = parseArchitecture(space, 'PNASNet-5');
  const bits = (output: string) =>
    encodePath(space, { ...pnas, 'normal/output': output }, { longest: 1 }).reduce((sum, bit) => sum + bit, 0);
  assert.ok(bits('loose') < bits('concat'));
});

test('nasnet: a node may read one node twice, each time through another operation', () => {
  const text = formatArchitecture(space, parseArchitecture(space, 'NASNet-A'));
  assert.match(text, /\('avg_pool_3x3', 0\), \('avg_pool_3x3', 0\)/u);
  const twice = text.replace("('avg_pool_3x3', 0), ('avg_pool_3x3', 0)", "('sep_conv_3x3', 0), ('sep_conv_5x5', 0)");
  const { layers, params } = networkCosts(resolve(space, parseArchitecture(space, twice)), task);
  const own = layers.filter(({ path }) => /^2\/0\/0->5(\.2)?\//u.test(path)).map(({ path }) => path.split('/')[2]);
  assert.deepEqual([...new Set(own)], ['0->5', '0->5.2']);
  const plain = networkCosts(resolve(space, parseArchitecture(space, text)), task).params;
  // A single normal cell has two separable convolutions more, of 4 channels.
  assert.equal(params - plain, 2 * (9 * 4 + 16 + 8) + 2 * (25 * 4 + 16 + 8));
});

test('nasnet: malformed genotypes are refused with place, value and rule', () => {
  const pairs = Array(10).fill("('skip_connect', 0)").join(', ');
  const cells = `normal=[${pairs}], normal_concat=range(2, 7), reduce=[${pairs}]`;
  const concat = (list: string) => `${cells}, reduce_concat=${list}`;
  refuses(
    concat('[2, 3]'),
    /reduce_concat is \[2, 3\]; must be all nodes, range\(2, 7\), or those .* \[2, 3, 4, 5, 6\]/u,
  );
  refuses(concat('[2, 9]'), /reduce_concat is \[2, 9\]; must be nodes, rising, such as range\(2, 7\)/u);
  refuses(concat('range(0, 3)'), /reduce_concat is range\(0, 3\)/u);
  refuses(
    cells.replace("('skip_connect', 0)", "('skip_connect', 2)"),
    /node 2 of normal reads 2; must be a node below 2/u,
  );
  refuses(cells.replace('skip_connect', 'teleport'), /"normal\/2a" is "teleport"; must be one of max_pool_3x3, /u);
  refuses('NASNet-B', /has no normal=\[...\]; must be .*, or one of NASNet-A, AmoebaNet-A, ENAS, PNASNet-5/u);
});

function lowered(network: Module, choices?: LowerOptions['choices']) {
  const g = createGraph();
  const x = ops.input(g, 'x', [2, 3, 32, 32]);
  return { g, ...lowerNetwork(g, network, x, { outputs: 10, mode: 'train', ...(choices && { choices }) }) };
}

test('nasnet as supernets: weights of every member that puts out all nodes are there, under the same names', () => {
  const whole = lowered(supernet(space), 'switch');
  const all = new Map(whole.parameters.map(({ path, shape }) => [path, String(shape)]));
  const member = { ...sample(space, rng(1)), 'normal/output': 'concat', 'reduce/output': 'concat' };
  for (const { path, shape } of lowered(resolve(space, member)).parameters)
    assert.equal(all.get(path), String(shape), path);
  const wiring = whole.switches.find(({ decision }) => decision === 'normal/6b<-');
  assert.deepEqual(wiring?.options, ['0', '1', '2', '3', '4', '5']);

  const { architecture } = lowered(supernet(space), 'mixture');
  const rows = architecture.flatMap((one) => one.decisions);
  assert.equal(rows.length, 2 * 20);
  assert.deepEqual(rows.find(({ name }) => name === 'reduce/3a<-')?.options, ['0', '1', '2']);
});

test('nasnet: what is derived from weights picks the strongest input and the strongest operation, and puts out all nodes', () => {
  const rows = decisions(space).flatMap(({ name, domain }) => {
    if (name.endsWith('output')) return [];
    const length = domain.kind === 'inputs' ? domain.from : 8;
    return [[name, Array.from({ length }, (_, i) => (i === 1 ? 0.9 : 0.1 / (length - 1)))] as const];
  });
  const found = derive(space, Object.fromEntries(rows));
  const pairs = Array(10).fill("('avg_pool_3x3', 1)").join(', ');
  assert.equal(
    formatArchitecture(space, found),
    `Genotype(normal=[${pairs}], normal_concat=range(2, 7), reduce=[${pairs}], reduce_concat=range(2, 7))`,
  );
  const wrong = { ...Object.fromEntries(rows), 'normal/3a<-': [0.5, 0.5] };
  assert.throws(() => derive(space, wrong), /"normal\/3a<-" has 2 weights; needs one for each of 3 nodes/u);
});

test('a space with nodes that read twice is the same after JSON', () => {
  const { text: _, ...plain } = space;
  assert.deepEqual(spaceFromJson(spaceToJson(space)), plain);
});

test('enas-macro: 6^12 · 2^66 members, written as in the published scripts', () => {
  const macro = enasMacro.create(task);
  assert.equal(count(macro), 6n ** 12n * 2n ** 66n);
  for (const seed of [1, 2, 3]) {
    const one = sample(macro, rng(seed));
    const text = formatArchitecture(macro, one);
    assert.match(text, /^[0-5](?: [0-5]){77}$/u);
    assert.deepEqual(parseArchitecture(macro, text), one);
  }
  const refusesText = (text: string, message: RegExp) =>
    assert.throws(() => parseArchitecture(macro, text), { name: 'UserError', message });
  refusesText('0 3', /has 2 numbers; must have 1 for the first layer, 2 for the second/u);
  refusesText('0 6 0', /the operation of layer 2 is "6"; must be 0 to 5: conv_3x3, /u);
  refusesText('0 3 2', /the skip from layer 0 to layer 2 is "2"; must be 0 or 1/u);
});

test('enas-macro: the published network of 24 layers; all outputs are halved twice, and skips add nothing to its weights but normalization', () => {
  const macro = enasMacro.create(task, { layers: 24, channels: 96 });
  const architecture = parseArchitecture(macro, 'ENAS_macro');
  assert.equal(formatArchitecture(macro, architecture), enasMacro.published?.architectures.ENAS_macro?.text);
  const small = enasMacro.create(task, { layers: 6, channels: 4 });
  const text = formatArchitecture(small, sample(small, rng(1)));
  const params = (of: string) => networkCosts(resolve(small, parseArchitecture(small, of)), task).params;
  const layers = (skip: number) =>
    [1, 2, 3, 4, 5, 6].map((layer) => [text.split(' ')[(layer * (layer - 1)) / 2], ...Array(layer - 1).fill(skip)]);
  assert.equal(params(layers(0).flat().join(' ')), params(layers(1).flat().join(' ')));
  const { layers: built } = networkCosts(resolve(small, parseArchitecture(small, text)), task);
  assert.deepEqual(built.findLast(({ kind }) => kind === 'dag')?.output, [16, 8, 8]);
});
