import type { PoolGeometry, Shape } from '../ir.ts';
import { avgPool, maxPool } from '../ops.ts';
import { type GraphCase, graphCase } from './case.ts';

/** Pooling x gives y. */
interface PoolCase {
  readonly name: string;
  readonly x: Shape;
  readonly y: Shape;
  readonly geometry: PoolGeometry;
}

const POOLS: readonly PoolCase[] = [
  {
    name: '3x3 stride 1',
    x: [2, 2, 4, 5],
    y: [2, 2, 4, 5],
    geometry: { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1] },
  },
  {
    name: '2x2 stride 2',
    x: [1, 2, 4, 6],
    y: [1, 2, 2, 3],
    geometry: { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] },
  },
  {
    name: '2x2 stride 2, a row and a column left over',
    x: [2, 1, 5, 7],
    y: [2, 1, 2, 3],
    geometry: { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] },
  },
  {
    name: '3x3 stride 2, odd size',
    x: [1, 2, 5, 7],
    y: [1, 2, 3, 4],
    geometry: { kernel: [3, 3], stride: [2, 2], pads: [1, 1, 1, 1] },
  },
  {
    name: '3x3 stride 2, even size',
    x: [2, 1, 6, 4],
    y: [2, 1, 3, 2],
    geometry: { kernel: [3, 3], stride: [2, 2], pads: [1, 1, 1, 1] },
  },
  {
    name: '1x3, everything asymmetric',
    x: [1, 2, 5, 6],
    y: [1, 2, 3, 7],
    geometry: { kernel: [1, 3], stride: [2, 1], pads: [0, 1, 0, 2] },
  },
  {
    name: '3x2 stride 3, gaps between windows',
    x: [1, 2, 7, 6],
    y: [1, 2, 2, 2],
    geometry: { kernel: [3, 2], stride: [4, 3], pads: [0, 0, 1, 0] },
  },
  {
    name: 'of the whole image',
    x: [2, 3, 4, 3],
    y: [2, 3, 1, 1],
    geometry: { kernel: [4, 3], stride: [1, 1], pads: [0, 0, 0, 0] },
  },
];

export const poolCases: readonly GraphCase[] = POOLS.flatMap(({ name, x, y, geometry }) => [
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
]);
