import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../../common/random.ts';
import { createGraph } from '../../../graph/builder.ts';
import { sizeOf } from '../../../graph/ir.ts';
import { lowerForInference, networkCosts } from '../../../network/costs.ts';
import type { SpaceOptions, Task } from '../../space.ts';
import { formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { count } from '../../tree/count.ts';
import type { Module } from '../../tree/module.ts';
import { resolve } from '../../tree/resolve.ts';
import { sample } from '../../tree/vary.ts';
import { toMultiple } from '../../tree/widths.ts';
import { mobilenet } from '../index.ts';

const IMAGENET: Task = { kind: 'classification', input: [3, 224, 224], outputs: 1000 };
const images = (side: number): Task => ({ kind: 'classification', input: [3, side, side], outputs: 10 });
const optionsOf = (name: string): SpaceOptions => mobilenet.published?.architectures[name]?.options ?? {};

function networkOf(name: string, task = IMAGENET): Module {
  const space = mobilenet.create(task, optionsOf(name));
  return resolve(space, parseArchitecture(space, name));
}

/** Multiply-accumulates as the papers count them: without biases, each of which Netsmith counts once an output. */
function macsOf(network: Module): number {
  const { parameters } = lowerForInference(createGraph(), network, IMAGENET);
  const weights = new Set(parameters.filter(({ shape }) => shape.length > 1).map(({ path }) => path));
  const biases = parameters.filter(
    ({ path }) => path.endsWith('/bias') && weights.has(path.replace(/bias$/u, 'weight')),
  );
  const outputs = biases.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return networkCosts(network, IMAGENET).flops - outputs;
}

test('published networks have exactly the parameters of the published code', () => {
  const expected = {
    MobileNetV2: 3_504_872,
    'MobileNetV3-Large': 5_483_032,
    'MnasNet-0.75': 3_170_208,
    'MnasNet-1.0': 4_383_312,
    'MnasNet-1.3': 6_282_256,
    'ProxylessNAS-Mobile': 4_080_512,
    'Once-for-All-largest': 7_664_760,
    'Once-for-All-smallest': 3_410_792,
    'EfficientNet-B0': 5_288_548,
    'EfficientNet-B1': 7_794_184,
    'EfficientNet-B2': 9_109_994,
    'EfficientNet-B3': 12_233_232,
    'EfficientNet-B4': 19_341_616,
    'EfficientNet-B5': 30_389_784,
    'EfficientNet-B6': 43_040_704,
    'EfficientNet-B7': 66_347_960,
  };
  assert.deepEqual(Object.keys(mobilenet.published?.architectures ?? {}), Object.keys(expected));
  for (const [name, params] of Object.entries(expected))
    assert.equal(networkCosts(networkOf(name), IMAGENET).params, params, name);
});

test('and exactly their multiply-accumulates at 224x224', () => {
  assert.equal(macsOf(networkOf('MobileNetV2')), 300_774_272);
  assert.equal((macsOf(networkOf('Once-for-All-largest')) / 1e6).toFixed(2), '566.17');
  assert.equal((macsOf(networkOf('Once-for-All-smallest')) / 1e6).toFixed(2), '121.28');
});

test('activations, squeeze-and-excite and shortcuts of published networks are where they belong', () => {
  const found = (name: string) => {
    const seen = new Map<string, number>();
    const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      const { kind, fn, gate } = value as Readonly<Record<string, unknown>>;
      if (kind === 'activation') note(String(fn));
      if (kind === 'squeezeExcite') note(`${fn} and ${gate}`);
      if (kind === 'residual') note('shortcut');
      for (const child of Object.values(value)) visit(child);
    };
    visit(networkOf(name));
    return Object.fromEntries([...seen].toSorted());
  };
  assert.deepEqual(found('MobileNetV2'), { relu6: 35, shortcut: 10 });
  // Stem, 9 blocks of two activations, the convolution and the layer at the end; 1 of one activation and 5 of two with ReLU.
  assert.deepEqual(found('MobileNetV3-Large'), {
    hardSwish: 1 + 9 * 2 + 2,
    relu: 1 + 5 * 2,
    'relu and hardSigmoid': 8,
    shortcut: 10,
  });
  assert.deepEqual(found('EfficientNet-B0'), { shortcut: 9, silu: 1 + 1 + 15 * 2 + 1, 'silu and sigmoid': 16 });
});

