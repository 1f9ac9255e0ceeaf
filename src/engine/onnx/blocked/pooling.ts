/** Pooling and its gradients, in blocked memory. */
import type { PoolGeometry, Shape } from '../../../graph/ir.ts';
import { lowerAvgPoolGrad, lowerMaxPoolScatter, windowCounts } from '../lowerings/pooling.ts';
import { four } from '../value.ts';
import { type Blocked, type Name, nchwc, view } from './blocked.ts';
import { toBlocked, toPlain } from './layout.ts';
import { type MaxPoolScatter, scatterBlocked } from './max-pool-gradient.ts';
import { spread } from './spread.ts';

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
  /** Added to the result, of its shape. */
  readonly sum?: Name;
}

/** dx + sum: each dy over its window's number of elements, spread over the window. */
export function avgPoolGrad(b: Blocked, { dy, dyShape, shape, geometry, sum }: AvgPoolGradient): Name {
  const { model } = b;
  const [, c, h, w] = four(shape);
  const [, , oh, ow] = four(dyShape);
  const { kernel, stride, pads } = geometry;
  const counts = windowCounts(geometry, shape, dyShape);
  const alike = counts.every((count) => count === counts[0]);
  const share = 1 / (counts[0] ?? 1);
  const add = (dx: Name) => (sum === undefined ? dx : model.node('Add', [dx, sum]));
  if (alike && kernel.every((k, axis) => k === stride[axis]) && oh * kernel[0] === h && ow * kernel[1] === w) {
    const shares = model.node('Mul', [dy, model.floats([], [share])]);
    return add(nchwc(b, 'Upsample', [shares], { scales: [1, 1, ...kernel], mode: 'nearest' }));
  }
  const weight = alike ? share : 1;
  const dx = spread(b, {
    dy: alike ? dy : sharesOf(b, dy, dyShape, counts),
    dyShape,
    shape,
    kernel,
    stride,
    dilation: [1, 1],
    pads,
    groups: c,
    filter: (rows, columns) =>
      model.floats(
        [c, 1, rows.length, columns.length],
        new Float32Array(c * rows.length * columns.length).fill(weight),
      ),
    ...(sum !== undefined && { sum }),
  });
  if (dx !== undefined) return dx;
  const op = { kind: 'avgPoolGrad', shape, ...geometry } as const;
  const inputs = [{ name: toPlain(b, dy, dyShape), shape: dyShape, batchAxis: undefined }];
  const emitter = { model, target: 'cpu' } as const;
  return add(toBlocked(b, lowerAvgPoolGrad(emitter, { op, inputs, shape, batchAxis: undefined })));
}

/** dy over its window's number of elements. The numbers are repeated for a block, so that images are plain rows of floats. */
function sharesOf(b: Blocked, dy: Name, dyShape: Shape, counts: readonly number[]): Name {
  const { block, model } = b;
  const [n, c] = four(dyShape);
  const size = counts.length;
  const parts = model.floats(
    [size, 1],
    counts.map((count) => 1 / count),
  );
  const repeated = view(b, model.node('Expand', [parts, model.ints([size, block])]), [size * block]);
  const images = view(b, dy, [(n * c) / block, size * block]);
  return view(b, model.node('Mul', [images, repeated]), dyShape);
}

/** dx: each dy goes to the first largest element of its window, row by row. */
export function maxPoolScatter(b: Blocked, scatter: MaxPoolScatter): Name {
  const { x, xShape, dy, dyShape, geometry } = scatter;
  const dx = scatterBlocked(b, scatter);
  if (dx !== undefined) return dx;
  const op = { kind: 'maxPoolScatter', ...geometry } as const;
  const inputs = [
    { name: toPlain(b, x, xShape), shape: xShape, batchAxis: undefined },
    { name: toPlain(b, dy, dyShape), shape: dyShape, batchAxis: undefined },
  ];
  const emitter = { model: b.model, target: 'cpu' } as const;
  return toBlocked(b, lowerMaxPoolScatter(emitter, { op, inputs, shape: xShape, batchAxis: undefined }));
}
