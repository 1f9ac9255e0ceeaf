/** A short training on the handwritten digits. As a script: prints a hash of the trained weights in the layout that is named. */
import { createHash } from 'node:crypto';
import { rng } from '../../common/random.ts';
import { openDataset } from '../../data/open.node.ts';
import { createEngine } from '../../engine/create.ts';
import type { EngineOptions } from '../../engine/engine.ts';
import { threadedRuntime } from '../../engine/runtime/thread.node.ts';
import type { HostTensor } from '../../graph/ir.ts';
import { conv, dropout, globalAvgPool, linear, maxPool, sequential } from '../../space/tree/builders.ts';
import { convBnRelu } from '../../space/tree/composites.ts';
import { type TrainRequest, trainNetwork } from '../loop.ts';
import { DEFAULT_SETTINGS } from '../settings.ts';

const { search } = await openDataset({ name: 'digits', seed: 1, validShare: 0.25 });

/** What to train, on which samples, and how: on an engine that is not said yet. */
export const DIGITS = {
  network: sequential(
    conv(16, 3, { bias: true }),
    convBnRelu(3, 32),
    maxPool(2, { stride: 2 }),
    convBnRelu(3, 32),
    globalAvgPool(),
    dropout(0.1),
    linear('outputs'),
  ),
  info: search.info,
  train: search.train,
  valid: search.valid,
  settings: { ...DEFAULT_SETTINGS, epochs: 6, cropPadding: 1, mixup: 0.1, labelSmoothing: 0.05, clipNorm: 5 },
  rng: (...labels) => rng('digits', ...labels),
} satisfies Omit<TrainRequest, 'engine'>;

/** The weights after one epoch on a quarter of the samples, on an engine as commands open it. */
export async function weightsIn(layout: NonNullable<EngineOptions['layout']>): Promise<Record<string, HostTensor>> {
  const engine = await createEngine(threadedRuntime(), { device: 'cpu', threads: 2, layout });
  // A schedule that ends early: rounding grows with every step.
  const settings = { ...DIGITS.settings, epochs: 1, learningRate: 1e-3, warmupEpochs: 0 };
  const training = await trainNetwork({ ...DIGITS, engine, settings, data: 0.25 });
  const weights = await training.weights();
  await training.dispose();
  await engine.dispose();
  return weights;
}

/** Of all bits of all weights, with their names. */
export function hashOf(weights: Readonly<Record<string, HostTensor>>): string {
  const hash = createHash('sha256');
  for (const [name, { shape, data }] of Object.entries(weights)) hash.update(`${name} ${shape} `).update(data);
  return hash.digest('hex');
}

if (process.argv[1] === import.meta.filename) {
  process.stdout.write(hashOf(await weightsIn(process.argv[2] === 'portable' ? 'portable' : 'auto')));
}
