/** The gradient of a convolution by its filter, in blocked memory. */

import { sizeOf } from '../../../graph/ir.ts';
import { lowerConvWeightGrad, unfold } from '../lowerings/convolution.ts';
import { four } from '../value.ts';
import { type Blocked, type Name, nchwc, sumOfRows, view } from './blocked.ts';
import { filterToBlocked, toPlain } from './layout.ts';
import { pixelGradient, stemGradient } from './pixel-gradient.ts';
import { partOf, thinned } from './shift.ts';
import {
  type ConvWeightGradient,
  fillsColumns,
  LARGE_FILTER,
  pointwiseGradient,
  tiledGradient,
} from './tiled-gradient.ts';

/**
 * dw in the layout of the filter: `filter` for dense and grouped convolutions, `outer` for depthwise ones, and for a stem,
 * whose x is plain.
 */
export function convWeightGrad(b: Blocked, whole: ConvWeightGradient): Name {
  const { xShape, shape } = whole;
  const [, c] = four(xShape);
  const [o, i] = four(shape);
  if (i === 1 && o === c) return depthwise(b, whole);
  if (i < b.block) return stem(b, whole);
  const gradient = isThin(whole) ? withoutStride(b, whole) : whole;
  return (
    (isFastByPixels(b, gradient) ? pixelGradient(b, gradient) : undefined) ??
    pointwiseGradient(b, gradient) ??
    tiledGradient(b, gradient) ??
    throughPlain(b, gradient)
  );
}

/** Whether a 1x1 convolution leaves out pixels of x under its stride. */
function isThin({ shape, geometry: { stride, pads } }: ConvWeightGradient): boolean {
  return shape[2] === 1 && shape[3] === 1 && Math.max(...stride) > 1 && pads.every((size) => size === 0);
}

/** The same gradient of the pixels alone that the convolution reads: one pass over few of them, and x is dense. */
function withoutStride(b: Blocked, gradient: ConvWeightGradient): ConvWeightGradient {
  const { x, xShape, dyShape, geometry } = gradient;
  const [n, c] = four(xShape);
  const [, , oh, ow] = four(dyShape);
  return {
    ...gradient,
    x: thinned(b, x, xShape, geometry.stride),
    xShape: [n, c, oh, ow],
    geometry: { ...geometry, stride: [1, 1] },
  };
}

/** By measurement. Filters by tiles take less time where blocks are many, unless columns are filled up. */
function isFastByPixels({ block }: Blocked, { xShape, dyShape, shape, geometry }: ConvWeightGradient): boolean {
  const [o, i, , kw] = four(shape);
  if ((i * o) / geometry.groups >= LARGE_FILTER) return false;
  const blocks = i / block;
  if (kw === 1) return blocks === 1 && geometry.stride.every((step) => step === 1);
  return blocks === 1 || (kw <= 3 && blocks <= 3) || fillsColumns({ xShape, dyShape, geometry }, block);
}

/**
 * One group for each image and channel: x as one image, dy as its filters, both views of the same memory. Up to 6 columns of the
 * result that reach into no padding are computed at once, so x is widened first; under a stride it costs more than it gains.
 */
function depthwise(b: Blocked, { x, xShape, dy, dyShape, shape, geometry }: ConvWeightGradient): Name {
  const { model, block } = b;
  const [n, c, h, w] = four(xShape);
  const [, , oh, ow] = four(dyShape);
  const [, , kh, kw] = four(shape);
  const { stride, dilation, pads } = geometry;
  const widens = stride[1] === 1 && pads[1] + pads[3] > 0;
  const atOnce = kw === 4 || kw === 5 ? 6 : kw;
  const reach = (taps: number, axis: 0 | 1, out: number) => (taps - 1) * dilation[axis] + (out - 1) * stride[axis] + 1;
  const count = widens ? reach(atOnce, 1, ow) : w;
  const image = widens ? partOf(b, x, xShape, 'columns', { offset: -pads[1], step: 1, count }) : x;
  const left = widens ? 0 : pads[1];
  // No more at the end than the taps need: a forward's stride may leave rows unread, or padding may be.
  const [bottom, right] = [reach(kh, 0, oh) - h - pads[0], widens ? 0 : reach(kw, 1, ow) - w - left];
  const taps = nchwc(b, 'Conv', [view(b, image, [1, n * c, h, count]), view(b, dy, [n * c, 1, oh, ow])], {
    kernel_shape: [oh, ow],
    strides: dilation,
    dilations: stride,
    pads: [pads[0], left, Math.max(0, bottom), Math.max(0, right)],
    group: n * c,
  });
  const rows = Math.floor(Math.max(0, -bottom) / dilation[0]) + kh;
  const columns = widens ? atOnce : Math.floor(Math.max(0, -right) / dilation[1]) + kw;
  const summed = sumOfRows(b, taps, n, c * rows * columns);
  if (rows === kh && columns === kw) return view(b, summed, shape);
  const all = view(b, summed, [c / block, rows, columns, block]);
  return view(b, model.node('Slice', [all, model.ints([0, 0]), model.ints([kh, kw]), model.ints([1, 2])]), shape);
}

function stem(b: Blocked, gradient: ConvWeightGradient): Name {
  const { shape } = gradient;
  const dw = stemGradient(b, gradient);
  if (dw === undefined) return unfoldedStem(b, gradient);
  const [o, c, kh, kw] = four(shape);
  if (c === 1) return view(b, dw, shape);
  const channelsLast = view(b, dw, [o / b.block, kh, kw, c, b.block]);
  return view(b, b.model.node('Transpose', [channelsLast], { perm: [0, 3, 1, 2, 4] }), shape);
}

/**
 * x is plain: unfolded, [N, I·kH·kW, pixels]. By dy as it lies, [N, O/B, pixels, B], and summed over the images it gives dw as it is
 * to lie, [O/B, I·kH·kW, B].
 */
function unfoldedStem(b: Blocked, { x, xShape, dy, dyShape, shape, geometry }: ConvWeightGradient): Name {
  const { model, block } = b;
  const [o, ...filter] = four(shape);
  const [n, , oh, ow] = four(dyShape);
  const inputs = [
    { name: x, shape: xShape, batchAxis: undefined },
    { name: dy, shape: dyShape, batchAxis: undefined },
  ];
  const op = { kind: 'convWeightGrad', shape, ...geometry } as const;
  const unfolded = view(b, unfold({ model, target: 'cpu' }, { op, inputs }), [n, 1, sizeOf(filter), oh * ow]);
  const perImage = model.node('MatMul', [unfolded, view(b, dy, [n, o / block, oh * ow, block])]);
  return view(b, sumOfRows(b, perImage, n, sizeOf(shape)), shape);
}

function throughPlain(b: Blocked, { x, xShape, dy, dyShape, shape, geometry }: ConvWeightGradient): Name {
  const inputs = [
    { name: toPlain(b, x, xShape), shape: xShape, batchAxis: undefined },
    { name: toPlain(b, dy, dyShape), shape: dyShape, batchAxis: undefined },
  ];
  const op = { kind: 'convWeightGrad', shape, ...geometry } as const;
  const dw = lowerConvWeightGrad({ model: b.model, target: 'cpu' }, { op, inputs, shape, batchAxis: undefined });
  return filterToBlocked(b, dw, shape, 'filter');
}
