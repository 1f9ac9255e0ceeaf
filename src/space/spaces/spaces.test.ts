import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { rng } from '../../common/random.ts';
import { sharedData } from '../../common/testing/shared-data.ts';
import { networkCosts } from '../../network/costs.ts';
import type { Architecture, Space, Task } from '../space.ts';
import { formatArchitecture, parseArchitecture } from '../tree/architecture.ts';
import { linear, pick } from '../tree/builders.ts';
import { count } from '../tree/count.ts';
import { defineSpace } from '../tree/define.ts';
import { encodeAdjacency, encodePath } from '../tree/encode.ts';
import { first, successor } from '../tree/enumerate.ts';
import type { Module } from '../tree/module.ts';
import { resolve, resolveHyperparameters } from '../tree/resolve.ts';
import { sample } from '../tree/vary.ts';
import { BASELINES, SPACES } from './index.ts';

const task = (...input: readonly number[]): Task => ({ kind: 'classification', input, outputs: 10 });
const nasBench201 = SPACES['nas-bench-201'];
const cifar = nasBench201.create(task(3, 32, 32));
const refuses = (body: () => unknown, message: string) =>
  assert.throws(body, (error: Error) => {
    assert.equal(error.name, 'UserError');
    assert.equal(error.message, message);
    return true;
  });

const benchmark = sharedData('nas-bench-201.csv.gz');

/** All architectures of the benchmark, in its own notation. */
function benchmarkTexts(): readonly string[] {
  const [, ...rows] = gunzipSync(readFileSync(benchmark.url)).toString('utf8').trim().split('\n');
  return rows.map((row) => row.slice(0, row.indexOf(',')));
}

test('NAS-Bench-201: the texts of the benchmark are exactly the members of the space', { skip: benchmark.skip }, () => {
  const texts = benchmarkTexts();
  assert.equal(texts.length, 15_625);
  assert.equal(count(cifar), 15_625n);
  for (const text of texts) assert.equal(formatArchitecture(cifar, parseArchitecture(cifar, text)), text);
  const enumerated = new Set<string>();
  for (let one: Architecture | undefined = first(cifar); one; one = successor(cifar, one)) {
    enumerated.add(formatArchitecture(cifar, one));
  }
  assert.deepEqual([...enumerated].toSorted(), texts.toSorted());
});

test('NAS-Bench-201: a malformed text is refused with its place', () => {
  const form = '|op~0|+|op~0|op~1|+|op~0|op~1|op~2|';
  const parse = (text: string) => () => parseArchitecture(cifar, text);
  refuses(parse('|none~0|'), `architecture "|none~0|": has 1 group; must be ${form}`);
  const second = (group: string) => `|none~0|+${group}|+|none~0|none~1|none~2|`;
  refuses(
    parse(second('|none~0')),
    `architecture "${second('|none~0')}": group 2 is "|none~0|"; must hold 2 operations between bars: ${form}`,
  );
  refuses(
    parse(second('|none~0|pool~1')),
    `architecture "${second('|none~0|pool~1')}": operation 2 of group 2 is "pool"; ` +
      'must be one of none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3',
  );
  refuses(
    parse(second('|none~0|none~0')),
    `architecture "${second('|none~0|none~0')}": operation 2 of group 2 is "none~0"; must be OPERATION~1`,
  );
});

test('NAS-Bench-201: options change the skeleton, not the decisions', () => {
  const text = '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|';
  const small = nasBench201.create(task(3, 32, 32), { cells: 1, channels: 4 });
  const root = JSON.stringify(resolve(small, parseArchitecture(small, text)));
  assert.equal(root.match(/"times":1,/gu)?.length, 3);
  assert.ok(root.includes('"channels":4,') && root.includes('"channels":8,') && root.includes('"channels":16,'));
  refuses(
    () => nasBench201.create(task(3, 32, 32), { cells: 0 }),
    'space "nas-bench-201": option cells is 0; must be at least 1',
  );
  refuses(
    () => nasBench201.create(task(13)),
    'space "nas-bench-201": input is [13]; needs images, [channels, height, width]',
  );
  refuses(
    () => nasBench201.create(task(3, 30, 32)),
    'space "nas-bench-201": images are 30x32; both sides must be multiples of 4 to be halved twice',
  );
});

test('NAS-Bench-201: 155 path bits and 30 adjacency bits', () => {
  const text = '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|nor_conv_3x3~1|avg_pool_3x3~2|';
  const architecture = parseArchitecture(cifar, text);
  const [none, skip, conv, pool] = [0, 1, 3, 4];
  const path = encodePath(cifar, architecture);
  assert.equal(path.length, 155);
  assert.deepEqual(
    path.flatMap((bit, i) => (bit ? [i] : [])),
    // 0->3; 0->1->3, 0->2->3 by order of their bits; 0->1->2->3.
    [skip, 5 + none * 5 + pool, 5 + conv * 5 + conv, 30 + conv * 25 + skip * 5 + pool],
  );
  const adjacency = encodeAdjacency(cifar, architecture);
  assert.deepEqual(
    adjacency.flatMap((bit, i) => (bit ? [i % 5] : [])),
    [conv, none, skip, skip, conv, pool],
  );
  assert.equal(adjacency.length, 30);
});

