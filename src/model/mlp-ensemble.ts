/** An ensemble of small networks for regression, trained on the engine: all of them in one graph. */
import type { Rng } from '../common/random.ts';
import type { Engine } from '../engine/engine.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { initialParameters, type Layout, layoutOf, powerOfTwo, trainByAdam } from './adam.ts';
import { type Columns, columnsOf, denseTable, type SparseRow } from './sparse.ts';

export interface EnsembleOptions {
  readonly members: number;
  /** Units in each of the two hidden layers. */
  readonly hidden: number;
  /** Steps of Adam, each on all rows. */
  readonly steps: number;
  readonly learningRate: number;
}

/** A trained ensemble. */
export interface MlpEnsemble {
  /** What each member predicts for a row. O(features · members · hidden). */
  predict(row: SparseRow): Float64Array;
}

/** Features beyond these have no column. */
const MOST_COLUMNS = 1024;

/**
 * Trains `members` networks of two hidden layers (ReLU) on the mean squared error of the same rows, each from its own
 * random start (Lakshminarayanan et al. 2017, without adversarial examples); Adam (Kingma & Ba 2015) on all rows at
 * each step. Rows and columns are padded to a power of two, so that few programs serve a study; they are kept as long
 * as the engine. `targets` should have mean 0 and deviation 1.
 */
export async function trainMlpEnsemble(
  engine: Engine,
  rows: readonly SparseRow[],
  targets: ArrayLike<number>,
  rng: Rng,
  options: EnsembleOptions,
): Promise<MlpEnsemble> {
  const { members, hidden } = options;
  const columns = columnsOf(rows, MOST_COLUMNS);
  const [n, width] = [powerOfTwo(rows.length), powerOfTwo(columns.count)];
  const layout = networksOf(members, width, hidden);
  const x = new Float32Array(n * width);
  x.set(denseTable(rows, columns, width));
  const feeds = {
    x: { shape: [n, width], data: x },
    y: { shape: [n, 1], data: Float32Array.from({ length: n }, (_, i) => targets[i] ?? 0) },
    // Rows that only fill up have no weight.
    weight: {
      shape: [n, 1],
      data: Float32Array.from({ length: n }, (_, i) => (i < rows.length ? 1 / rows.length : 0)),
    },
  };
  const theta = await trainByAdam(engine, {
    layout,
    start: initialParameters(layout, rng),
    loss: (g) => lossIn(g, n, layout),
    key: ['mlp', n, width, members, hidden].join(),
    feeds,
    steps: options.steps,
    learningRate: () => options.learningRate,
  });
  return forwardOf(layout, theta, columns);
}

interface Networks extends Layout {
  readonly members: number;
  readonly width: number;
  readonly hidden: number;
}

/**
 * Weights uniform with variance 2 / inputs (He et al. 2015); the first layer counts some eight inputs, as rows are
 * sparse.
 */
function networksOf(members: number, width: number, hidden: number): Networks {
  const bound = (inputs: number) => Math.sqrt(6 / inputs);
  const layout = layoutOf([
    // The members stand side by side: one product serves all.
    [[width, members * hidden], bound(Math.min(8, width))],
    [[1, members * hidden], 0],
    [[members, hidden, hidden], bound(hidden)],
    [[members, 1, hidden], 0],
    [[members, hidden, 1], bound(hidden)],
    [[members, 1, 1], 0],
  ]);
  return { ...layout, members, width, hidden };
}

/** The mean squared error. Inputs: x [N, F], y [N, 1], weight [N, 1]. */
function lossIn(g: GraphBuilder, n: number, networks: Networks): (parts: readonly NodeId[]) => NodeId {
  const x = ops.input(g, 'x', [n, networks.width]);
  const y = ops.input(g, 'y', [n, 1]);
  const weight = ops.input(g, 'weight', [n, 1]);
  return (parts) => {
    const error = ops.sub(g, predictions(g, x, parts, networks), y); // [E, N, 1]
    return ops.reduceSum(g, ops.mul(g, ops.mul(g, error, error), weight), [0, 1, 2]);
  };
}

/** x [N, F] -> [E, N, 1] */
function predictions(g: GraphBuilder, x: NodeId, parts: readonly NodeId[], { members, hidden }: Networks): NodeId {
  const [w1, b1, w2, b2, w3, b3] = parts as [NodeId, NodeId, NodeId, NodeId, NodeId, NodeId];
  const n = g.shape(x)[0] ?? Number.NaN;
  const side = ops.relu(g, ops.add(g, ops.matmul(g, x, w1), b1)); // [N, E·H]
  const first = ops.transpose(g, ops.reshape(g, side, [n, members, hidden]), [1, 0, 2]);
  const second = ops.relu(g, ops.add(g, ops.matmul(g, first, w2), b2));
  return ops.add(g, ops.matmul(g, second, w3), b3);
}

/** The same in plain loops, for one sparse row: a run of a program takes longer than some hundred rows. */
function forwardOf({ members, hidden, parts }: Networks, theta: Float32Array, columns: Columns): MlpEnsemble {
  const [w1, b1, w2, b2, w3, b3] = parts.map(({ at }) => at) as [number, number, number, number, number, number];
  const side = members * hidden;
  const first = new Float64Array(side);
  return {
    predict(row) {
      for (let i = 0; i < side; i++) first[i] = theta[b1 + i] ?? Number.NaN;
      for (const [feature, value] of row) {
        const column = columns.of(feature);
        if (column === undefined) continue;
        const at = w1 + column * side;
        for (let i = 0; i < side; i++) first[i] = (first[i] ?? Number.NaN) + value * (theta[at + i] ?? Number.NaN);
      }
      return Float64Array.from({ length: members }, (_, member) => {
        let output = theta[b3 + member] ?? Number.NaN;
        for (let to = 0; to < hidden; to++) {
          let sum = theta[b2 + member * hidden + to] ?? Number.NaN;
          for (let from = 0; from < hidden; from++) {
            const value = first[member * hidden + from] ?? Number.NaN;
            if (value > 0) sum += value * (theta[w2 + (member * hidden + from) * hidden + to] ?? Number.NaN);
          }
          if (sum > 0) output += sum * (theta[w3 + member * hidden + to] ?? Number.NaN);
        }
        return output;
      });
    },
  };
}
