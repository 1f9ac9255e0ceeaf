import { type HostTensor, type Shape, sizeOf } from '../../graph/ir.ts';

type Tensors = Readonly<Record<string, HostTensor>>;

/** Where the statistics of observations are among the tensors of a policy. */
export const OBSERVATIONS = 'observations';

const LIMIT = 10;
const LEAST_VARIANCE = 1e-8;

/** Running mean and variance of rows of values (Chan et al. 1979, for a row at a time), by which they are standardized. */
export interface Scaler {
  /** Counts rows in. */
  add(rows: Float32Array): void;
  /** (x - mean) / deviation of each value, within ±10; unchanged before the first row. */
  scale(rows: Float32Array, into: Float32Array): void;
  /** Of value `i`; 1 before the second row. */
  deviation(i: number): number;
  /** What it scales by, each value's own; undefined before the second row, when it changes nothing. */
  statistics(): { readonly mean: Float32Array; readonly deviation: Float32Array } | undefined;
  /** All that it knows, to be continued from. */
  tensors(): Record<string, HostTensor>;
}

/** `name` begins the names of its tensors; `from`: those that it continues from, if they are there. */
export function openScaler(name: string, size: number, from: Tensors = {}): Scaler {
  // Single precision, as checkpoints have it, so that a training that is resumed computes with the same numbers.
  const kept = (part: string, shape: Shape): Float32Array => {
    const found = from[`${name}/${part}`]?.data;
    return found?.length === sizeOf(shape) ? Float32Array.from(found) : new Float32Array(sizeOf(shape));
  };
  const [count, mean, squares] = [kept('count', [1]), kept('mean', [size]), kept('squares', [size])];
  const rowsSeen = () => count[0] as number;
  const deviation = (i: number): number =>
    rowsSeen() < 2 ? 1 : Math.sqrt(Math.max((squares[i] as number) / rowsSeen(), LEAST_VARIANCE));
  return {
    add(rows) {
      for (let at = 0; at < rows.length; at += size) {
        const n = rowsSeen() + 1;
        count[0] = n;
        for (let i = 0; i < size; i++) {
          const before = (rows[at + i] as number) - (mean[i] as number);
          mean[i] = (mean[i] as number) + before / n;
          squares[i] = (squares[i] as number) + before * ((rows[at + i] as number) - (mean[i] as number));
        }
      }
    },
    scale(rows, into) {
      if (rowsSeen() < 2) return into.set(rows);
      for (let i = 0; i < size; i++) {
        const [shift, factor] = [mean[i] as number, 1 / deviation(i)];
        for (let at = i; at < rows.length; at += size)
          into[at] = Math.min(Math.max(((rows[at] as number) - shift) * factor, -LIMIT), LIMIT);
      }
    },
    deviation,
    statistics: () =>
      rowsSeen() < 2 ? undefined : { mean: mean.slice(), deviation: mean.map((_, i) => deviation(i)) },
    tensors: () => ({
      [`${name}/count`]: { shape: [1], data: count.slice() },
      [`${name}/mean`]: { shape: [size], data: mean.slice() },
      [`${name}/squares`]: { shape: [size], data: squares.slice() },
    }),
  };
}
