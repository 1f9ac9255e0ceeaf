import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../../common/random.ts';
import { networkCosts } from '../../../network/costs.ts';
import type { Task } from '../../space.ts';
import { formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { count } from '../../tree/count.ts';
import { resolve } from '../../tree/resolve.ts';
import { sample } from '../../tree/vary.ts';
import { inception } from '../index.ts';

const IMAGENET: Task = { kind: 'classification', input: [3, 224, 224], outputs: 1000 };
const images = (side: number): Task => ({ kind: 'classification', input: [3, side, side], outputs: 10 });

test('GoogLeNet has exactly the parameters of the published networks', () => {
  const space = inception.create(IMAGENET, { width: 1 });
  const costs = (name: string) => networkCosts(resolve(space, parseArchitecture(space, name)), IMAGENET);
  assert.equal(costs('GoogLeNet-torchvision').params, 6_624_904);
  assert.equal((costs('GoogLeNet-torchvision').flops / 1e9).toFixed(3), '1.498');
  // The network of the paper has a bias in place of each batch norm's weight and bias: 6,998,552 parameters in Caffe's model zoo.
  const { params, layers } = costs('GoogLeNet');
  const normalized = layers.filter(({ kind }) => kind === 'batchNorm');
  assert.equal(params - normalized.reduce((sum, layer) => sum + layer.params / 2, 0), 6_998_552);
});

test('the notation is read as it is written, at all widths, by random members', () => {
  for (const [i, width] of [0.05, 0.25, 1, 1.3].entries()) {
    const space = inception.create(images(32), { width });
    for (let round = 0; round < 20; round++) {
      const member = sample(space, rng('inception', i, round));
      assert.deepEqual(parseArchitecture(space, formatArchitecture(space, member)), member);
    }
  }
});

test('a malformed text is refused with its place', () => {
  const space = inception.create(images(32), { width: 1 });
  const text = formatArchitecture(space, parseArchitecture(space, 'GoogLeNet'));
  const refused = (changed: string, message: RegExp) =>
    assert.throws(() => parseArchitecture(space, changed), { name: 'UserError', message }, changed);
  refused('relu', /has 0 stages; must have 3: ACTIVATION \|/);
  refused(
    text.replace('5x5:16-32', '5x5:16'),
    /module 1 of stage 1 is "64 96-128 5x5:16 max:32"; must be as 64 96-128/,
  );
  refused(text.replace('96-128', '96-120'), /three of module 1 of stage 1 is 120; must be 64 or 128 or 192/);
  refused(text.replace('5x5', '9x9'), /decision "stage1\/kernel1" is "9x9"; must be one of 3x3, 5x5/);
  refused(text.replace('max', 'min'), /decision "stage1\/pool1" is "min"; must be one of max, average/);
  refused(text.replace(' | relu 192', ' / 64 96-128 5x5:16-32 max:32 | relu 192'), /decision|module 3 of stage 1/);
  const small = inception.create(images(32));
  assert.throws(() => parseArchitecture(small, 'GoogLeNet'), /option width is 0\.25; must be --space-options width=1/);
});

test('members for small images are small, keep 4 pixels, and are as many as the docstring says', () => {
  for (const side of [8, 28, 32]) {
    const task = images(side);
    const space = inception.create(task);
    const { params, flops, layers } = networkCosts(
      resolve(space, inception.handDesigned?.(task).googlenet ?? {}),
      task,
    );
    assert.deepEqual(layers.findLast(({ output }) => output.length === 3)?.output.slice(1), [4, 4]);
    assert.ok(params < 600_000 && flops < 40e6, `${params}, ${flops}`);
  }
  assert.throws(() => inception.create({ ...images(8), input: [13] }), /needs images/);
  assert.equal(Number(count(inception.create(images(32)))).toPrecision(2), '2.7e+33');
});
