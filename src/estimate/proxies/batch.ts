import { rng } from '../../common/random.ts';
import type { SearchData } from '../../data/dataset.ts';
import type { HostTensor } from '../../graph/ir.ts';
import { taskOf } from '../../task/index.ts';
import { readSamples, sampleSizes } from '../../train/samples.ts';

/** What gradients and activations are taken on. */
export interface ProxyBatch {
  /** [N, ...input], raw values. */
  readonly x: HostTensor;
  /** One class each, [N, classes]; of a regression the standardized targets, [N, outputs]. */
  readonly targets: HostTensor;
}

/** Training samples drawn without replacement, not augmented; all of them where there are fewer than `size`. Throws DataError. */
export async function readBatch({ info, train }: SearchData, size: number, seed: number): Promise<ProxyBatch> {
  const order = rng('proxies', seed, 'samples').shuffle(Array.from({ length: train.count }, (_, i) => i));
  const indices = order.slice(0, size);
  const count = indices.length;
  const sizes = sampleSizes(info);
  const inputs = new Float32Array(count * sizes.input);
  const raw = new Float32Array(count * sizes.target);
  await readSamples(train, indices, inputs, raw);
  const targets = new Float32Array(count * info.outputs);
  taskOf(info).targets(raw, targets, info, 0);
  return {
    x: { shape: [count, ...info.input], data: inputs },
    targets: { shape: [count, info.outputs], data: targets },
  };
}
