import type { BinaryFunction, Shape, UnaryFunction } from '../ir.ts';
import { binary, clip, logSoftmax, reduce, unary } from '../ops.ts';
import { type GraphCase, graphCase, type Spread } from './case.ts';

const UNARY: Readonly<Record<UnaryFunction, Spread>> = {
  relu: 'off',
  sigmoid: 'normal',
  tanh: 'normal',
  exp: 'normal',
  log: 'positive',
  sqrt: 'positive',
  erf: 'normal',
  neg: 'normal',
  abs: 'off',
  step: 'off',
  zerosLike: 'normal',
  stopGradient: 'normal',
};

/** The spread of the second operand. */
const BINARY: Readonly<Record<BinaryFunction, Spread>> = {
  add: 'normal',
  sub: 'normal',
  mul: 'normal',
  div: 'off',
  max: 'normal',
  min: 'normal',
};

const PAIRS: readonly (readonly [a: Shape, b: Shape])[] = [
  [
    [2, 3, 4],
    [2, 3, 4],
  ],
  [
    [2, 3, 4],
    [3, 1],
  ],
  [[4], [2, 3, 4]],
  [
    [2, 1, 4],
    [3, 1],
  ],
  [[], [2, 3]],
  [
    [2, 3, 2, 2],
    [1, 3, 1, 1],
  ],
];

const REDUCTIONS: readonly (readonly [shape: Shape, axes: readonly number[]])[] = [
  [[5], [0]],
  [
    [3, 4],
    [0, 1],
  ],
  [[2, 3, 4], [1]],
  [
    [2, 3, 2, 2],
    [0, 2, 3],
  ],
  [
    [2, 3, 2, 2],
    [2, 3],
  ],
];

export const elementwiseCases: readonly GraphCase[] = [
  ...(Object.keys(UNARY) as UnaryFunction[]).map((fn) => ({
    ...graphCase(`unary ${fn}`, { x: [[2, 3, 4], UNARY[fn]] }, (g, x = 0) => unary(g, fn, x)),
    ...(fn === 'stopGradient' ? { stopsGradient: true as const } : {}),
  })),
  ...(Object.keys(BINARY) as BinaryFunction[]).flatMap((fn) =>
    PAIRS.map(([a, b]) =>
      graphCase(`binary ${fn} [${a}] [${b}]`, { a: [a], b: [b, BINARY[fn]] }, (g, p = 0, q = 0) => binary(g, fn, p, q)),
    ),
  ),
  graphCase('binary mul of a node by itself', { x: [[2, 3]] }, (g, x = 0) => binary(g, 'mul', x, x)),
  graphCase('clip', { x: [[4, 5], 'distinct'] }, (g, x = 0) => clip(g, x, -0.25, 0.375)),
  graphCase('clip above', { x: [[4, 5], 'distinct'] }, (g, x = 0) => clip(g, x, -Infinity, 0.125)),
  graphCase('clip below', { x: [[4, 5], 'distinct'] }, (g, x = 0) => clip(g, x, -0.125, Infinity)),
  ...(['sum', 'mean', 'max'] as const).flatMap((fn) =>
    REDUCTIONS.flatMap(([shape, axes]) =>
      [true, false].map((keepDims) =>
        graphCase(
          `reduce ${fn} [${shape}] over [${axes}]${keepDims ? ', axes kept' : ''}`,
          { x: [shape, 'distinct'] },
          (g, x = 0) => reduce(g, fn, x, axes, keepDims),
        ),
      ),
    ),
  ),
  ...([[5], [3, 5], [2, 3, 4]] as const).map((shape) =>
    graphCase(`logSoftmax [${shape}]`, { x: [shape] }, (g, x = 0) => logSoftmax(g, x)),
  ),
];
