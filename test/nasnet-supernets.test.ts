import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { rng } from '../src/common/random.ts';
import { openDataset } from '../src/data/open.node.ts';
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { openMixtureSupernet } from '../src/oneshot/mixture.ts';
import { openSinglePathSupernet } from '../src/oneshot/single-path.ts';
import { checkArchitecture, formatArchitecture, parseArchitecture, sample } from '../src/space/index.ts';
import { nasnet } from '../src/space/spaces/index.ts';
import { spaceTask } from '../src/task/index.ts';
import { DEFAULT_SETTINGS } from '../src/train/settings.ts';

const { search } = await openDataset({ name: 'digits', seed: 0, validShare: 0.02, trainSamples: 16 });
const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1, layout: 'portable' });
after(() => engine.dispose());
const space = nasnet.create(spaceTask(search.info), { cells: 3, channels: 2, search: true, dropPath: 0.2 });
const request = {
  engine,
  space,
  info: search.info,
  train: search.train,
  valid: search.valid,
  settings: { ...DEFAULT_SETTINGS, epochs: 2, batchSize: 8, learningRate: 0.01 },
  rng: (...labels: readonly (string | number)[]) => rng('nasnet', ...labels),
};

test('a mixture supernet of nasnet trains, and the genotype of the moment is a member', async () => {
  const supernet = await openMixtureSupernet(request);
  const { mixture, loss } = await supernet.epoch();
  await supernet.dispose();
  assert.ok(Number.isFinite(loss));
  const genotype = checkArchitecture(space, mixture?.genotype);
  assert.match(formatArchitecture(space, genotype), /normal_concat=range\(2, 7\)/u);
  assert.equal(mixture?.weights['normal/6a<-']?.length, 6);
});

test('a single-path supernet of nasnet trains sampled paths and measures any member', async () => {
  const supernet = await openSinglePathSupernet({ ...request, validationPaths: 1 });
  const { loss } = await supernet.epoch();
  assert.ok(Number.isFinite(loss));
  for (const member of [parseArchitecture(space, 'NASNet-A'), sample(space, rng(1))]) {
    const { metrics } = await supernet.measurePath(member, search.valid);
    assert.ok(Number.isFinite(metrics.loss), JSON.stringify(metrics));
  }
  await supernet.dispose();
});
