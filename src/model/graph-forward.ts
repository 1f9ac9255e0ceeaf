/** Graph networks in plain loops, for one graph: a run of a program takes longer. */
import { FIRST_OPERATION, type GraphRow, type Networks, OPEN } from './graph-shape.ts';

/** What each member predicts. In topological order one visit of each node is enough, where the program takes rounds. */
export function forwardOf(networks: Networks, theta: Float32Array): (row: GraphRow) => Float64Array {
  const members = Array.from({ length: networks.members }, (_, member) => memberOf(networks, theta, member));
  return (row) => Float64Array.from(members, (predict) => predict(row));
}

function memberOf(networks: Networks, theta: Float32Array, member: number): (row: GraphRow) => number {
  const { shape, hidden, cells, members, parts } = networks;
  const { components, edges, sources, sinks } = shape;
  const [table, forth, back, atSources, atSinks, w1, b1, w2, b2] = parts.map((part, i) => {
    const end = parts[i + 1]?.at ?? networks.size;
    const size = (end - part.at) / members;
    return theta.subarray(part.at + member * size, part.at + (member + 1) * size);
  }) as Nine;
  const gates = table.map((value) => 1 / (1 + Math.exp(-value)));
  const gate = (number: number, direction: number, h: number) =>
    number < FIRST_OPERATION
      ? number
      : (gates[((number - FIRST_OPERATION) * 2 + direction) * hidden + h] ?? Number.NaN);
  const states = () => components.map(() => new Float64Array(hidden));

  /** The state of each node, [K][H]. */
  const sweep = (row: GraphRow, direction: 0 | 1): readonly Float64Array[] => {
    const [weights, given, ends] = direction === 0 ? [forth, atSources, sources] : [back, atSinks, sinks];
    const sums = states();
    const order = direction === 0 ? [...components.keys()] : [...components.keys()].reverse();
    for (const node of order) {
      const state = sums[node] as Float64Array;
      const end = ends.indexOf(node);
      for (let h = 0; h < hidden; h++) {
        const entering = end < 0 ? 0 : (given[end * hidden + h] ?? Number.NaN);
        state[h] = entering + (state[h] ?? Number.NaN) * gate(row.nodes[node] ?? Number.NaN, direction, h);
      }
      const changed = product(state, weights, hidden).map((value) => Math.max(0, value));
      for (const [p, { from, to }] of edges.entries()) {
        if ((direction === 0 ? from : to) !== node) continue;
        const number = row.edges[p] ?? Number.NaN;
        const sum = sums[direction === 0 ? to : from] as Float64Array;
        for (let h = 0; h < hidden; h++) {
          const sent = number === OPEN ? state[h] : (changed[h] ?? Number.NaN) * gate(number, direction, h);
          sum[h] = (sum[h] ?? Number.NaN) + (sent ?? Number.NaN);
        }
      }
    }
    return sums;
  };

  return (row) => {
    const [ahead, behind] = [sweep(row, 0), sweep(row, 1)];
    const read = new Float64Array(cells * hidden + shape.features);
    for (const [node, cell] of components.entries()) {
      for (let h = 0; h < hidden; h++) {
        const met = (ahead[node]?.[h] ?? Number.NaN) * (behind[node]?.[h] ?? Number.NaN);
        read[cell * hidden + h] = (read[cell * hidden + h] ?? Number.NaN) + met;
      }
    }
    read.set(row.features, cells * hidden);
    const inner = product(read, w1, hidden).map((value, h) => Math.max(0, value + (b1[h] ?? Number.NaN)));
    return inner.reduce((sum, value, h) => sum + value * (w2[h] ?? Number.NaN), b2[0] ?? Number.NaN);
  };
}

type Nine = [
  ...[Float32Array, Float32Array, Float32Array, Float32Array, Float32Array],
  ...[Float32Array, Float32Array, Float32Array, Float32Array],
];

/** x [I] · weights [I, columns] */
function product(x: Float64Array, weights: Float32Array, columns: number): Float64Array {
  const y = new Float64Array(columns);
  for (const [i, value] of x.entries()) {
    if (value === 0) continue;
    for (let j = 0; j < columns; j++) y[j] = (y[j] ?? Number.NaN) + value * (weights[i * columns + j] ?? Number.NaN);
  }
  return y;
}
