import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../../common/random.ts';
import { networkCosts } from '../../../network/costs.ts';
import { supernetCosts } from '../../../network/supernet-costs.ts';
import type { Task } from '../../space.ts';
import { formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { count } from '../../tree/count.ts';
import { allHold } from '../../tree/decisions.ts';
import { resolve } from '../../tree/resolve.ts';
import { sample } from '../../tree/vary.ts';
import { mobilenet } from '../index.ts';

const images = (side: number, outputs = 10): Task => ({ kind: 'classification', input: [3, side, side], outputs });
const SIZES = [{}, { width: 1, depth: 1 }, { width: 0.1, depth: 0.3 }, { width: 1.2, depth: 2 }];

test('each of its networks is a member of the space without search, whose notation it is written in', () => {
  for (const [i, options] of SIZES.entries()) {
    const task = images(32);
    const [searched, whole] = [mobilenet.create(task, { ...options, search: true }), mobilenet.create(task, options)];
    for (let round = 0; round < 8; round++) {
      const member = sample(searched, rng('searched mobilenet', i, round));
      const text = formatArchitecture(searched, member);
      assert.deepEqual(parseArchitecture(searched, text), member, text);
      // Depths that the other space has.
      if (options.depth === 2) continue;
      const other = parseArchitecture(whole, text.replaceAll(/ -(?= )/gu, ''));
      const costs = (space: typeof whole, architecture: typeof member) => {
        const { params, flops } = networkCosts(resolve(space, architecture), task);
        return { params, flops };
      };
      assert.deepEqual(costs(searched, member), costs(whole, other), text);
    }
  }
});

test('MnasNet-B1 is a member: its parameters are those of the published code', () => {
  const task = images(224, 1000);
  const options = { width: 1, depth: 1 };
  const space = mobilenet.create(task, { ...options, search: true });
  const { 'mnasnet-b1': member = {}, ...others } = mobilenet.handDesigned?.(task, { ...options, search: true }) ?? {};
  assert.deepEqual(others, {});
  assert.equal(networkCosts(resolve(space, member), task).params, 4_383_312);
  const text = formatArchitecture(space, member);
  assert.match(text, /^1 wide relu6 \| 16 relu6 none k3 \| 24 relu6 none k3e3 k3e3 k3e3 \| 40 .* \| convolution 1280$/);
});

test('costs are sums over its choices', () => {
  const space = mobilenet.create(images(32), { search: true });
  const parts = supernetCosts(space);
  for (let i = 0; i < 5; i++) {
    const member = sample(space, rng('costs of mobilenet', i));
    const own = parts.filter(({ when }) => allHold(when, member));
    const { params, flops } = networkCosts(resolve(space, member), space.task);
    assert.deepEqual([sum(own.map((one) => one.params)), sum(own.map((one) => one.flops))], [params, flops]);
  }
});

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

test('a text that is none of its networks is refused with its place', () => {
  const space = mobilenet.create(images(32), { width: 1, depth: 1, search: true });
  const text = formatArchitecture(space, sample(space, rng('refused')));
  const refused = (changed: string, message: RegExp) =>
    assert.throws(() => parseArchitecture(space, changed), { name: 'UserError', message }, changed);
  refused('MobileNetV2', /has 1 group between bars; must have 9: 1 wide relu6, then/);
  refused(text.replace('1 wide', '1 narrow'), /group 1 is "1 narrow relu6"; must be 1 wide relu6 with search=true/);
  refused(text.replace('40 relu6', '32 relu6'), /group 4 is .*; must be 40 relu6 none and 1 to 4 blocks/);
  refused(text.replace('none k3 |', 'none k5 |'), /group 2 is "16 relu6 none k5"; must be 16 relu6 none and k3/);
  refused(
    text.replace(/24 relu6 none k\de\d/u, '24 relu6 none k4e6'),
    /decision "stage2\/block1" is "k4e6"; must be one of k3e3/,
  );
  refused(text.replace(/24 relu6 none k\de\d/u, '24 relu6 none -'), /decision "stage2\/block1" is "skip"/);
  refused(text.replace('1280', '640'), /group 9 is "convolution 640"; must be convolution 1280/);
});

test('the size that the docstring and docs/spaces.md name', () => {
  assert.equal(count(mobilenet.create(images(32), { width: 1, depth: 1, search: true })), 6n ** 6n * 7n ** 15n);
  assert.equal(count(mobilenet.create(images(32), { search: true })), 6n ** 6n * 7n ** 5n);
});