/** A table of as many features, all of them numbers. */
const numbers = (features: number): Task => ({
  ...task(features),
  quantiles: Array.from({ length: features }, () => [-2, -1, 0, 1, 2]),
});

test('numbers of a table are encoded, by hand-designed networks where they are not too many', () => {
  const space = SPACES['residual-mlp'];
  const bins = (about: Task) => new Set(Object.values(space.handDesigned?.(about) ?? {}).map((one) => one.bins));
  assert.deepEqual(bins(numbers(13)), new Set([64]));
  assert.deepEqual(bins(numbers(50)), new Set([32]));
  assert.deepEqual(bins(numbers(100)), new Set([16]));
  assert.deepEqual(bins(numbers(200)), new Set([0]));
  assert.deepEqual(bins(task(13)), new Set([undefined]));
  assert.equal(space.handDesigned?.(numbers(13)).mlp?.dropout, 0.4);
  assert.equal(space.handDesigned?.({ ...numbers(13), kind: 'regression' }).mlp?.dropout, 0.2);
  const linear = (about: Task) =>
    networkCosts(resolve(space.create(about), space.handDesigned?.(about).linear ?? {}), about).params;
  assert.equal(linear(numbers(13)), (13 + 13 * 4 + 1) * task(13).outputs);
});

test('the sizes that the docstrings name', () => {
  assert.equal(count(SPACES.mlp.create(task(13))), 28_080n);
  assert.equal(count(SPACES['small-cnn'].create(task(1, 8, 8))), 72_000n);
  assert.equal(count(SPACES['residual-cnn'].create(task(3, 32, 32))), 5832n);
  assert.equal(count(SPACES['residual-cnn'].create(task(1, 8, 8))), 2916n);
  assert.equal(count(SPACES['residual-mlp'].create(task(13))), 10_129n);
  assert.equal(count(SPACES['residual-mlp'].create(numbers(13))), 50_645n);
  assert.equal(count(SPACES.resnet.create(task(3, 32, 32))), 1n);
});

test('hand-designed networks are members, can be built, and are what they are called', () => {
  const costs = (about: Task, space: Space, architecture: Architecture) => {
    const { params, flops } = networkCosts(resolve(space, architecture), about);
    return { params, flops };
  };
  const cnn = SPACES['residual-cnn'];
  const sizes = [task(1, 8, 8), task(3, 12, 40), task(1, 28, 28), task(3, 32, 32), task(3, 64, 64), task(3, 224, 224)];
  for (const about of sizes) {
    const members = Object.entries(cnn.handDesigned?.(about) ?? {});
    assert.deepEqual(
      members.map(([name]) => name).filter((name) => name in BASELINES),
      ['resnet-8', 'resnet-14', 'resnet-20'],
    );
    for (const [name, architecture] of members) {
      const space = cnn.create(about);
      assert.deepEqual(parseArchitecture(space, formatArchitecture(space, architecture)), architecture);
      const found = costs(about, space, architecture);
      if (!(name in BASELINES)) continue;
      const baseline = BASELINES[name as keyof typeof BASELINES](about);
      assert.deepEqual(found, costs(about, baseline.space, baseline.architecture), `${name} on ${about.input}`);
    }
  }

  const table = SPACES['residual-mlp'];
  for (const about of [task(13), { ...task(13), kind: 'regression', outputs: 2 }, task(1, 8, 8)]) {
    const members = table.handDesigned?.(about) ?? {};
    const space = table.create(about);
    const found = Object.fromEntries(Object.entries(members).map(([name, one]) => [name, costs(about, space, one)]));
    const features = about.input.reduce((product, size) => product * size, 1);
    assert.equal(found.linear?.params, (features + 1) * about.outputs);
    const mlp = BASELINES.mlp(about);
    assert.deepEqual(found.mlp, costs(about, mlp.space, mlp.architecture));
    assert.ok(found['resnet-mlp']);
  }
});

test('hand-designed networks bring their training where the training is searched', () => {
  for (const [space, about] of [
    [SPACES['residual-cnn'], task(3, 32, 32)],
    [SPACES['residual-mlp'], task(13)],
    [SPACES['residual-mlp'], { ...task(13), kind: 'regression' }],
  ] as const) {
    const tuned = space.create(about, { tune: true });
    for (const architecture of Object.values(space.handDesigned?.(about, { tune: true }) ?? {}))
      assert.ok(Object.keys(resolveHyperparameters(tuned, architecture)).includes('learningRate'));
  }
  assert.equal(SPACES.darts.handDesigned, undefined);
});

