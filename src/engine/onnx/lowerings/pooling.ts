/** Pooling and its gradients in the portable layout; the forms were measured (docs/engine.md). */
import type { OpOf, PoolGeometry, Shape } from '../../../graph/ir.ts';
import { type Emitter, FLOAT, four, type Lowering, operand, reshape, type Value } from '../value.ts';
import { unread } from './convolution.ts';
import { scatterTaps, type TapWindow, tapViews } from './taps.ts';

const attributesOf = ({ kernel, stride, pads }: PoolGeometry) => ({ kernel_shape: kernel, strides: stride, pads });

export const lowerMaxPool: Lowering<OpOf<'maxPool'>> = ({ model }, { op, inputs }) =>
  model.node('MaxPool', [operand(inputs, 0).name], attributesOf(op));

/** Where each window's first largest element lies in the whole of x, as one row of int64. */
function whereLargest(emitter: Emitter, op: PoolGeometry, x: Value): string {
  const pooled = emitter.model.node('MaxPool', [x.name], attributesOf(op), { outputs: 2 });
  return flat(emitter, `${pooled}:1`);
}

const tapWindow = ({ kernel, stride, pads }: PoolGeometry): TapWindow => ({ kernel, stride, pads, dilation: [1, 1] });

/** The least float32: less than padding no element is. */
const LOWEST = -3.4028234663852886e38;

/** Without indices, which only the CPU gives: for each tap, `whole` where it is its window's first largest, else 0. */
function shareOut(emitter: Emitter, op: PoolGeometry, x: Value, pooled: Shape, whole: string): string[] {
  const { model } = emitter;
  const [, , oh, ow] = four(pooled);
  const largest = model.node('MaxPool', [x.name], attributesOf(op));
  let left = whole;
  return tapViews(emitter, x, tapWindow(op), [oh, ow], LOWEST).map((view) => {
    const isLargest = model.node('Cast', [model.node('GreaterOrEqual', [view, largest])], { to: FLOAT });
    const share = model.node('Mul', [isLargest, left]);
    left = model.node('Sub', [left, share]);
    return share;
  });
}

function flat(emitter: Emitter, name: string): string {
  return reshape(emitter, name, [-1], undefined);
}

/** (x, dy) -> dx */
export const lowerMaxPoolScatter: Lowering<OpOf<'maxPoolScatter'>> = (emitter, { op, inputs, shape, batchAxis }) => {
  const { model } = emitter;
  const [x, dy] = [operand(inputs, 0), operand(inputs, 1)];
  if (emitter.target !== 'cpu') {
    const parts = shareOut(emitter, op, x, dy.shape, dy.name);
    return scatterTaps(emitter, parts, tapWindow(op), dy, shape);
  }
  const zeros = model.node('ConstantOfShape', [model.node('Shape', [flat(emitter, x.name)])]);
  const scattered = model.node('ScatterElements', [zeros, whereLargest(emitter, op, x), flat(emitter, dy.name)], {
    axis: 0,
    reduction: 'add',
  });
  return reshape(emitter, scattered, shape, batchAxis);
};

/** (x, v) -> v at the largest */
export const lowerMaxPoolGather: Lowering<OpOf<'maxPoolGather'>> = (emitter, { op, inputs, shape, batchAxis }) => {
  const [x, v] = [operand(inputs, 0), operand(inputs, 1)];
  if (emitter.target !== 'cpu') {
    const [, , oh, ow] = four(shape);
    const one = emitter.model.floats([], [1]);
    const chosen = shareOut(emitter, op, x, shape, one);
    const views = tapViews(emitter, v, tapWindow(op), [oh, ow], 0);
    const parts = views.map((view, tap) => emitter.model.node('Mul', [view, chosen[tap] ?? '']));
    return parts.reduce((sum, part) => emitter.model.node('Add', [sum, part]));
  }
  const where = whereLargest(emitter, op, x);
  const gathered = emitter.model.node('GatherElements', [flat(emitter, v.name), where], { axis: 0 });
  return reshape(emitter, gathered, shape, batchAxis);
};

export const lowerAvgPool: Lowering<OpOf<'avgPool'>> = ({ model }, { op, inputs }) =>
  model.node('AveragePool', [operand(inputs, 0).name], { ...attributesOf(op), count_include_pad: 0 });

/** (dy) -> dx: each dy over its window's number of elements, spread over the window. */
export const lowerAvgPoolGrad: Lowering<OpOf<'avgPoolGrad'>> = ({ model }, { op, inputs, shape }) => {
  const dy = operand(inputs, 0);
  const { kernel, stride, pads } = op;
  const [, c] = four(shape);
  const area = kernel[0] * kernel[1];
  const counts = windowCounts(op, shape, dy.shape);
  // What is spread is the share of a full window; windows that reach into the padding have more for each element.
  const [, , oh, ow] = four(dy.shape);
  const shares = counts.every((count) => count === area)
    ? dy.name
    : model.node('Mul', [
        dy.name,
        model.floats(
          [1, 1, oh, ow],
          counts.map((count) => area / count),
        ),
      ]);
  if (stride[0] === 1 && stride[1] === 1) {
    const flipped = pads.map((pad, i) => (kernel[i % 2] ?? Number.NaN) - 1 - pad);
    return model.node('AveragePool', [shares], { kernel_shape: kernel, pads: flipped, count_include_pad: 1 });
  }
  const filter = model.floats([c, 1, ...kernel], new Float32Array(c * area).fill(1 / area));
  return model.node('ConvTranspose', [shares, filter], {
    ...attributesOf(op),
    group: c,
    output_padding: [unread(op, shape, kernel, 0), unread(op, shape, kernel, 1)],
  });
};

/** For each window, row by row, how many elements of x it covers: padding is not counted. */
export function windowCounts({ kernel, stride, pads }: PoolGeometry, x: Shape, y: Shape): number[] {
  const covered = (axis: 0 | 1) =>
    Array.from({ length: four(y)[2 + axis] ?? Number.NaN }, (_, i) => {
      const start = i * stride[axis] - pads[axis];
      return Math.min(four(x)[2 + axis] ?? Number.NaN, start + kernel[axis]) - Math.max(0, start);
    });
  const columns = covered(1);
  return covered(0).flatMap((rows) => columns.map((column) => rows * column));
}
