/** Supernets of inverted bottlenecks, on the engine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { openDataset } from '../data/open.node.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { costsOf } from '../measure/index.ts';
import { SPACES } from '../space/spaces/index.ts';
import { checkArchitecture } from '../space/tree/architecture.ts';
import { constrained } from '../space/tree/constrain.ts';
import { sample } from '../space/tree/vary.ts';
import { spaceTask } from '../task/index.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { ONE_SHOT } from './index.ts';

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1, layout: 'portable' });
const { search: data } = await openDataset({ name: 'digits', seed: 0, validShare: 0.5, trainSamples: 32 });
const whole = SPACES.mobilenet.create(spaceTask(data.info), { search: true, width: 0.05, depth: 0.3 });
// Two stages are searched.
const fixed = ['4/block1', '4/block2', '5/block1', '5/block2', '6/block1', '6/block2', '7/block1'];
const space = constrained(whole, {
  forbid: ['k5e3', 'k5e6', 'k7e3', 'k7e6'],
  fix: Object.fromEntries(fixed.map((name) => [`stage${name}`, 'k3e3'])),
});
const MAX = 450_000;

const METHODS = {
  darts: {},
  gdas: { recalibrate: 0 },
  enas: { controllerSteps: 1, aggregate: 2, candidates: 2, recalibrate: 0 },
  'single-path': { validationPaths: 1, recalibrate: 0 },
} as const;
for (const [name, options] of Object.entries(METHODS))
  test(`${name} trains a supernet of mobilenet's blocks`, async () => {
    const supernet = await ONE_SHOT[name as keyof typeof METHODS].open(
      {
        ...{ engine, ...data, space },
        settings: { ...DEFAULT_SETTINGS, epochs: 1, batchSize: 8 },
        rng: (...labels) => rng('mobilenet', ...labels),
        costs: {
          ...{ limits: [{ cost: 'flops', max: MAX }], objectives: [] },
          of: (architecture) => costsOf(space, architecture),
        },
      },
      options,
    );
    const { loss, mixture } = await supernet.epoch();
    assert.ok(Number.isFinite(loss));
    if (mixture !== undefined) {
      assert.deepEqual(checkArchitecture(space, mixture.genotype), mixture.genotype);
      assert.ok((costsOf(space, mixture.genotype).flops ?? Number.NaN) <= MAX);
    }
    assert.equal(mixture === undefined, supernet.measurePath !== undefined);
    const measured = await supernet.measurePath?.(sample(space, rng('any path')), data.valid);
    assert.ok(measured === undefined || Number.isFinite(measured.metrics.loss));
    await supernet.dispose();
  });
