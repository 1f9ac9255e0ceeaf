/** A network of two layers worked out by hand, to check proxies against. */
import { rng } from '../../../common/random.ts';
import type { DatasetInfo, SearchData } from '../../../data/dataset.ts';
import type { Arrays } from '../../../task/spec.ts';

export type Rows = readonly (readonly number[])[];

/** Random samples of these shapes, four to a class or so. */
export function noise(input: readonly number[], outputs: number, count: number): SearchData {
  const size = input.reduce((product, n) => product * n, 1);
  const channels = input[0] ?? 1;
  const info: DatasetInfo = {
    name: 'noise',
    kind: 'classification',
    input,
    outputs,
    labels: Array.from({ length: outputs }, (_, i) => String(i)),
    mean: Array.from({ length: channels }, (_, i) => i / 4),
    deviation: Array.from({ length: channels }, (_, i) => 1 + i / 2),
    counts: { train: count, valid: 0, test: 0 },
    notes: [],
  };
  const samples = {
    count,
    async read(indices: readonly number[], { input, target }: Arrays) {
      for (const [at, index] of indices.entries()) {
        const random = rng('noise', index);
        for (let i = 0; i < size; i++) if (input) input[at * size + i] = random.normal();
        if (target) target[at] = index % outputs;
      }
    },
  };
  return { info, train: samples, valid: samples };
}

/** linear, ReLU, linear, without biases: `first` [H, F], `second` [K, H]. */
export interface Chain {
  readonly first: Rows;
  readonly second: Rows;
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

/** Before the ReLU, [N, H]. */
export const hiddenOf = ({ first }: Chain, x: Rows): Rows => x.map((row) => first.map((unit) => dot(unit, row)));

/** [N, K] */
export const outputOf = (chain: Chain, x: Rows): Rows =>
  hiddenOf(chain, x).map((row) =>
    chain.second.map((unit) =>
      dot(
        unit,
        row.map((value) => Math.max(0, value)),
      ),
    ),
  );

export function softmax(row: readonly number[]): number[] {
  const exps = row.map((value) => Math.exp(value - Math.max(...row)));
  const sum = exps.reduce((total, value) => total + value, 0);
  return exps.map((value) => value / sum);
}

/** Mean cross-entropy. */
export function lossOf(chain: Chain, x: Rows, targets: Rows): number {
  const each = outputOf(chain, x).map((row, n) => -dot(targets[n] ?? [], softmax(row).map(Math.log)));
  return each.reduce((sum, value) => sum + value, 0) / each.length;
}

/** Both matrices in one vector, and back. */
export const flat = ({ first, second }: Chain): number[] => [...first.flat(), ...second.flat()];
export function unflat(vector: readonly number[], like: Chain): Chain {
  let at = 0;
  const cut = (rows: Rows) =>
    rows.map((row) => {
      at += row.length;
      return vector.slice(at - row.length, at);
    });
  return { first: cut(like.first), second: cut(like.second) };
}

/** Central differences. */
export function numericGradient(
  f: (vector: readonly number[]) => number,
  at: readonly number[],
  step = 1e-5,
): number[] {
  return at.map((value, i) => (f(at.with(i, value + step)) - f(at.with(i, value - step))) / (2 * step));
}
