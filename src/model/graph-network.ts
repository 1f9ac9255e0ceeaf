/**
 * An ensemble of graph networks over directed acyclic graphs, trained on the engine: all of them in one graph. The cells of an
 * architecture are such graphs.
 */
import { largest } from '../common/extremes.ts';
import type { Rng } from '../common/random.ts';
import type { Engine, Feeds } from '../engine/engine.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { initialParameters, powerOfTwo, trainByAdam } from './adam.ts';
import { forwardOf } from './graph-forward.ts';
import {
  CLOSED,
  FIRST_OPERATION,
  type GraphRow,
  type GraphShape,
  type Networks,
  networksOf,
  OPEN,
} from './graph-shape.ts';

export interface GraphNetworkOptions {
  readonly members: number;
  /** Numbers in the state of a node. */
  readonly hidden: number;
  /** Steps of Adam, each on all rows. */
  readonly steps: number;
  /** At the first step; it falls to 0 by half a cosine. */
  readonly learningRate: number;
}

/** A trained ensemble. */
export interface GraphNetworks {
  /** What each member predicts for a graph. O(members · hidden · (nodes · hidden + edges)). */
  predict(row: GraphRow): Float64Array;
}

/**
 * Trains `members` graph networks on the mean squared error of the same rows, each from its own random start; Adam on all rows at each
 * step. `targets` should have mean 0 and deviation 1.
 *
 * A network reads a cell as information flows through it, after GATES (Ning et al. 2020, "A Generic Graph-based Neural Architecture
 * Encoding Scheme for Predictor-based NAS"): an operation is a gate, σ(embedding), on what passes its edge or node. A node's state is
 * the sum of gate ⊙ relu(W · state) over the edges into it; what enters at the sources is learned.
 *
 * Differs: a second sweep goes against the edges, from the sinks, with weights and gates of its own (both directions, as in the graph
 * convolutions of Wen et al. 2020 and Shi et al. 2020); the read-out of a cell is the sum over its nodes of the products of both states,
 * so that a node counts that an input reaches and that reaches the output; an identity passes the state itself, a zero nothing. Cells
 * that compute the same are thereby alike. Two layers read the cells and `features`. GATES trains by ranking; the squared error gives an
 * ensemble's deviation its unit.
 */
export async function trainGraphNetworks(
  engine: Engine,
  shape: GraphShape,
  rows: readonly GraphRow[],
  targets: ArrayLike<number>,
  rng: Rng,
  options: GraphNetworkOptions,
): Promise<GraphNetworks> {
  const { steps, learningRate, members, hidden } = options;
  const networks = networksOf(shape, members, hidden);
  const n = powerOfTwo(rows.length);
  const theta = await trainByAdam(engine, {
    layout: networks,
    start: initialParameters(networks, rng),
    loss: (g) => lossIn(g, n, networks),
    key: JSON.stringify(['graph networks', n, members, hidden, shape]),
    feeds: feedsOf(networks, rows, targets, n),
    steps,
    learningRate: (step) => learningRate * 0.5 * (1 + Math.cos((Math.PI * step) / steps)),
  });
  return { predict: forwardOf(networks, theta) };
}

function feedsOf(
  { shape, members }: Networks,
  rows: readonly GraphRow[],
  targets: ArrayLike<number>,
  n: number,
): Feeds {
  const numbers = shape.operations + FIRST_OPERATION;
  /** [members · places, n]: rows of the table that has the gates of all members. */
  const gates = (of: (row: GraphRow) => ArrayLike<number>, places: number) => {
    const data = new Int32Array(members * places * n).map((_, at) => {
      const row = rows[at % n];
      const place = Math.floor(at / n);
      const number = row === undefined ? CLOSED : (of(row)[place % places] ?? CLOSED);
      return Math.floor(place / places) * numbers + number;
    });
    return { shape: [members * places, n], data };
  };
  const column = (of: (row: GraphRow, i: number) => number) => ({
    shape: [n],
    data: Float32Array.from({ length: n }, (_, i) => (rows[i] === undefined ? 0 : of(rows[i], i))),
  });
  const features = new Float32Array(n * shape.features);
  for (const [i, row] of rows.entries()) features.set(row.features, i * shape.features);
  return {
    edges: gates(({ edges }) => edges, shape.edges.length),
    nodes: gates(({ nodes }) => nodes, shape.components.length),
    ...(shape.features > 0 && { features: { shape: [1, n, shape.features], data: features } }),
    y: column((_, i) => targets[i] ?? Number.NaN),
    // Rows that only fill up have no weight.
    weight: column(() => 1 / rows.length),
  };
}

/** The mean squared error, summed over the members. */
function lossIn(g: GraphBuilder, n: number, networks: Networks): (parts: readonly NodeId[]) => NodeId {
  const { shape, members } = networks;
  const edges = ops.input(g, 'edges', [members * shape.edges.length, n], 'int32');
  const nodes = ops.input(g, 'nodes', [members * shape.components.length, n], 'int32');
  const features = shape.features > 0 ? ops.input(g, 'features', [1, n, shape.features]) : undefined;
  const y = ops.input(g, 'y', [n]);
  const weight = ops.input(g, 'weight', [n]);
  const open = openEdges(g, edges, networks, n);
  return (parts) => {
    const error = ops.sub(g, predictions(g, { edges, open, nodes, features, n }, parts, networks), y); // [E, N]
    return ops.reduceSum(g, ops.mul(g, ops.mul(g, error, error), weight), [0, 1]);
  };
}

