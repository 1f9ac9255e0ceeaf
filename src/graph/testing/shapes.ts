import type { Shape } from '../ir.ts';
import { add, broadcastTo, concat, constant, mul, pad, reshape, slice, transpose } from '../ops.ts';
import { type GraphCase, graphCase } from './case.ts';

const BROADCASTS: readonly (readonly [from: Shape, to: Shape])[] = [
  [[], [2, 2]],
  [[3], [2, 3]],
  [
    [3, 1],
    [2, 3, 4],
  ],
  [
    [1, 3, 1, 1],
    [2, 3, 2, 2],
  ],
];

const RESHAPES: readonly (readonly [from: Shape, to: Shape])[] = [
  [[6], [2, 3]],
  [
    [2, 3, 2, 2],
    [2, 12],
  ],
  [[1, 1], []],
];

const ORDERS: readonly (readonly [shape: Shape, perm: readonly number[]])[] = [
  [
    [2, 3],
    [1, 0],
  ],
  [
    [2, 3, 4],
    [2, 0, 1],
  ],
  [
    [2, 3, 4, 2],
    [0, 2, 3, 1],
  ],
  [
    [2, 4, 3, 1],
    [1, 0, 2, 3],
  ],
];

export const shapeCases: readonly GraphCase[] = [
  graphCase('constant', { x: [[2, 3]] }, (g, x = 0) =>
    add(g, mul(g, x, constant(g, [1, -2, 3], [3])), constant(g, 0.5)),
  ),
  graphCase('constant filling a shape', { x: [[2, 3]] }, (g, x = 0) => mul(g, x, constant(g, 0.75, [2, 3]))),
  ...BROADCASTS.map(([from, to]) =>
    graphCase(`broadcastTo [${from}] to [${to}]`, { x: [from] }, (g, x = 0) => broadcastTo(g, x, to)),
  ),
  ...RESHAPES.map(([from, to]) =>
    graphCase(`reshape [${from}] to [${to}]`, { x: [from] }, (g, x = 0) => reshape(g, x, to)),
  ),
  ...ORDERS.map(([shape, perm]) =>
    graphCase(`transpose [${shape}] by [${perm}]`, { x: [shape] }, (g, x = 0) => transpose(g, x, perm)),
  ),
  graphCase('slice of a row', { x: [[5]] }, (g, x = 0) => slice(g, x, [1], [4])),
  graphCase('slice of an image', { x: [[2, 3, 4, 5]] }, (g, x = 0) => slice(g, x, [0, 1, 0, 2], [2, 3, 3, 5])),
  graphCase('pad of a row', { x: [[3]] }, (g, x = 0) => pad(g, x, [2], [1])),
  graphCase('pad of an image', { x: [[2, 2, 3, 2]] }, (g, x = 0) => pad(g, x, [0, 1, 0, 2], [0, 0, 1, 1])),
  graphCase('concat of rows', { a: [[2]], b: [[3]] }, (g, a = 0, b = 0) => concat(g, [a, b], 0)),
  graphCase(
    'concat of channels',
    { a: [[2, 1, 2, 2]], b: [[2, 3, 2, 2]], c: [[2, 2, 2, 2]] },
    (g, a = 0, b = 0, c = 0) => concat(g, [a, b, c], 1),
  ),
  graphCase('concat of a node with itself', { x: [[2, 3]] }, (g, x = 0) => concat(g, [x, x], -1)),
];
