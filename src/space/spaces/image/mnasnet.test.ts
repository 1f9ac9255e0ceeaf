import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../../common/random.ts';
import { networkCosts } from '../../../network/costs.ts';
import type { Task } from '../../space.ts';
import { formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { count } from '../../tree/count.ts';
import { resolve } from '../../tree/resolve.ts';
import { sample } from '../../tree/vary.ts';
import { mnasnet } from '../index.ts';

const IMAGENET: Task = { kind: 'classification', input: [3, 224, 224], outputs: 1000 };
const images: Task = { kind: 'classification', input: [3, 32, 32], outputs: 10 };
const LARGE = { width: 1, depth: 1 };

test('MnasNet-A1 and B1 have exactly the parameters of the published code', () => {
  const space = mnasnet.create(IMAGENET, LARGE);
  const params = (name: string) => networkCosts(resolve(space, parseArchitecture(space, name)), IMAGENET).params;
  assert.equal(params('MnasNet-A1'), 3_887_038);
  assert.equal(params('MnasNet-B1'), 4_383_312);
});

test('layers of a block are alike: one decision for all of them', () => {
  const space = mnasnet.create(IMAGENET, LARGE);
  const text = formatArchitecture(space, parseArchitecture(space, 'MnasNet-A1'));
  const wide = text.replace('mbConv6 k3 none 80 x4', 'mbConv6 k5 none 80 x4');
  const depthwise = (one: string) =>
    networkCosts(resolve(space, parseArchitecture(space, one)), IMAGENET)
      .layers.filter(({ kind }) => kind === 'conv')
      .reduce((sum, { params }) => sum + params, 0);
  // 25 weights a channel in place of 9, of 240 channels in the first layer and 480 in three more.
  assert.equal(depthwise(wide) - depthwise(text), 16 * (240 + 3 * 480));
});

test('members are read as they are written, and are as many as the docs say', () => {
  const space = mnasnet.create(images);
  for (let round = 0; round < 20; round++) {
    const member = sample(space, rng('mnasnet', round));
    assert.deepEqual(parseArchitecture(space, formatArchitecture(space, member)), member);
    assert.ok(networkCosts(resolve(space, member), images).params > 0);
  }
  assert.equal(Number(count(space)).toPrecision(2), '7.0e+12');
  assert.ok(mnasnet.handDesigned?.(images)['mnasnet-a1']);
});

test('a malformed text is refused with its place', () => {
  const space = mnasnet.create(IMAGENET, LARGE);
  const text = formatArchitecture(space, parseArchitecture(space, 'MnasNet-A1'));
  const refused = (changed: string, message: RegExp) =>
    assert.throws(() => parseArchitecture(space, changed), { name: 'UserError', message }, changed);
  refused('-', /has 1 block; must have 7, between bars/);
  refused(text.replace('x2 none', 'x2'), /block 2 is "mbConv6 k3 none 24 x2"; must be OPERATION kKERNEL/);
  refused(text.replace('24 x2', '25 x2'), /the width of block 2 is 25; must be 24 or 32/);
  refused(text.replace('24 x2', '24 x9'), /block 2 has 9 layers; must have 1 or 2 or 3 or 4/);
  refused(text.replace('k3 none 24', 'k9 none 24'), /decision "block2\/kernel" is 9; must be one of 3, 5/);
  const small = mnasnet.create(IMAGENET);
  assert.throws(() => parseArchitecture(small, 'MnasNet-A1'), /must be --space-options width=1,depth=1/);
});
