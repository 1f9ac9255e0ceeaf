import type { Baseline, BaselineData } from './baseline.ts';
import { someRows, standardized } from './rows.ts';

const NEIGHBORS = 5;
/** Multiply-accumulates that predictions for as many samples as the validation has may take: a few seconds. */
const MOST_PRODUCTS = 2.5e9;
const LEAST_ROWS = 100;
/** Votes that each class has beside its neighbors': the logarithm of its share is finite. */
const VOTES = 0.1;

/** Images are averaged over squares until their shorter side is less than twice this. */
const SIDE = 8;

/**
 * The five nearest training samples by Euclidean distance of standardized inputs vote, or give their mean. Images are made small
 * before, and where it would take long, among as many training samples as there is time for. A prediction: O(training samples · inputs).
 */
export const nearestNeighbor: Baseline = {
  name: 'nearest-neighbor',
  unfit: ({ reads }) => (reads === 'numbers' ? undefined : 'not for texts'),
  fit(data, { seed, signal }) {
    signal?.throwIfAborted();
    const { info, loss } = data;
    const { columns: raw, rows: all } = data.train.table;
    const { outputs } = info;
    const square = squareOf(info.input);
    const prepared = (inputs: Float32Array) => averaged(standardized(info, inputs, raw), info.input, square);
    const columns = prepared(new Float32Array(raw)).length;
    const { table, targets } = someRows(data.train, mostRows(data, columns), seed);
    const known = prepared(table.data);
    const squares = Float64Array.from({ length: table.rows }, (_, i) =>
      product(known, i * columns, known, i * columns, columns),
    );
    return Promise.resolve({
      predict(inputs: Float32Array, count: number) {
        const asked = prepared(inputs);
        const out = new Float32Array(count * outputs);
        for (let n = 0; n < count; n++) {
          const near = nearest(known, squares, asked, n * columns, columns);
          const own = out.subarray(n * outputs, (n + 1) * outputs);
          if (loss === 'log-loss') vote(near, targets, own);
          else average(near, targets, own);
        }
        return out;
      },
      notes: [
        ...(table.rows < all ? [`Neighbors are looked for among ${table.rows} of ${all} training samples.`] : []),
        ...(square > 1 ? [`Images are averaged over squares of ${square}x${square} pixels.`] : []),
      ],
    });
  },
};

function mostRows({ info, valid }: BaselineData, columns: number): number {
  const questions = Math.max(1, valid?.table.rows ?? 0, info.counts.test);
  return Math.max(LEAST_ROWS, Math.floor(MOST_PRODUCTS / questions / columns));
}

/** The side of the squares that pixels of an input [C, H, W] are averaged over; 1: nothing is. */
function squareOf(input: readonly number[]): number {
  const [, height = 0, width = 0] = input;
  return Math.max(1, Math.floor(Math.min(height, width) / SIDE));
}

/** Samples [C, H, W], one after another, as [C, H / square, W / square]; pixels at the lower and right edge that fill no square are left out. */
function averaged(values: Float32Array, input: readonly number[], square: number): Float32Array {
  const [, height = 0, width = 0] = input;
  if (square === 1) return values;
  const [rows, columns] = [Math.floor(height / square), Math.floor(width / square)];
  const planes = values.length / (height * width);
  const out = new Float32Array(planes * rows * columns);
  for (let plane = 0; plane < planes; plane++)
    for (let y = 0; y < rows * square; y++)
      for (let x = 0; x < columns * square; x++) {
        const to = (plane * rows + Math.floor(y / square)) * columns + Math.floor(x / square);
        out[to] = (out[to] as number) + (values[(plane * height + y) * width + x] as number) / square / square;
      }
  return out;
}

/** The numbers of the nearest, nearest first; of several at the same distance the first. */
function nearest(
  known: Float32Array,
  squares: Float64Array,
  asked: Float32Array,
  at: number,
  columns: number,
): readonly number[] {
  const found: number[] = [];
  const distances: number[] = [];
  for (let i = 0; i < squares.length; i++) {
    // Less the square of what is asked for, which is the same for all.
    const distance = (squares[i] as number) - 2 * product(known, i * columns, asked, at, columns);
    if (found.length === NEIGHBORS && !(distance < (distances[NEIGHBORS - 1] as number))) continue;
    let place = found.length;
    while (place > 0 && distance < (distances[place - 1] as number)) place--;
    found.splice(place, 0, i);
    distances.splice(place, 0, distance);
    found.length = Math.min(found.length, NEIGHBORS);
    distances.length = found.length;
  }
  return found;
}

/** Of two vectors that begin at `p` and `q`. */
function product(x: Float32Array, p: number, y: Float32Array, q: number, size: number): number {
  // Four sums, which a processor adds at the same time; as separate variables, which V8 keeps as doubles.
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < size; i += 4) {
    a += (x[p + i] as number) * (y[q + i] as number);
    b += (x[p + i + 1] as number) * (y[q + i + 1] as number);
    c += (x[p + i + 2] as number) * (y[q + i + 2] as number);
    d += (x[p + i + 3] as number) * (y[q + i + 3] as number);
  }
  for (; i < size; i++) a += (x[p + i] as number) * (y[q + i] as number);
  return a + b + c + d;
}

function vote(near: readonly number[], targets: Float32Array, out: Float32Array): void {
  const votes = new Array<number>(out.length).fill(VOTES);
  for (const row of near) {
    const of = targets[row] as number;
    votes[of] = (votes[of] ?? 0) + 1;
  }
  const all = votes.reduce((sum, n) => sum + n, 0);
  for (const [k, n] of votes.entries()) out[k] = Math.log(n / all);
}

function average(near: readonly number[], targets: Float32Array, out: Float32Array): void {
  for (let k = 0; k < out.length; k++) {
    let sum = 0;
    for (const row of near) sum += targets[row * out.length + k] as number;
    out[k] = sum / near.length;
  }
}
