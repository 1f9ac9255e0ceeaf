/** Logistic regression on sparse rows: bags of words. */
import { largest } from '../common/extremes.ts';
import { lbfgs } from './lbfgs.ts';
import type { LinearModel } from './linear.ts';

/** Rows one after another: those of row i are the entries from `starts[i]` to `starts[i + 1]`. */
export interface SparseTable {
  readonly rows: number;
  readonly columns: number;
  /** [rows + 1] */
  readonly starts: Int32Array;
  /** The column of each entry, and its value. */
  readonly at: Int32Array;
  readonly values: Float32Array;
}

export interface SparseRequest {
  readonly table: SparseTable;
  /** Class numbers [rows]. */
  readonly targets: ArrayLike<number>;
  readonly outputs: number;
  /** Of half the squared weights, beside the mean loss; biases are free. */
  readonly penalty: number;
}

/**
 * Multinomial logistic regression by L-BFGS. Yields the model after each iteration, better than the one before on these rows. Its weights are
 * [features, outputs], other than those of `fitLinear`. An iteration: O(entries · outputs).
 */
export function* fitSparse({ table, targets, outputs, penalty }: SparseRequest): Generator<LinearModel, void> {
  const { rows, columns, starts, at, values } = table;
  const point = new Float64Array(outputs * (columns + 1));
  const bias = outputs * columns;
  const row = new Float64Array(outputs);
  const objective = (weights: Float64Array, gradient: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      row.set(weights.subarray(bias));
      addRow(row, weights, at, values, starts[i] as number, starts[i + 1] as number);
      const target = targets[i] as number;
      const top = largest(row);
      let total = 0;
      for (let k = 0; k < outputs; k++) total += Math.exp((row[k] as number) - top);
      sum += Math.log(total) + top - (row[target] as number);
      for (let k = 0; k < outputs; k++) {
        const error = (Math.exp((row[k] as number) - top) / total - Number(k === target)) / rows;
        row[k] = error;
        gradient[bias + k] = (gradient[bias + k] as number) + error;
      }
      for (let e = starts[i] as number; e < (starts[i + 1] as number); e++) {
        const from = (at[e] as number) * outputs;
        const value = values[e] as number;
        for (let k = 0; k < outputs; k++)
          gradient[from + k] = (gradient[from + k] as number) + value * (row[k] as number);
      }
    }
    let squares = 0;
    for (let i = 0; i < bias; i++) {
      const weight = weights[i] as number;
      squares += weight * weight;
      gradient[i] = (gradient[i] as number) + penalty * weight;
    }
    return sum / rows + (penalty / 2) * squares;
  };
  for (const _ of lbfgs(objective, point))
    yield {
      outputs,
      weights: Float32Array.from(point.subarray(0, bias)),
      bias: Float32Array.from(point.subarray(bias)),
    };
}

/** Logits [rows, outputs]. */
export function predictSparse({ weights, bias, outputs }: LinearModel, table: SparseTable): Float32Array {
  const { rows, starts, at, values } = table;
  const found = new Float32Array(rows * outputs);
  const row = new Float64Array(outputs);
  for (let i = 0; i < rows; i++) {
    row.set(bias);
    addRow(row, weights, at, values, starts[i] as number, starts[i + 1] as number);
    found.set(row, i * outputs);
  }
  return found;
}

function addRow(
  row: Float64Array,
  weights: ArrayLike<number>,
  at: Int32Array,
  values: Float32Array,
  from: number,
  to: number,
): void {
  const { length: outputs } = row;
  for (let e = from; e < to; e++) {
    const start = (at[e] as number) * outputs;
    const value = values[e] as number;
    for (let k = 0; k < outputs; k++) row[k] = (row[k] as number) + value * (weights[start + k] as number);
  }
}
