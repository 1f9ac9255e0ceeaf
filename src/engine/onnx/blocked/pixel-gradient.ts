/**
 * The filter's gradient of a convolution as one blocked convolution, pixel by pixel.
 *
 * The numbers of a pixel take the place of columns: an image is [1, H, W·lane], a single input channel of its group, and dy, as it
 * lies in memory, has the filters of that group, [O, 1, oH, oW]. Dilated by the numbers of a pixel, the convolution gives
 * [O, kH, kW·lane]: neighboring columns and channels in neighboring registers. An image, or a group of its channels, is a
 * group, and their results are summed. Of several blocks of input channels, those of a row are put beside one another as rows.
 */
import { four } from '../value.ts';
import { type Blocked, type Name, nchwc, sumOfRows, view } from './blocked.ts';
import { partOf } from './shift.ts';
import type { ConvWeightGradient } from './tiled-gradient.ts';

/**
 * Whether this form can compute the gradient: dilated, most columns of its result would be of no use; and ONNX Runtime refuses a
 * blocked convolution of more images and groups than a block holds that fill no whole blocks.
 */
function hasPixelForm({ xShape, geometry }: ConvWeightGradient, block: number): boolean {
  const maps = (xShape[0] ?? Number.NaN) * geometry.groups;
  return geometry.dilation.every((step) => step === 1) && (maps < block || maps % block === 0);
}

/** dw in `filter` layout; undefined where this form cannot compute it. */
export function pixelGradient(b: Blocked, gradient: ConvWeightGradient): Name | undefined {
  const { x, xShape, shape, geometry } = gradient;
  const { model, block } = b;
  const [n, , h, w] = four(xShape);
  const [, i] = four(shape);
  const { groups, pads } = geometry;
  if (!hasPixelForm(gradient, block)) return undefined;
  const [images, inner] = [n * groups, i / block];
  const order = Array.from({ length: h * inner }, (_, at) => (at % inner) * h + Math.floor(at / inner));
  const rows =
    inner === 1
      ? x
      : model.node(
          'Gather',
          [view(b, x, [images, h * inner, w * block]), model.ints(order)],
          { axis: 1 },
          { reuse: true },
        );
  const shapeOfRows = [images, block, h * inner, w] as const;
  const columns = columnsOf(gradient);
  const part = { offset: -pads[1], step: 1, count: columns };
  const image = partOf(b, view(b, rows, shapeOfRows), shapeOfRows, 'columns', part);
  return view(b, byPixels(b, gradient, { image, inner, columns, lane: block }), shape);
}

/** dw in `outer` layout, where x is plain, of fewer channels than a block; undefined where this form cannot compute it. */
export function stemGradient(b: Blocked, gradient: ConvWeightGradient): Name | undefined {
  const { x, xShape, geometry } = gradient;
  const { model } = b;
  const [n, c, h, w] = four(xShape);
  const { pads } = geometry;
  if (!hasPixelForm(gradient, b.block)) return undefined;
  const pixels = c === 1 ? view(b, x, [n, h, w, 1]) : model.node('Transpose', [x], { perm: [0, 2, 3, 1] });
  const columns = columnsOf(gradient);
  const [left, right] = [pads[1], columns - w - pads[1]];
  // Zeros where they are positive, else columns fewer.
  const image =
    left === 0 && right === 0 ? pixels : model.node('Pad', [pixels, model.ints([0, 0, left, 0, 0, 0, right, 0])]);
  return byPixels(b, gradient, { image, inner: 1, columns, lane: c });
}

/** The columns that windows reach. The others are left out, and padding added: columns that reach into it are computed one at a time. */
function columnsOf({ dyShape, shape, geometry }: ConvWeightGradient): number {
  return ((dyShape[3] ?? Number.NaN) - 1) * geometry.stride[1] + (shape[3] ?? Number.NaN);
}

interface Pixels {
  /** [N·groups, H, inner, columns, lane] */
  readonly image: Name;
  /** Blocks of input channels, each a row. */
  readonly inner: number;
  readonly columns: number;
  /** The input channels of a pixel in a row. */
  readonly lane: number;
}

/** [O/B, inner, kH, kW, lane, B] */
function byPixels(
  b: Blocked,
  { xShape, dy, dyShape, shape, geometry }: ConvWeightGradient,
  { image, inner, columns, lane }: Pixels,
): Name {
  const { model, block } = b;
  const [n, , h] = four(xShape);
  const [, o, oh, ow] = four(dyShape);
  const [, , kh, kw] = four(shape);
  const { groups, stride, pads } = geometry;
  const bottom = kh - 1 + (oh - 1) * stride[0] + 1 - h - pads[0];
  const input = view(b, image, [1, n * groups, h * inner, columns * lane]);
  const perImage = nchwc(b, 'Conv', [input, view(b, dy, [n * o, 1, oh, ow])], {
    kernel_shape: [oh, ow],
    strides: [1, 1],
    dilations: [stride[0] * inner, stride[1] * lane],
    pads: [pads[0] * inner, 0, Math.max(0, bottom) * inner, 0],
    group: n * groups,
  });
  // More than the filter has where a stride leaves rows of x unread.
  const rows = kh + Math.max(0, -bottom);
  const summed = sumOfRows(b, perImage, n, o * rows * inner * kw * lane);
  const all = view(b, summed, [o / block, rows, inner, kw, lane * block]);
  const cut = rows === kh ? all : model.node('Slice', [all, model.ints([0]), model.ints([kh]), model.ints([1])]);
  const ordered = inner === 1 ? cut : model.node('Transpose', [cut], { perm: [0, 2, 1, 3, 4] });
  return view(b, ordered, [o / block, inner, kh, kw, lane, block]);
}
