/** An ensemble of small networks for regression, trained on the engine: all of them in one graph. */
import type { Rng } from '../common/random.ts';
import type { Engine, Program } from '../engine/engine.ts';
import { createGraph, finish, type GraphBuilder } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import { type Graph, type NodeId, type Shape, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
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

/** Steps in one run of the program: what a run costs beside its operators is then a small part. */
const STEPS_IN_A_RUN = 10;
/** Features beyond these have no column. */
const MOST_COLUMNS = 1024;
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-7];

/** Programs by shape, as long as their engine lives. */
const programs = new WeakMap<Engine, Map<string, Promise<Program>>>();

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
  const layout = layoutOf(members, width, hidden);
  const program = await programFor(engine, n, width, options);
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
  const zeros = () => ({ shape: [layout.size], data: new Float32Array(layout.size) });
  const one = () => ({ shape: [], data: Float32Array.of(1) });
  const start = { shape: [layout.size], data: initial(layout, rng) };
  const state = engine.createState({ theta: start, mean: zeros(), square: zeros(), power1: one(), power2: one() });
  try {
    for (let step = 0; step < options.steps; step += STEPS_IN_A_RUN) await program.run(feeds, state);
    const { theta } = await state.read(['theta']);
    return forwardOf(layout, theta?.data ?? start.data, columns);
  } finally {
    state.dispose();
  }
}

/** Where each tensor stands in the vector of all parameters. */
interface Layout {
  readonly members: number;
  readonly width: number;
  readonly hidden: number;
  readonly size: number;
  readonly parts: readonly { readonly at: number; readonly shape: Shape; readonly fanIn: number }[];
}

function layoutOf(members: number, width: number, hidden: number): Layout {
  const shapes: [Shape, number][] = [
    // The members stand side by side: one product serves all.
    [[width, members * hidden], width],
    [[1, members * hidden], 0],
    [[members, hidden, hidden], hidden],
    [[members, 1, hidden], 0],
    [[members, hidden, 1], hidden],
    [[members, 1, 1], 0],
  ];
  let size = 0;
  const parts = shapes.map(([shape, fanIn]) => {
    const at = size;
    size += sizeOf(shape);
    return { at, shape, fanIn };
  });
  return { members, width, hidden, size, parts };
}

/**
 * Weights uniform with variance 2 / inputs (He et al. 2015); the first layer counts some eight inputs, as rows are
 * sparse.
 */
function initial({ size, parts, width }: Layout, rng: Rng): Float32Array {
  const theta = new Float32Array(size);
  for (const { at, shape, fanIn } of parts) {
    if (fanIn === 0) continue;
    const bound = Math.sqrt(6 / (at === 0 ? Math.min(8, width) : fanIn));
    for (let i = 0; i < sizeOf(shape); i++) theta[at + i] = bound * (2 * rng.float() - 1);
  }
  return theta;
}

function programFor(engine: Engine, n: number, width: number, options: EnsembleOptions): Promise<Program> {
  const kept = programs.get(engine) ?? new Map<string, Promise<Program>>();
  programs.set(engine, kept);
  const { members, hidden, learningRate } = options;
  const key = [n, width, members, hidden, learningRate].join();
  const carries = { nextTheta: 'theta', nextMean: 'mean', nextSquare: 'square', next1: 'power1', next2: 'power2' };
  const program =
    kept.get(key) ?? engine.compile(trainingGraph(n, layoutOf(members, width, hidden), learningRate), carries);
  kept.set(key, program);
  return program;
}

/** Some steps of Adam. Inputs: x [N, F], y [N, 1], weight [N, 1] and the state. */
function trainingGraph(n: number, layout: Layout, learningRate: number): Graph {
  const g = createGraph();
  const x = ops.input(g, 'x', [n, layout.width]);
  const y = ops.input(g, 'y', [n, 1]);
  const weight = ops.input(g, 'weight', [n, 1]);
  let [theta, mean, square] = ['theta', 'mean', 'square'].map((name) => ops.input(g, name, [layout.size])) as [
    NodeId,
    NodeId,
    NodeId,
  ];
  let [power1, power2] = ['power1', 'power2'].map((name) => ops.input(g, name, [])) as [NodeId, NodeId];
  const one = ops.constant(g, 1);
  for (let step = 0; step < STEPS_IN_A_RUN; step++) {
    const parts = partsOf(g, theta, layout);
    const error = ops.sub(g, predictions(g, x, parts, layout), y); // [E, N, 1]
    const loss = ops.reduceSum(g, ops.mul(g, ops.mul(g, error, error), weight), [0, 1, 2]);
    const byParts = gradients(g, loss, parts);
    const flat = byParts.map((gradient) => ops.reshape(g, gradient, [sizeOf(g.shape(gradient))]));
    const gradient = ops.concat(g, flat, 0);
    mean = ops.add(g, ops.scale(g, mean, BETA1), ops.scale(g, gradient, 1 - BETA1));
    square = ops.add(g, ops.scale(g, square, BETA2), ops.scale(g, ops.mul(g, gradient, gradient), 1 - BETA2));
    power1 = ops.scale(g, power1, BETA1);
    power2 = ops.scale(g, power2, BETA2);
    const rate = ops.div(g, ops.scale(g, ops.sqrt(g, ops.sub(g, one, power2)), learningRate), ops.sub(g, one, power1));
    const root = ops.add(g, ops.sqrt(g, square), ops.constant(g, EPSILON));
    theta = ops.sub(g, theta, ops.mul(g, ops.div(g, mean, root), rate));
  }
  return finish(g, { nextTheta: theta, nextMean: mean, nextSquare: square, next1: power1, next2: power2 });
}

function partsOf(g: GraphBuilder, theta: NodeId, { parts }: Layout): NodeId[] {
  return parts.map(({ at, shape }) => ops.reshape(g, ops.slice(g, theta, [at], [at + sizeOf(shape)]), shape));
}

/** x [N, F] -> [E, N, 1] */
function predictions(g: GraphBuilder, x: NodeId, parts: readonly NodeId[], { members, hidden }: Layout): NodeId {
  const [w1, b1, w2, b2, w3, b3] = parts as [NodeId, NodeId, NodeId, NodeId, NodeId, NodeId];
  const n = g.shape(x)[0] ?? Number.NaN;
  const side = ops.relu(g, ops.add(g, ops.matmul(g, x, w1), b1)); // [N, E·H]
  const first = ops.transpose(g, ops.reshape(g, side, [n, members, hidden]), [1, 0, 2]);
  const second = ops.relu(g, ops.add(g, ops.matmul(g, first, w2), b2));
  return ops.add(g, ops.matmul(g, second, w3), b3);
}

/** The same in plain loops, for one sparse row: a run of a program takes longer than some hundred rows. */
function forwardOf({ members, hidden, parts }: Layout, theta: Float32Array, columns: Columns): MlpEnsemble {
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

const powerOfTwo = (n: number): number => Math.max(16, 2 ** Math.ceil(Math.log2(Math.max(1, n))));
