/** Linear models: multinomial logistic regression and ridge regression, both by L-BFGS. */
import { largest } from '../common/extremes.ts';
import type { Table } from './forest.ts';
import { lbfgs } from './lbfgs.ts';

export interface LinearModel {
  readonly outputs: number;
  /** [outputs, features] */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

export interface LinearRequest {
  /** Columns of about the same scale. */
  readonly table: Table;
  /** Class numbers [rows], or numbers [rows, outputs]. */
  readonly targets: ArrayLike<number>;
  readonly loss: 'log-loss' | 'squared-error';
  readonly outputs: number;
  /** Of half the squared weights, beside the mean loss; biases are free. */
  readonly penalty: number;
}

/** Yields the model after each iteration, better than the one before on these rows. An iteration: O(rows · features · outputs). */
export function* fitLinear(request: LinearRequest): Generator<LinearModel, void> {
  const { table, outputs } = request;
  const point = new Float64Array(outputs * (table.columns + 1));
  for (const _ of lbfgs(objectiveOf(request), point)) yield modelOf(point, outputs, table.columns);
}

function modelOf(point: Float64Array, outputs: number, features: number): LinearModel {
  return {
    outputs,
    weights: Float32Array.from(point.subarray(0, outputs * features)),
    bias: Float32Array.from(point.subarray(outputs * features)),
  };
}

/** The mean loss over the rows and its gradient: weights [outputs, features], then biases. */
function objectiveOf({ table, targets, loss, outputs, penalty }: LinearRequest) {
  const { rows, columns, data } = table;
  const row = new Float64Array(outputs);
  return (point: Float64Array, gradient: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      const start = i * columns;
      outputsOf(data, start, columns, point, point, outputs * columns, row);
      sum += loss === 'log-loss' ? classLoss(row, targets[i] as number) : numberLoss(row, targets, i * outputs);
      for (let k = 0; k < outputs; k++) {
        const error = (row[k] as number) / rows;
        const bias = outputs * columns + k;
        gradient[bias] = (gradient[bias] as number) + error;
        const at = k * columns;
        for (let f = 0; f < columns; f++)
          gradient[at + f] = (gradient[at + f] as number) + error * (data[start + f] as number);
      }
    }
    let squares = 0;
    for (let i = 0; i < outputs * columns; i++) {
      const weight = point[i] as number;
      squares += weight * weight;
      gradient[i] = (gradient[i] as number) + penalty * weight;
    }
    return sum / rows + (penalty / 2) * squares;
  };
}

/** The mean loss over the rows, without a penalty; of numbers half the squared error. */
export function linearLoss(
  { weights, bias, outputs }: LinearModel,
  { table, targets, loss }: Pick<LinearRequest, 'table' | 'targets' | 'loss'>,
): number {
  const row = new Float64Array(outputs);
  let sum = 0;
  for (let i = 0; i < table.rows; i++) {
    outputsOf(table.data, i * table.columns, table.columns, weights, bias, 0, row);
    sum += loss === 'log-loss' ? classLoss(row, targets[i] as number) : numberLoss(row, targets, i * outputs);
  }
  return sum / table.rows;
}

/** Fills `row` with the outputs of the row of `data` that begins at `start`. */
function outputsOf(
  data: ArrayLike<number>,
  start: number,
  columns: number,
  weights: ArrayLike<number>,
  bias: ArrayLike<number>,
  biasAt: number,
  row: Float64Array,
): void {
  for (let k = 0; k < row.length; k++) {
    const at = k * columns;
    // Four sums, which a processor adds at the same time; as separate variables, which V8 keeps as doubles.
    let a = bias[biasAt + k] as number;
    let b = 0;
    let c = 0;
    let d = 0;
    let f = 0;
    for (; f + 3 < columns; f += 4) {
      a += (data[start + f] as number) * (weights[at + f] as number);
      b += (data[start + f + 1] as number) * (weights[at + f + 1] as number);
      c += (data[start + f + 2] as number) * (weights[at + f + 2] as number);
      d += (data[start + f + 3] as number) * (weights[at + f + 3] as number);
    }
    for (; f < columns; f++) a += (data[start + f] as number) * (weights[at + f] as number);
    row[k] = a + b + c + d;
  }
}

/** Cross-entropy; turns logits into its derivatives. */
function classLoss(row: Float64Array, target: number): number {
  const top = largest(row);
  const own = row[target] as number;
  let total = 0;
  for (let k = 0; k < row.length; k++) {
    const e = Math.exp((row[k] as number) - top);
    row[k] = e;
    total += e;
  }
  for (let k = 0; k < row.length; k++) row[k] = (row[k] as number) / total - Number(k === target);
  return Math.log(total) + top - own;
}

/** Half the squared error; turns outputs into its derivatives. */
function numberLoss(row: Float64Array, targets: ArrayLike<number>, at: number): number {
  let sum = 0;
  for (let k = 0; k < row.length; k++) {
    const error = (row[k] as number) - (targets[at + k] as number);
    sum += (error * error) / 2;
    row[k] = error;
  }
  return sum;
}

/** The outputs [rows, outputs]: logits, or numbers. */
export function predictLinear({ weights, bias, outputs }: LinearModel, { rows, columns, data }: Table): Float32Array {
  const found = new Float32Array(rows * outputs);
  const row = new Float64Array(outputs);
  for (let i = 0; i < rows; i++) {
    outputsOf(data, i * columns, columns, weights, bias, 0, row);
    found.set(row, i * outputs);
  }
  return found;
}
