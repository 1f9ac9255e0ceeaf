import { rng } from '../../common/random.ts';
import { createGraph, finish, type GraphBuilder } from '../builder.ts';
import { gradients } from '../differentiate.ts';
import type { Graph, NodeId, Shape } from '../ir.ts';
import {
  add,
  binary,
  broadcastTo,
  constant,
  conv,
  div,
  input,
  matmul,
  mul,
  reduceMean,
  reduceSum,
  relu,
  select,
  sqrt,
  sub,
  tanh,
  unary,
  zerosLike,
} from '../ops.ts';
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

/**
 * Random operators and switches on [2, 3] tensors x and y, with the gradient of their sum and guarded steps along it; the
 * indices i and j go from 0 to 2.
 */
export function randomSwitches(seed: number): Graph {
  const random = rng('random switches', seed);
  const g = createGraph();
  const indices = ['i', 'j'].map((name) => input(g, name, []));
  const x = input(g, 'x', [2, 3]);
  const y = input(g, 'y', [2, 3]);
  const nodes = [x, y, constant(g, 0, [2, 3])];
  const recent = () => random.pick(nodes.slice(-6));
  for (let n = 0; n < 20; n++) {
    const [p, q] = [recent(), recent()];
    nodes.push(
      random.pick([
        () => unary(g, random.pick(['relu', 'tanh', 'neg', 'sigmoid', 'zerosLike'] as const), p),
        () => binary(g, random.pick(['add', 'sub', 'mul', 'max'] as const), p, q),
        () => matmul(g, p, matmul(g, q, p, { transposeA: true })),
        () => broadcastTo(g, reduceMean(g, p, [1], true), [2, 3]),
        () => select(g, random.pick(indices), [p, q, recent()]),
        () => select(g, random.pick(indices), [constant(g, 0, [2, 3]), q, tanh(g, q)]),
      ])(),
    );
  }
  const sum = nodes.reduce((total, id) => add(g, total, id));
  const loss = reduceMean(g, tanh(g, sum), [0, 1]);
  const [dx = -1, dy = -1] = gradients(g, loss, [x, y]);
  const squares = reduceSum(g, mul(g, dx, dx), [0, 1]);
  const [i = 0, j = 0] = indices;
  const nextX = select(g, i, [x, sub(g, x, mul(g, dx, squares)), x]);
  const nextY = select(g, i, [y, y, select(g, j, [sub(g, y, dy), y, y])]);
  return finish(g, { sum, loss, dx, dy, nextX, nextY });
}

const geometry = { stride: [1, 1], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 1 } as const;

/**
 * A layer that is, by `index`, nothing, its input, or one of two convolutions a and b, and a gradient step for the weights of
 * the chosen one. `clip`: along the gradients of both, divided by their norm.
 */
export function layerStep(clip: boolean): Graph {
  const g = createGraph();
  const [index, x] = [input(g, 'index', []), input(g, 'x', [2, 3, 4, 4])];
  const weights = ['a', 'b'].map((name) => input(g, name, [3, 3, 3, 3]));
  const before = mul(g, x, input(g, 'gain', [1, 3, 1, 1]));
  const convolutions = weights.map((w) => conv(g, relu(g, before), w, geometry));
  const y = select(g, index, [zerosLike(g, x), before, ...convolutions]);
  const loss = reduceMean(g, mul(g, y, y), [0, 1, 2, 3]);
  const slopes = gradients(g, loss, weights);
  const norm = sqrt(
    g,
    slopes.map((d) => reduceSum(g, mul(g, d, d), [0, 1, 2, 3])).reduce((sum, s) => add(g, sum, s)),
  );
  const next = weights.map((w, i) => {
    const slope = slopes[i] ?? w;
    const moved = sub(g, w, clip ? div(g, slope, norm) : slope);
    return select(g, index, [w, w, i === 0 ? moved : w, i === 1 ? moved : w]);
  });
  const [dGain = 0] = gradients(g, loss, [g.nodes.findIndex(({ op }) => op.kind === 'input' && op.name === 'gain')]);
  return finish(g, { loss, dGain, nextA: next[0] ?? 0, nextB: next[1] ?? 0 });
}
