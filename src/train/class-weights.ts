import type { Samples } from '../data/dataset.ts';
import { onlyOf } from '../task/spec.ts';
import { readSamples } from './samples.ts';
import type { TrainSettings } from './settings.ts';

/** Targets that are read at a time. */
const CHUNK = 4096;

/**
 * The weight of each class in the loss, for `classWeights: 'balanced'`: n / (K n_k), where n_k of the n samples are of class k and K classes
 * occur. All classes then count the same, and the mean weight of a sample is 1, so the learning rate suits as before. A class without samples
 * has the weight 0. Reads the targets alone, `target` by name. Throws as `readSamples`.
 */
export async function balancedWeights(
  samples: Samples,
  indices: readonly number[],
  target: string,
  classes: number,
): Promise<Float64Array> {
  const counts = new Float64Array(classes);
  for (let from = 0; from < indices.length; from += CHUNK) {
    const part = indices.slice(from, from + CHUNK);
    const targets = { [target]: new Float32Array(part.length) };
    await readSamples(samples, part, targets);
    for (const label of onlyOf(targets)) counts[label] = (counts[label] ?? 0) + 1;
  }
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count === 0 ? 0 : indices.length / (present * count)));
}

/** What `auto` stands for in a new study: weights gain balanced accuracy (macro recall) alone, and cost accuracy (docs/recipes.md). */
export function classWeightsFor(objective: string): TrainSettings['classWeights'] {
  return objective === 'recall' ? 'balanced' : 'none';
}
