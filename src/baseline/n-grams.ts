/** Texts as bags of n-grams: one and two tokens in a row, weighed by how rare they are. */
import type { SparseTable } from '../model/sparse-linear.ts';
import type { Rows } from './baseline.ts';

/** N-grams of the texts that they were learned from. */
export interface NGrams {
  /** The column of each n-gram, by `keyOf`. */
  readonly columns: ReadonlyMap<number, number>;
  /** By column: ln((1 + texts) / (1 + texts that have it)) + 1, as scikit-learn. */
  readonly idf: Float64Array;
}

/** Two tokens as one number: tokens are below 2^20. A single token comes with 0, which is padding and no token. */
const keyOf = (first: number, second = 0): number => first * 2 ** 20 + second;

/** The most frequent `most` n-grams, by the texts that have them. */
export function learnNGrams({ table: { rows, columns, data } }: Rows, most: number): NGrams {
  const texts = new Map<number, number>();
  for (let i = 0; i < rows; i++)
    for (const key of countsOf(data.subarray(i * columns, (i + 1) * columns)).keys())
      texts.set(key, (texts.get(key) ?? 0) + 1);
  const kept = [...texts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, most);
  return {
    columns: new Map(kept.map(([key], column) => [key, column])),
    idf: Float64Array.from(kept, ([, count]) => Math.log((1 + rows) / (1 + count)) + 1),
  };
}

/** Tf-idf of each text, of length 1. */
export function tfIdf({ columns, idf }: NGrams, texts: Float32Array, length: number): SparseTable {
  const rows = texts.length / length;
  const starts = new Int32Array(rows + 1);
  const [at, values]: [number[], number[]] = [[], []];
  for (let i = 0; i < rows; i++) {
    let squares = 0;
    for (const [key, count] of countsOf(texts.subarray(i * length, (i + 1) * length))) {
      const column = columns.get(key);
      if (column === undefined) continue;
      const value = count * (idf[column] ?? 0);
      squares += value * value;
      at.push(column);
      values.push(value);
    }
    const scale = 1 / Math.sqrt(squares || 1);
    for (let e = starts[i] ?? 0; e < values.length; e++) values[e] = (values[e] ?? 0) * scale;
    starts[i + 1] = values.length;
  }
  return { rows, columns: columns.size, starts, at: Int32Array.from(at), values: Float32Array.from(values) };
}

/** How often each n-gram is in a text. */
function countsOf(tokens: Float32Array): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  let last = 0;
  for (const token of tokens) {
    if (token === 0) break;
    counts.set(keyOf(token), (counts.get(keyOf(token)) ?? 0) + 1);
    if (last !== 0) counts.set(keyOf(last, token), (counts.get(keyOf(last, token)) ?? 0) + 1);
    last = token;
  }
  return counts;
}
