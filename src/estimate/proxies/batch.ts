import { rng } from '../../common/random.ts';
import type { SearchData } from '../../data/dataset.ts';
import type { Feeds } from '../../engine/engine.ts';
import { sizeOf } from '../../graph/ir.ts';
import { taskOf } from '../../task/index.ts';
import { type Arrays, allocate, mapValues, type TensorSpecs } from '../../task/spec.ts';
import { feedsOf } from '../../train/batches.ts';
import { readSamples } from '../../train/samples.ts';

/** What gradients and activations are taken on. */
export interface ProxyBatch {
  readonly count: number;
  /** Raw inputs and encoded targets by name, [N, ...]. */
  readonly feeds: Feeds;
}

/** Training samples drawn without replacement, not augmented; all of them where there are fewer than `size`. Throws DataError. */
export async function readBatch(
  { info, train, task: own }: SearchData,
  size: number,
  seed: number,
): Promise<ProxyBatch> {
  const order = rng('proxies', seed, 'samples').shuffle(Array.from({ length: train.count }, (_, i) => i));
  const indices = order.slice(0, size);
  const count = indices.length;
  const task = taskOf(info, own);
  const { inputs, targets } = task.spec(info);
  const read = allocate({ ...inputs, ...targets }, count);
  await readSamples(train, indices, read);
  const specs = task.encoding?.specs(info);
  if (specs === undefined) return { count, feeds: feedsOf(read, { ...inputs, ...targets }, count) };
  const encoded = mapValues(specs, ({ shape }) => new Float32Array(count * sizeOf(shape)));
  task.encoding?.fill(only(read, targets), encoded, info, 0);
  return { count, feeds: { ...feedsOf(read, inputs, count), ...feedsOf(encoded, specs, count) } };
}

const only = (arrays: Arrays, specs: TensorSpecs): Arrays =>
  Object.fromEntries(Object.entries(arrays).filter(([name]) => specs[name] !== undefined));
