import type { PoolGeometry, Shape } from '../ir.ts';
import { avgPool, maxPool } from '../ops.ts';
import { type GraphCase, graphCase } from './case.ts';

/** Pooling x with a kernel, a stride and pads gives y. */
type PoolCase = readonly [name: string, x: Shape, y: Shape, ...Pooling];
type Pooling = readonly [kernel: Pair, stride: Pair, pads: PoolGeometry['pads']];
type Pair = PoolGeometry['kernel'];

const POOLS: readonly PoolCase[] = [
  ['3x3 stride 1', [2, 2, 4, 5], [2, 2, 4, 5], [3, 3], [1, 1], [1, 1, 1, 1]],
  ['2x2 stride 2', [1, 2, 4, 6], [1, 2, 2, 3], [2, 2], [2, 2], [0, 0, 0, 0]],
  ['2x2 stride 2, a row and a column left over', [2, 1, 5, 7], [2, 1, 2, 3], [2, 2], [2, 2], [0, 0, 0, 0]],
  ['3x3 stride 2, odd size', [1, 2, 5, 7], [1, 2, 3, 4], [3, 3], [2, 2], [1, 1, 1, 1]],
  ['3x3 stride 2, even size', [2, 1, 6, 4], [2, 1, 3, 2], [3, 3], [2, 2], [1, 1, 1, 1]],
  ['1x3, everything asymmetric', [1, 2, 5, 6], [1, 2, 3, 7], [1, 3], [2, 1], [0, 1, 0, 2]],
  ['3x2 stride 3, gaps between windows', [1, 2, 7, 6], [1, 2, 2, 2], [3, 2], [4, 3], [0, 0, 1, 0]],
  ['of the whole image', [2, 3, 4, 3], [2, 3, 1, 1], [4, 3], [1, 1], [0, 0, 0, 0]],
];

export const poolCases: readonly GraphCase[] = POOLS.flatMap(([name, x, y, kernel, stride, pads]) => {
  const geometry: PoolGeometry = { kernel, stride, pads };
  return [
    graphCase(`maxPool ${name}`, { x: [x, 'distinct'] }, (g, p = 0) => maxPool(g, p, geometry)),
    graphCase(`maxPoolScatter ${name}`, { x: [x, 'distinct'], dy: [y] }, (g, p = 0, q = 0) =>
      g.add({ kind: 'maxPoolScatter', ...geometry }, [p, q]),
    ),
    graphCase(`maxPoolGather ${name}`, { x: [x, 'distinct'], v: [x] }, (g, p = 0, q = 0) =>
      g.add({ kind: 'maxPoolGather', ...geometry }, [p, q]),
    ),
    graphCase(`avgPool ${name}`, { x: [x] }, (g, p = 0) => avgPool(g, p, geometry)),
    graphCase(`avgPoolGrad ${name}`, { dy: [y] }, (g, p = 0) =>
      g.add({ kind: 'avgPoolGrad', shape: x, ...geometry }, [p]),
    ),
  ];
});
