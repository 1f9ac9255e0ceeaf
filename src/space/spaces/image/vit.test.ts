import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../../common/random.ts';
import { networkCosts } from '../../../network/costs.ts';
import { supernetCosts } from '../../../network/supernet-costs.ts';
import type { Task } from '../../space.ts';
import { formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { count } from '../../tree/count.ts';
import { decisions } from '../../tree/decisions.ts';
import { resolve } from '../../tree/resolve.ts';
import { sample } from '../../tree/vary.ts';
import { vit } from '../index.ts';

const images = (...input: readonly number[]): Task => ({ kind: 'classification', input, outputs: 10 });
const imageNet: Task = { kind: 'classification', input: [3, 224, 224], outputs: 1000 };

/** Of the published code: torchvision's ViTs, and those of DeiT. */
const PARAMS = {
  'DeiT-Ti': 5_717_416,
  'DeiT-S': 22_050_664,
  'ViT-B-16': 86_567_656,
  'ViT-B-32': 88_224_232,
  'ViT-L-16': 304_326_632,
} as const;

for (const [name, params] of Object.entries(PARAMS))
  test(`${name} has the ${params} parameters of the published code`, () => {
    const space = vit.create(imageNet, vit.published?.architectures[name]?.options);
    assert.equal(networkCosts(resolve(space, parseArchitecture(space, name)), imageNet).params, params);
  });

test('patches are powers of 2, of which an image has 4 to 256, and one of any size can be built', () => {
  const patchesOf = (task: Task) => {
    const domain = decisions(vit.create(task)).find(({ name }) => name === 'patch')?.domain;
    return domain?.kind === 'values' ? domain.values : undefined;
  };
  assert.deepEqual(patchesOf(images(1, 8, 8)), [1, 2, 4]);
  assert.deepEqual(patchesOf(images(3, 32, 32)), [2, 4, 8]);
  assert.deepEqual(patchesOf(imageNet), [16, 32, 64]);
  assert.equal(patchesOf(images(1, 1, 3)), undefined);
  for (const task of [images(1, 1, 3), images(2, 7, 13)]) {
    const space = vit.create(task, { width: 8, heads: 2, layers: 2 });
    for (const k of [1, 2, 3]) assert.ok(networkCosts(resolve(space, sample(space, rng(k))), task).params > 0);
  }
});

test('the sizes that the docstring names, and members', () => {
  const blocks = Array.from({ length: 6 }, (_, i) => 9n ** BigInt(i + 1)).reduce((sum, one) => sum + one);
  // Patches, pools, positions, widths, dropout, norms, activations.
  assert.equal(count(vit.create(images(3, 32, 32))), blocks * 3n * 2n * 2n * 4n * 4n * 2n * 5n);
  for (const task of [images(1, 8, 8), images(1, 1, 3)])
    for (const options of [{ layers: 1 }, { tune: true }, { search: true, tune: true }]) {
      const space = vit.create(task, options);
      const members = Object.values(vit.handDesigned?.(task, options) ?? {});
      assert.ok(members.length > 0);
      for (const member of members)
        assert.deepEqual(parseArchitecture(space, formatArchitecture(space, member)), member);
    }
});

test("the supernet's parts cost what members cost, and what has no images is refused", () => {
  const task = images(1, 8, 8);
  const space = vit.create(task, { width: 8, heads: 2, layers: 2, search: true });
  const architecture = sample(space, rng('costs'));
  const params = supernetCosts(space)
    .filter(({ when }) => when.every((one) => 'is' in one && architecture[one.decision] === one.is))
    .reduce((sum, part) => sum + part.params, 0);
  assert.equal(params, networkCosts(resolve(space, architecture), task).params);
  assert.throws(() => vit.create(images(13)), {
    name: 'UserError',
    message: 'space "vit": input is [13]; needs images, [channels, height, width]',
  });
});
