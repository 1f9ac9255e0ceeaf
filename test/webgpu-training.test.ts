/** The training programs on WebGPU: the same network, data and seed give there what they give on the CPU. */
import assert from 'node:assert/strict';
import { rng } from '../src/common/random.ts';
import { openDataset } from '../src/data/open.node.ts';
import { createEngine } from '../src/engine/create.ts';
import type { Engine } from '../src/engine/engine.ts';
import { threadedRuntime } from '../src/engine/runtime/thread.node.ts';
import { webgpuTests } from '../src/engine/testing/webgpu.ts';
import { dropout, globalAvgPool, linear, maxPool, sequential } from '../src/space/tree/builders.ts';
import { convBnRelu, separableConv } from '../src/space/tree/composites.ts';
import { trainNetwork } from '../src/train/loop.ts';
import { DEFAULT_SETTINGS } from '../src/train/settings.ts';

const network = sequential(
  convBnRelu(3, 8),
  maxPool(2, { stride: 2 }),
  separableConv(3),
  globalAvgPool(),
  dropout(0.1),
  linear('outputs'),
);

/** Two epochs of four steps, from loading to validation, with augmentation and clipping. */
async function trained(engine: Engine, optimizer: 'sgd' | 'adamw') {
  const { search } = await openDataset({ name: 'digits', seed: 1, trainSamples: 64 });
  const settings = { ...DEFAULT_SETTINGS, optimizer, epochs: 2, batchSize: 16, cropPadding: 1, clipNorm: 1 };
  const training = await trainNetwork({
    engine,
    network,
    ...search,
    settings,
    rng: (...labels) => rng('webgpu', ...labels),
  });
  const { tensors } = await training.checkpoint();
  const losses = training.history.flatMap(({ loss, valid }) => [loss, valid.loss ?? Number.NaN]);
  await training.dispose();
  return { losses, tensors };
}

const onWebgpu = await webgpuTests();

for (const optimizer of ['sgd', 'adamw'] as const) {
  onWebgpu(`webgpu: training with ${optimizer} agrees with the CPU`, async (webgpu) => {
    const cpu = await createEngine(threadedRuntime(), { device: 'cpu', threads: 1 });
    const [expected, found] = [await trained(cpu, optimizer), await trained(webgpu, optimizer)];
    const differences = expected.losses.map((loss, i) => Math.abs(loss - (found.losses[i] ?? Number.NaN)) / loss);
    assert.ok(Math.max(...differences) < 1e-4, `losses ${expected.losses} and ${found.losses}`);
    assert.deepEqual(Object.keys(found.tensors).sort(), Object.keys(expected.tensors).sort());
    for (const [name, { data }] of Object.entries(expected.tensors)) {
      const norm = Math.hypot(...data);
      const error = Math.hypot(...data.map((v, i) => v - (found.tensors[name]?.data[i] ?? Number.NaN)));
      assert.ok(error < 1e-3 * Math.max(norm, 1e-2), `${name} differs by ${error}, its norm is ${norm}`);
    }
  });
}
