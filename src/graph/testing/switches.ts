import type { GraphBuilder } from '../builder.ts';
import type { NodeId, Shape } from '../ir.ts';
import { add, constant, matmul, mul, reduceSum, relu, select, tanh } from '../ops.ts';
import { type GraphCase, graphCase } from './case.ts';

/** A case whose further inputs `i`, `j` are indices of the given values. */
function switchCase(
  name: string,
  indices: readonly number[],
  feeds: Readonly<Record<string, readonly [shape: Shape]>>,
  body: (g: GraphBuilder, indices: readonly NodeId[], inputs: readonly NodeId[]) => NodeId,
): GraphCase {
  const names = ['i', 'j'].slice(0, indices.length);
  const all = { ...Object.fromEntries(names.map((index) => [index, [[]] as const])), ...feeds };
  const made = graphCase(`${name}, ${indices.map((value) => `option ${value}`).join(' and ')}`, all, (g, ...inputs) =>
    body(g, inputs.slice(0, names.length), inputs.slice(names.length)),
  );
  const values = names.map((index, n) => [index, { shape: [], data: Float64Array.of(indices[n] ?? 0) }] as const);
  return { ...made, feeds: { ...made.feeds, ...Object.fromEntries(values) } };
}

/** Two layers in a row that one switch decides alike, as the cells of a supernet: skipped, linear, or nothing. */
function cells(g: GraphBuilder, [index = 0]: readonly NodeId[], [x = 0, a = 0, b = 0]: readonly NodeId[]): NodeId {
  return [a, b].reduce((value, w) => {
    const layer = tanh(g, matmul(g, relu(g, value), w));
    return add(g, value, select(g, index, [constant(g, 0, g.shape(value)), value, layer]));
  }, x);
}

/** A switch within an option of another; the inner one's index decides something outside too. */
function nested(g: GraphBuilder, [i = 0, j = 0]: readonly NodeId[], [x = 0, a = 0, b = 0]: readonly NodeId[]): NodeId {
  const inner = select(g, j, [matmul(g, x, a), tanh(g, matmul(g, x, b))]);
  const outer = select(g, i, [x, mul(g, inner, x)]);
  return add(g, outer, select(g, j, [constant(g, 0, g.shape(x)), x]));
}

const square = [[3, 3]] as const;

export const switchCases: readonly GraphCase[] = [
  ...[0, 1, 2].flatMap((option) => [
    switchCase('select', [option], { a: [[2, 3]], b: [[2, 3]], c: [[2, 3]] }, (g, [index = 0], options) =>
      select(g, index, options),
    ),
    switchCase('cells of one switch', [option], { x: square, a: square, b: square }, cells),
  ]),
  ...[0, 1].flatMap((i) =>
    [0, 1].map((j) => switchCase('a switch within a switch', [i, j], { x: square, a: square, b: square }, nested)),
  ),
  switchCase('select of scalars', [1], { a: [[]], b: [[4]] }, (g, [index = 0], [a = 0, b = 0]) =>
    select(g, index, [a, reduceSum(g, b, [0])]),
  ),
];