test('what is hand-designed must be a member', () => {
  const space = defineSpace('mine', () => linear(pick('units', [2, 3])), {
    handDesigned: () => ({ four: { units: 4 } }),
  });
  refuses(
    () => space.handDesigned?.(task(13)),
    'space "mine", hand-designed "four": architecture of space "mine": decision "units" is 4; must be one of 2, 3',
  );
});

test('the members of residual-cnn shrink small images less, and only images of 24x24 and more can start with a stride', () => {
  const decisionsAt = (...input: readonly number[]) =>
    Object.keys(sample(SPACES['residual-cnn'].create(task(...input)), rng('stem'))).includes('stemStride');
  assert.deepEqual(
    [decisionsAt(1, 8, 8), decisionsAt(1, 16, 64), decisionsAt(1, 24, 24), decisionsAt(3, 64, 64)],
    [false, false, true, true],
  );
});

/** All strides of the tree multiplied: by how much a side shrinks in a chain. */
function strideProduct(module: unknown): number {
  const strides = [...JSON.stringify(module).matchAll(/"stride":(\d+)/gu)].map(([, stride]) => Number(stride));
  return strides.reduce((product, stride) => product * stride, 1);
}

test('tune: the training is searched beside the architecture, as far as the task has a use for it', () => {
  const settings = (space: Space) => {
    const architecture = sample(space, rng('tune'));
    const found = resolveHyperparameters(space, architecture);
    assert.ok(Object.entries(found).every(([name, value]) => architecture[name] === value));
    return Object.keys(found);
  };
  const always = ['optimizer', 'learningRate', 'schedule', 'weightDecay', 'batchSize'];
  const ofClasses = [...always, 'labelSmoothing'];
  assert.deepEqual(settings(SPACES['small-cnn'].create(task(1, 8, 8), { tune: true })), [
    ...ofClasses,
    'cropPadding',
    'flip',
  ]);
  assert.deepEqual(settings(SPACES.mlp.create(task(13), { tune: true })), ofClasses);
  assert.deepEqual(settings(SPACES.mlp.create({ ...task(13), kind: 'regression' }, { tune: true })), always);
  assert.deepEqual(settings(SPACES.mlp.create(task(13))), []);
});

test('small-cnn halves small images less often and large ones more', () => {
  for (const [side, halved] of [
    [4, 1],
    [8, 2],
    [16, 4],
    [28, 4],
    [32, 4],
  ] as const) {
    const space = SPACES['small-cnn'].create(task(1, side, side));
    assert.equal(strideProduct(resolve(space, sample(space, rng(side)))), halved, `${side}`);
  }
  // One repeat of strided convolutions, 3 times, comes before the stages.
  const large = SPACES['small-cnn'].create(task(3, 224, 224));
  const root = resolve(large, sample(large, rng(1)));
  assert.ok(root.kind === 'sequential' && root.children[0]?.kind === 'repeat' && root.children[0].times === 3);
});

test('resnet has 6n + 2 layers', () => {
  for (const depth of [8, 14, 20]) {
    const { root } = SPACES.resnet.create(task(3, 32, 32), { depth });
    assert.equal(countLayers(root), depth);
  }
  refuses(
    () => SPACES.resnet.create(task(3, 32, 32), { depth: 18 }),
    'space "resnet": option depth is 18; must be 6n + 2: 8, 14, 20, 32, 44, 56',
  );
});

/** 3x3 convolutions and linear layers: what the paper counts. */
function countLayers(module: Module): number {
  switch (module.kind) {
    case 'conv':
      return module.kernel === 3 ? 1 : 0;
    case 'linear':
      return 1;
    case 'repeat':
      return Number(module.times) * countLayers(module.body);
    case 'sequential':
      return module.children.reduce((sum, child) => sum + countLayers(child), 0);
    case 'residual':
      return countLayers(module.body) + countLayers(module.shortcut);
    default:
      return 0;
  }
}

test('the baselines are members of their spaces, for images, tables and texts', () => {
  const { 'mean-of-embeddings': mean, lstm, 'nano-gpt': nanoGpt, ...others } = BASELINES;
  const ofImages = Object.values(others).map((create) => create(task(1, 8, 8)));
  const text = { kind: 'text', input: [12], outputs: 3, vocabulary: 20, padded: true } as const;
  const language = { kind: 'language-model', input: [12], outputs: 20, vocabulary: 20, positions: [12] } as const;
  for (const baseline of [...ofImages, BASELINES.mlp(task(13)), mean(text), lstm(language), nanoGpt(language)]) {
    const { space, architecture } = baseline;
    assert.deepEqual(parseArchitecture(space, formatArchitecture(space, architecture)), architecture);
  }
  refuses(
    () => BASELINES['resnet-8'](task(13)),
    'space "resnet": input is [13]; needs images, [channels, height, width]',
  );
});
