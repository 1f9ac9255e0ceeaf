import type { Samples } from './dataset.ts';

/** All samples that a reader found, before they are divided into parts. */
export interface Source extends Samples {
  /** Class numbers, or the targets of a regression: `outputs` for each sample. */
  readonly targets: Float32Array;
}

/**
 * Samples held in memory. Sample i is the `elements` values that begin at `offset + i * stride`, so that records of a file
 * (label bytes among pixels) can be used where they lie.
 */
export function memorySource(data: {
  readonly values: Uint8Array | Float32Array;
  readonly elements: number;
  readonly offset?: number;
  readonly stride?: number;
  readonly targets: Float32Array;
  /** Targets of each sample, 1 by default. */
  readonly outputs?: number;
}): Source {
  const { values, elements, offset = 0, stride = elements, targets, outputs = 1 } = data;
  const count = targets.length / outputs;
  if (offset + (count - 1) * stride + elements > values.length) {
    throw new RangeError(`${count} samples of ${elements} values need more than the ${values.length} values given`);
  }
  return {
    count,
    targets,
    read(indices, { input, target }) {
      for (let k = 0; k < indices.length; k++) {
        const i = checkedIndex(indices, k, count);
        const from = offset + i * stride;
        input?.set(values.subarray(from, from + elements), k * elements);
        target?.set(targets.subarray(i * outputs, (i + 1) * outputs), k * outputs);
      }
      return Promise.resolve();
    },
  };
}

/** The samples of `whole` at `indices`, in that order. */
export function part(whole: Samples, indices: Int32Array): Samples {
  return {
    count: indices.length,
    read(wanted, into) {
      const inner = wanted.map((_, k) => indices[checkedIndex(wanted, k, indices.length)] as number);
      return whole.read(inner, into);
    },
    ...(whole.lengthOf && {
      lengthOf: (index) => whole.lengthOf?.(indices[checkedIndex([index], 0, indices.length)] ?? 0) ?? 0,
    }),
  };
}

/** `indices[k]`. Throws RangeError unless it is the number of one of `count` samples. */
export function checkedIndex(indices: readonly number[], k: number, count: number): number {
  const i = indices[k] ?? Number.NaN;
  if (!(i >= 0 && i < count)) throw new RangeError(`sample ${i} of ${count}`);
  return i;
}
