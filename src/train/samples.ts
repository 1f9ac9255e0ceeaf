import { DataError, messageOf } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import type { DatasetInfo, Samples } from '../data/dataset.ts';
import { sizeOf } from '../graph/ir.ts';
import { taskOf } from '../task/index.ts';
import { allocate, type TensorSpecs } from '../task/spec.ts';
import type { TaskDefinition } from '../task/task.ts';

/**
 * `samples.read` for estimators. Throws DataError, whatever the reader threw: no candidate is to blame for a
 * file that is damaged or gone.
 */
export async function readSamples(samples: Samples, ...into: Parameters<Samples['read']>): Promise<void> {
  try {
    await samples.read(...into);
  } catch (error) {
    throw error instanceof DataError ? error : new DataError(messageOf(error), { cause: error });
  }
}

/** `count` of the samples, drawn at random but always the same ones, or `continued` the first; all where there are no more. */
export function someSamples(samples: Samples, count: number, continued = false): Samples {
  if (count >= samples.count) return samples;
  if (continued) return { count, read: (indices, into) => samples.read(indices, into) };
  const all = Array.from({ length: samples.count }, (_, i) => i);
  const chosen = rng('some samples', samples.count)
    .shuffle(all)
    .slice(0, count)
    .sort((a, b) => a - b);
  return {
    count,
    read: (indices, into) =>
      samples.read(
        indices.map((index) => chosen[index] ?? index),
        into,
      ),
  };
}

/** Two parts as one, `first` before `second`: training and validation samples for the final training. */
export function concatSamples(info: DatasetInfo, first: Samples, second: Samples, own?: TaskDefinition): Samples {
  const specs = sampleSpecs(info, own);
  return {
    count: first.count + second.count,
    ...(first.shifted && {
      shifted: (share) => concatSamples(info, first.shifted?.(share) ?? first, second, own),
    }),
    ...(first.lengthOf &&
      second.lengthOf && {
        lengthOf: (index) =>
          (index < first.count ? first.lengthOf?.(index) : second.lengthOf?.(index - first.count)) ?? 0,
      }),
    async read(indices, into) {
      const parts = [
        { samples: first, from: 0, positions: indices.flatMap((index, at) => (index < first.count ? [at] : [])) },
        {
          samples: second,
          from: first.count,
          positions: indices.flatMap((index, at) => (index >= first.count ? [at] : [])),
        },
      ];
      for (const { samples, from, positions } of parts) {
        const wanted = Object.fromEntries(Object.entries(specs).filter(([name]) => into[name] !== undefined));
        const own = allocate(wanted, positions.length);
        await samples.read(
          positions.map((at) => (indices[at] as number) - from),
          own,
        );
        for (const [i, at] of positions.entries()) {
          for (const [name, { shape }] of Object.entries(wanted)) {
            const size = sizeOf(shape);
            const values = own[name]?.subarray(i * size, (i + 1) * size);
            if (values !== undefined) into[name]?.set(values, at * size);
          }
        }
      }
    },
  };
}

/** The tensors of a sample: inputs and raw targets. */
function sampleSpecs(info: DatasetInfo, own?: TaskDefinition): TensorSpecs {
  const { inputs, targets } = taskOf(info, own).spec(info);
  return { ...inputs, ...targets };
}