test('multiples of 8 lose at most a tenth', () => {
  assert.deepEqual(
    [3, 12, 18, 30, 37.5, 60, 84, 120.4].map((channels) => toMultiple(channels, 8)),
    [8, 16, 24, 32, 40, 64, 88, 120],
  );
  assert.deepEqual([toMultiple(0.2, 1), toMultiple(2.5, 1), toMultiple(80 * 2.3, 1)], [1, 3, 184]);
});

test('the notation is read as it is written, at all options, by random members', () => {
  for (const [i, options] of [
    {},
    { width: 1, depth: 1 },
    { width: 0.1, depth: 0.3 },
    { width: 2, depth: 3.1 },
  ].entries()) {
    const space = mobilenet.create(images(32), options);
    for (let round = 0; round < 20; round++) {
      const member = sample(space, rng('mobilenet', i, round));
      assert.deepEqual(parseArchitecture(space, formatArchitecture(space, member)), member);
    }
  }
});

test('a malformed text is refused with its place', () => {
  const space = mobilenet.create(images(32), { width: 1, depth: 1 });
  const text = formatArchitecture(space, parseArchitecture(space, 'MobileNetV2'));
  const refused = (changed: string, message: RegExp) =>
    assert.throws(() => parseArchitecture(space, changed), { name: 'UserError', message }, changed);
  refused('1 wide relu6', /has 1 group between bars; must have 9/);
  refused(text.replace('1 wide', 'wide'), /group 1 is "wide relu6"; must be RESOLUTION STEM ACTIVATION/);
  refused(text.replace('1 wide', 'all wide'), /the resolution is "all"; must be a number/);
  refused(text.replace('1 wide', '0.9 wide'), /decision "resolution" is 0.9; must be one of 0.5, 0.625/);
  refused(text.replace('24 relu6', '25 relu6'), /the width in group 3 is 25; must be 24 or 32/);
  refused(text.replace('k3e6 k3e6', 'k3e6 k3'), /block 2 of group 3 is "k3"; must be as k3e6/);
  refused(text.replace('k3e6', 'k4e6'), /decision "stage2\/kernel1" is 4; must be one of 3, 5, 7/);
  refused(text.replace('| 16', '| - | 16'), /has 10 groups/);
  refused(text.replace('24 relu6 none k3e6 k3e6', '-'), /group 3 has 0 blocks; must have 1 or 2 or 3 or 4/);
  refused(text.replace('convolution 1280', 'convolution'), /group 9 is "convolution"; must be HEAD WIDTH/);
  refused('EfficientNet-B7', /options are width=1, depth=1; must be --space-options width=2,depth=3.1/);
});

test('small images are halved less often, and the members for them are small', () => {
  for (const [side, left] of [
    [8, 4],
    [28, 4],
    [32, 4],
    [96, 6],
    [224, 7],
  ] as const) {
    const task = images(side);
    const space = mobilenet.create(task);
    const [first, ...others] = Object.values(mobilenet.handDesigned?.(task) ?? {}).map((member) =>
      networkCosts(resolve(space, member), task),
    );
    assert.equal(others.length, 2);
    const before = first?.layers.findLast(({ output }) => output.length === 3);
    assert.ok(before?.output[1] === left, `${side}: ${before?.output}`);
    assert.ok(first && first.params < 250_000 && first.flops < 25e6, `${side}: ${first?.params}, ${first?.flops}`);
  }
  assert.throws(() => mobilenet.create({ ...images(8), input: [13] }), /needs images/);
});

test('the sizes that the docstring and docs/spaces.md name', () => {
  const digits = (options: SpaceOptions) => Number(count(mobilenet.create(images(32), options))).toPrecision(2);
  assert.deepEqual([digits({}), digits({ width: 1, depth: 1 })], ['7.4e+24', '1.5e+37']);
});
