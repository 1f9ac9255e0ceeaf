import type { ConvGeometry, Shape } from '../ir.ts';
import { conv, matmul } from '../ops.ts';
import { type GraphCase, graphCase } from './case.ts';

/** A convolution of x by w giving y. */
interface ConvCase {
  readonly name: string;
  readonly x: Shape;
  readonly w: Shape;
  readonly y: Shape;
  readonly geometry: ConvGeometry;
}

const plain: ConvGeometry = { stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], groups: 1 };
const around = (n: number): ConvGeometry['pads'] => [n, n, n, n];

/** Shapes of y are written out, not computed: they test the shape rule. */
const CONVOLUTIONS: readonly ConvCase[] = [
  { name: '1x1', x: [2, 3, 3, 4], w: [4, 3, 1, 1], y: [2, 4, 3, 4], geometry: plain },
  { name: '1x1 stride 2', x: [2, 2, 5, 4], w: [3, 2, 1, 1], y: [2, 3, 3, 2], geometry: { ...plain, stride: [2, 2] } },
  { name: '3x3', x: [2, 2, 4, 5], w: [3, 2, 3, 3], y: [2, 3, 4, 5], geometry: { ...plain, pads: around(1) } },
  { name: '3x3 unpadded', x: [1, 2, 5, 4], w: [2, 2, 3, 3], y: [1, 2, 3, 2], geometry: plain },
  {
    name: '3x3 stride 2, odd size',
    x: [2, 2, 5, 7],
    w: [2, 2, 3, 3],
    y: [2, 2, 3, 4],
    geometry: { ...plain, stride: [2, 2], pads: around(1) },
  },
  {
    // The last row and column of the padded input are never read.
    name: '3x3 stride 2, even size',
    x: [2, 2, 6, 4],
    w: [3, 2, 3, 3],
    y: [2, 3, 3, 2],
    geometry: { ...plain, stride: [2, 2], pads: around(1) },
  },
  {
    name: '2x2 stride 3, a row of x unread',
    x: [1, 2, 6, 6],
    w: [2, 2, 2, 2],
    y: [1, 2, 2, 2],
    geometry: { ...plain, stride: [3, 3] },
  },
  {
    name: '3x3 dilation 2',
    x: [1, 2, 6, 5],
    w: [2, 2, 3, 3],
    y: [1, 2, 6, 5],
    geometry: { ...plain, dilation: [2, 2], pads: around(2) },
  },
  {
    name: '3x3 dilation 2, stride 2',
    x: [1, 2, 6, 7],
    w: [2, 2, 3, 3],
    y: [1, 2, 3, 4],
    geometry: { ...plain, dilation: [2, 2], stride: [2, 2], pads: around(2) },
  },
  {
    name: '3x3 in 2 groups',
    x: [2, 4, 4, 3],
    w: [6, 2, 3, 3],
    y: [2, 6, 4, 3],
    geometry: { ...plain, groups: 2, pads: around(1) },
  },
  {
    name: '3x3 depthwise',
    x: [2, 3, 4, 5],
    w: [3, 1, 3, 3],
    y: [2, 3, 4, 5],
    geometry: { ...plain, groups: 3, pads: around(1) },
  },
  {
    name: '3x3 depthwise, stride 2',
    x: [2, 3, 6, 5],
    w: [3, 1, 3, 3],
    y: [2, 3, 3, 3],
    geometry: { ...plain, groups: 3, stride: [2, 2], pads: around(1) },
  },
  {
    name: '5x5 depthwise, dilation 2',
    x: [1, 2, 5, 6],
    w: [2, 1, 5, 5],
    y: [1, 2, 5, 6],
    geometry: { ...plain, groups: 2, dilation: [2, 2], pads: around(4) },
  },
  {
    name: '3x3 depthwise with multiplier 2',
    x: [1, 2, 4, 4],
    w: [4, 1, 3, 3],
    y: [1, 4, 4, 4],
    geometry: { ...plain, groups: 2, pads: around(1) },
  },
  {
    name: '1x3, everything asymmetric',
    x: [2, 2, 5, 6],
    w: [2, 2, 1, 3],
    y: [2, 2, 4, 4],
    geometry: { stride: [2, 1], dilation: [1, 2], pads: [0, 1, 2, 1], groups: 1 },
  },
  {
    name: '2x3, pads before only',
    x: [1, 2, 4, 4],
    w: [2, 2, 2, 3],
    y: [1, 2, 4, 4],
    geometry: { ...plain, pads: [1, 2, 0, 0] },
  },
];

const MATRICES: readonly (readonly [lead: Shape, m: number, k: number, n: number])[] = [
  [[], 3, 4, 2],
  [[2], 2, 3, 4],
  [[2, 3], 2, 2, 3],
];

const FLAGS = [false, true] as const;

export const productCases: readonly GraphCase[] = [
  ...MATRICES.flatMap(([lead, m, k, n]) =>
    FLAGS.flatMap((transposeA) =>
      FLAGS.map((transposeB) => {
        const a = [...lead, ...(transposeA ? [k, m] : [m, k])];
        const b = [...lead, ...(transposeB ? [n, k] : [k, n])];
        const sign = (transposed: boolean) => (transposed ? ' transposed' : '');
        return graphCase(
          `matmul [${a}]${sign(transposeA)} [${b}]${sign(transposeB)}`,
          { a: [a], b: [b] },
          (g, p = 0, q = 0) => matmul(g, p, q, { transposeA, transposeB }),
        );
      }),
    ),
  ),
  graphCase('matmul with bias', { x: [[3, 4]], w: [[2, 4]], bias: [[2]] }, (g, x = 0, w = 0, bias = 0) =>
    matmul(g, x, w, { transposeB: true, bias }),
  ),
  graphCase('matmul with bias, batched', { a: [[2, 3, 4]], b: [[2, 4, 2]], c: [[2]] }, (g, a = 0, b = 0, bias = 0) =>
    matmul(g, a, b, { bias }),
  ),
  ...CONVOLUTIONS.flatMap(({ name, x, w, y, geometry }) => [
    graphCase(`conv ${name}`, { x: [x], w: [w] }, (g, p = 0, q = 0) => conv(g, p, q, geometry)),
    graphCase(`convInputGrad ${name}`, { dy: [y], w: [w] }, (g, p = 0, q = 0) =>
      g.add({ kind: 'convInputGrad', shape: x, ...geometry }, [p, q]),
    ),
    graphCase(`convWeightGrad ${name}`, { x: [x], dy: [y] }, (g, p = 0, q = 0) =>
      g.add({ kind: 'convWeightGrad', shape: w, ...geometry }, [p, q]),
    ),
  ]),
  graphCase('conv with bias', { x: [[2, 2, 4, 3]], w: [[3, 2, 3, 3]], bias: [[3]] }, (g, x = 0, w = 0, bias = 0) =>
    conv(g, x, w, { ...plain, pads: around(1) }, bias),
  ),
];