/** [E·P, N, 1]: 1 where the edge is open. */
function openEdges(g: GraphBuilder, edges: NodeId, { shape, members }: Networks, n: number): NodeId {
  const places = members * shape.edges.length;
  const numbers = shape.operations + FIRST_OPERATION;
  const isOpen = Array.from({ length: members * numbers }, (_, i) => Number(i % numbers === OPEN));
  return ops.reshape(g, ops.gather(g, ops.constant(g, isOpen), edges), [places, n, 1]);
}

/** E members, P edges, K nodes, N rows, H numbers in a state. */
interface Inputs {
  /** [E·P, N] */
  readonly edges: NodeId;
  /** [E·P, N, 1] */
  readonly open: NodeId;
  /** [E·K, N] */
  readonly nodes: NodeId;
  /** [1, N, features] */
  readonly features: NodeId | undefined;
  readonly n: number;
}

/** [E, N] */
function predictions(g: GraphBuilder, inputs: Inputs, parts: readonly NodeId[], networks: Networks): NodeId {
  const { shape, members, hidden, cells } = networks;
  const { features, n } = inputs;
  const [table, forth, back, sources, sinks, w1, b1, w2, b2] = parts as Nine;
  const count = shape.components.length;
  const gates = gatesOf(g, table, networks);
  const onEdges = ops.gather(g, gates, inputs.edges); // [E·P, N, 2H]
  const onNodes = ops.gather(g, gates, inputs.nodes); // [E·K, N, 2H]

  const sweep = (direction: 0 | 1, weights: NodeId, ends: NodeId): NodeId => {
    const [start, end] = direction === 0 ? (['from', 'to'] as const) : (['to', 'from'] as const);
    const reads = forAll(
      g,
      networks,
      count,
      shape.edges.map((edge) => edge[start]),
    );
    const writes = forAll(
      g,
      networks,
      count,
      shape.edges.map((edge) => edge[end]),
    );
    const places = direction === 0 ? shape.sources : shape.sinks;
    const half = (x: NodeId) =>
      ops.slice(g, x, [0, 0, direction * hidden], [g.shape(x)[0] ?? 0, n, (direction + 1) * hidden]);
    const given = ops.reshape(g, ends, [members * places.length, hidden]);
    const spread = ops.scatterAdd(g, given, forAll(g, networks, count, places), members * count);
    const single = ops.reshape(g, spread, [members * count, 1, hidden]);
    const entering = ops.broadcastTo(g, single, [members * count, n, hidden]);
    const closing = ops.mul(g, half(onEdges), ops.sub(g, ops.constant(g, 1), inputs.open));
    let state = entering;
    for (let round = 0; round < longestPath(shape); round++) {
      const flat = ops.reshape(g, state, [members, count * n, hidden]);
      const changed = ops.reshape(g, ops.relu(g, ops.matmul(g, flat, weights)), [members * count, n, hidden]);
      const byOperations = ops.mul(g, ops.gather(g, changed, reads), closing);
      const asItIs = ops.mul(g, ops.gather(g, state, reads), inputs.open);
      const sum = ops.scatterAdd(g, ops.add(g, byOperations, asItIs), writes, members * count);
      state = ops.add(g, entering, ops.mul(g, sum, half(onNodes)));
    }
    return state;
  };

  const met = ops.mul(g, sweep(0, forth, sources), sweep(1, back, sinks)); // [E·K, N, H]
  const ofCells = ops.scatterAdd(g, met, forAll(g, networks, cells, shape.components), members * cells);
  const byRow = ops.transpose(g, ops.reshape(g, ofCells, [members, cells, n, hidden]), [0, 2, 1, 3]);
  const read = ops.reshape(g, byRow, [members, n, cells * hidden]);
  const beside = features === undefined ? [] : [ops.broadcastTo(g, features, [members, n, shape.features])];
  const inner = ops.relu(g, ops.add(g, ops.matmul(g, ops.concat(g, [read, ...beside], 2), w1), b1));
  return ops.reshape(g, ops.add(g, ops.matmul(g, inner, w2), b2), [members, n]);
}

type Nine = [NodeId, NodeId, NodeId, NodeId, NodeId, NodeId, NodeId, NodeId, NodeId];

/** The gates of all members: [E · (2 + operations), 2H]. */
function gatesOf(g: GraphBuilder, table: NodeId, { shape, members, hidden }: Networks): NodeId {
  const width = 2 * hidden;
  const given = (value: number) => ops.constant(g, value, [members, 1, width]);
  const all = ops.concat(g, [given(0), given(1), ops.sigmoid(g, table)], 1);
  return ops.reshape(g, all, [members * (FIRST_OPERATION + shape.operations), width]);
}

/** Rows of each member's part of a table, which has `rows` of them. */
function forAll(g: GraphBuilder, { members }: Networks, rows: number, of: readonly number[]): NodeId {
  return ops.indices(g, Array.from({ length: members }, (_, e) => of.map((row) => e * rows + row)).flat());
}

/** Edges of the longest path. */
function longestPath({ components, edges }: GraphShape): number {
  const lengths = components.map(() => 0);
  for (const { from, to } of edges.toSorted((a, b) => a.to - b.to))
    lengths[to] = Math.max(lengths[to] ?? 0, (lengths[from] ?? 0) + 1);
  return largest(lengths);
}
