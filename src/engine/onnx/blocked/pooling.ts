/** Pooling and its gradients, in blocked memory. */
import type { PoolGeometry, Shape } from '../../../graph/ir.ts';
import { lowerAvgPoolGrad, lowerMaxPoolScatter } from '../lowerings/pooling.ts';
import { type Blocked, type Name, nchwc } from './blocked.ts';
import { toBlocked, toPlain } from './layout.ts';

const attributesOf = ({ kernel, stride, pads }: PoolGeometry) => ({
  kernel_shape: kernel,
  strides: stride,
  pads,
  dilations: [1, 1],
});

export function maxPool(b: Blocked, x: Name, geometry: PoolGeometry): Name {
  return nchwc(b, 'MaxPool', [x], attributesOf(geometry));
}

/** Padding is not counted. */
export function avgPool(b: Blocked, x: Name, geometry: PoolGeometry): Name {
  return nchwc(b, 'AveragePool', [x], { ...attributesOf(geometry), count_include_pad: 0 });
}

export interface AvgPoolGradient {
  readonly dy: Name;
  readonly dyShape: Shape;
  /** Of dx */
  readonly shape: Shape;
  readonly geometry: PoolGeometry;
}

export function avgPoolGrad(b: Blocked, { dy, dyShape, shape, geometry }: AvgPoolGradient): Name {
  const op = { kind: 'avgPoolGrad', shape, ...geometry } as const;
  const inputs = [{ name: toPlain(b, dy, dyShape), shape: dyShape, batchAxis: undefined }];
  return toBlocked(b, lowerAvgPoolGrad({ model: b.model, target: 'cpu' }, { op, inputs, shape, batchAxis: undefined }));
}

export interface MaxPoolScatter {
  readonly x: Name;
  /** Of x, and so of dx. */
  readonly xShape: Shape;
  readonly dy: Name;
  readonly dyShape: Shape;
  readonly geometry: PoolGeometry;
}

/** dx: each dy goes to the first largest element of its window, row by row. */
export function maxPoolScatter(b: Blocked, { x, xShape, dy, dyShape, geometry }: MaxPoolScatter): Name {
  const op = { kind: 'maxPoolScatter', ...geometry } as const;
  const inputs = [
    { name: toPlain(b, x, xShape), shape: xShape, batchAxis: undefined },
    { name: toPlain(b, dy, dyShape), shape: dyShape, batchAxis: undefined },
  ];
  const dx = lowerMaxPoolScatter(
    { model: b.model, target: 'cpu' },
    { op, inputs, shape: xShape, batchAxis: undefined },
  );
  return toBlocked(b, dx);
}
