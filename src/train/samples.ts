import { DataError, messageOf } from '../common/errors.ts';
import type { DatasetInfo, Samples } from '../data/dataset.ts';
import { sizeOf } from '../graph/ir.ts';
import { taskOf } from '../task/index.ts';

/** Values that one sample has in the inputs and in the targets that `Samples.read` fills. */
export function sampleSizes(info: DatasetInfo): { readonly input: number; readonly target: number } {
  return { input: sizeOf(info.input), target: taskOf(info).targetSize(info) };
}

/**
 * `samples.read`, for whoever estimates candidates. Throws DataError, whatever the reader threw: no candidate is to blame for a
 * file that is damaged or gone.
 */
export async function readSamples(samples: Samples, ...into: Parameters<Samples['read']>): Promise<void> {
  try {
    await samples.read(...into);
  } catch (error) {
    throw error instanceof DataError ? error : new DataError(messageOf(error), { cause: error });
  }
}

/** Two parts as one, `first` before `second`: training and validation samples for the final training. */
export function concatSamples(info: DatasetInfo, first: Samples, second: Samples): Samples {
  const sizes = sampleSizes(info);
  return {
    count: first.count + second.count,
    async read(indices, inputs, targets) {
      const parts = [
        { samples: first, from: 0, positions: indices.flatMap((index, at) => (index < first.count ? [at] : [])) },
        {
          samples: second,
          from: first.count,
          positions: indices.flatMap((index, at) => (index >= first.count ? [at] : [])),
        },
      ];
      for (const { samples, from, positions } of parts) {
        const partInputs = new Float32Array(positions.length * sizes.input);
        const partTargets = new Float32Array(positions.length * sizes.target);
        await samples.read(
          positions.map((at) => (indices[at] ?? Number.NaN) - from),
          partInputs,
          partTargets,
        );
        for (const [i, at] of positions.entries()) {
          inputs.set(partInputs.subarray(i * sizes.input, (i + 1) * sizes.input), at * sizes.input);
          targets.set(partTargets.subarray(i * sizes.target, (i + 1) * sizes.target), at * sizes.target);
        }
      }
    },
  };
}
