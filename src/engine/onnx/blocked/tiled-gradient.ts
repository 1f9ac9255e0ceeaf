/**
 * The filter's gradient of a dense or grouped convolution as blocked convolutions, one for each column of the filter.
 *
 * B pixels of a row take the place of a block of input channels, and the forward's input channels that of columns. x becomes an
 * image [1, B pixels, H, chunks·I]; dy, as it lies in memory, is a filter [O, B pixels, oH, chunks]. Dilated by the I
 * columns of a chunk, the convolution gives [O, kH, I]: B output channels in a register, input channels in neighboring
 * registers, and nothing unfolded. Rows of the filter are rows of the result. For its columns, dy or x is shifted. An image,
 * or a few, is a group, and the groups' results are summed.
 */
import { type ConvGeometry, type Shape, sizeOf } from '../../../graph/ir.ts';
import { four } from '../value.ts';
import { type Blocked, type Name, nchwc, sumOfRows, transposeTiles, view } from './blocked.ts';
import { partOf } from './shift.ts';

export interface ConvWeightGradient {
  readonly x: Name;
  readonly xShape: Shape;
  readonly dy: Name;
  readonly dyShape: Shape;
  /** dy in transposed tiles, where gradients of other 1x1 convolutions read these as well. */
  readonly dyTiles?: () => Name;
  /** Of dw, the forward's filter. */
  readonly shape: Shape;
  readonly geometry: ConvGeometry;
}

/** How rows of an image are cut into chunks of B pixels. */
interface Chunks {
  /** Columns with the zeros at the end: a multiple of B, or a power of two below it. */
  readonly columns: number;
  /** Chunks in a row of an image. */
  readonly across: number;
  /** Images that share a chunk, where their rows are shorter. */
  readonly beside: number;
}

function chunksOf(width: number, block: number): Chunks {
  const columns = width > block ? Math.ceil(width / block) * block : 2 ** Math.ceil(Math.log2(width));
  return { columns, across: Math.ceil(columns / block), beside: Math.max(1, block / columns) };
}

/**
 * How many images, or images beside one another, form a group. Each group's result is written and read again, which tells
 * where filters are large; smaller ones are fastest with the operands of a group in the innermost cache.
 */
function togetherOf(count: number, pixels: number, filterSize: number): number {
  if (filterSize < LARGE_FILTER) return 1;
  const fits = (n: number) => count % n === 0 && n * pixels <= GROUP_PIXELS;
  return Array.from({ length: count }, (_, n) => n + 1).findLast(fits) ?? 1;
}
/** Input times output channels */
export const LARGE_FILTER = 2 ** 14;
const GROUP_PIXELS = 1024;

/**
 * dw of a 1x1 convolution of stride 1, in `filter` layout. Without neighbors a chunk is any B pixels, and blocks of input channels
 * can be rows, as they lie: nothing is put in another order. x and dy may change places, which gives the transpose of dw: so a dy
 * that many such gradients read, that of a node in a cell, is put into tiles once. Undefined where pixels are no whole
 * chunks, or filters large.
 */
export function pointwiseGradient(
  b: Blocked,
  { x, xShape, dy, dyTiles, shape, geometry }: ConvWeightGradient,
): Name | undefined {
  const { block, model } = b;
  const [n, c, h, w] = four(xShape);
  const [o, i, kh, kw] = four(shape);
  const { groups, stride, pads } = geometry;
  const chunks = (h * w) / block;
  const plain = [kh, kw, ...stride].every((size) => size === 1) && pads.every((size) => size === 0);
  if (!plain || !Number.isInteger(chunks) || (i * o) / groups >= LARGE_FILTER) return undefined;
  /** The sum over pixels of products: for each block of `by`, of `count` channels, and row of tiles, B by B. */
  const products = (tiles: Name, rows: number, by: Name, count: number): Name => {
    const image = view(b, tiles, [1, n * groups * block, rows, chunks * block]);
    const perImage = nchwc(b, 'Conv', [image, view(b, by, [n * count, block, 1, chunks])], {
      kernel_shape: [1, chunks],
      dilations: [1, block],
      group: n * groups,
    });
    return sumOfRows(b, perImage, n, o * i);
  };
  if (dyTiles === undefined || groups > 1) {
    const tiles = transposeTiles(b, x, (n * c * h * w) / block ** 2);
    return view(b, products(tiles, i / block, dy, o), shape);
  }
  const transposed = view(b, products(dyTiles(), o / block, x, c), [i / block, o / block, block, block]);
  return view(b, model.node('Transpose', [transposed], { perm: [1, 0, 3, 2] }), shape);
}

type Operands = Pick<ConvWeightGradient, 'xShape' | 'dyShape' | 'geometry'>;

/** The smaller of the two is shifted; under a stride x is, since a shift can skip columns, but not put zeros between. */
function isXShifted({ xShape, dyShape, geometry }: Operands): boolean {
  return geometry.stride[1] > 1 || (dyShape[1] ?? Number.NaN) > (xShape[1] ?? Number.NaN);
}

/** Whether `tiledGradient` computes columns of zeros, because rows are no whole chunks. */
export function fillsColumns(operands: Operands, block: number): boolean {
  const width = (isXShifted(operands) ? operands.dyShape : operands.xShape)[3] ?? Number.NaN;
  return chunksOf(width, block).columns !== width;
}

/** dw in `filter` layout; undefined where the images cannot be put beside one another. */
export function tiledGradient(b: Blocked, gradient: ConvWeightGradient): Name | undefined {
  const { x, xShape, dy, dyShape, shape, geometry } = gradient;
  const { block, model } = b;
  const [n, c, h, w] = four(xShape);
  const [, o, oh, ow] = four(dyShape);
  const [, i, kh, kw] = four(shape);
  const { groups, stride, dilation, pads } = geometry;
  const shiftsX = isXShifted(gradient);
  const { columns, across, beside } = chunksOf(shiftsX ? ow : w, block);
  if (n % beside !== 0) return undefined;
  const [inner, outer] = [i / block, o / groups / block];
  const together = togetherOf(n / beside, oh * columns * beside, i * (o / groups));
  const [count, lane] = [n / beside / together, (columns / across) * block];

  const image = (offset: number, step: number): Name => {
    const sizes = { together, beside, groups, blocks: inner, rows: h, across };
    const source = partOf(b, x, xShape, 'columns', { offset, step, count: columns });
    const arranged = arrange(b, source, count, lane, sizes, [
      'groups',
      'rows',
      'together',
      'across',
      'blocks',
      'beside',
    ]);
    return view(b, transposeTiles(b, arranged, (n * c * h * columns) / block ** 2), [
      1,
      count * groups * block,
      h,
      together * across * i,
    ]);
  };
  const arrangedRows = (from: Name): Name => {
    const sizes = { together, beside, groups, blocks: outer, rows: oh, across };
    return arrange(b, from, count, lane, sizes, ['groups', 'blocks', 'rows', 'together', 'across', 'beside']);
  };
  const shiftedRows = (from: Name, offset: number): Name =>
    partOf(b, from, dyShape, 'columns', { offset, step: 1, count: columns });
  // Rows stay whole when they are arranged: if shifting does not widen them, it can follow.
  const arranged = ow === columns ? arrangedRows(dy) : undefined;
  const filter = (offset: number): Name =>
    arranged === undefined ? arrangedRows(shiftedRows(dy, offset)) : shiftedRows(arranged, offset);
  // Where the first column of dy reads x, for each column of the filter.
  const offsets = Array.from({ length: kw }, (_, kx) => kx * dilation[1] - pads[1]);
  const bottom = (kh - 1) * dilation[0] + (oh - 1) * stride[0] + 1 - h - pads[0];
  /** The rows of the result: more than the filter has where a stride leaves rows of x unread. */
  const rows = kh + Math.floor(Math.max(0, -bottom) / dilation[0]);
  /** [rows·...]: for each group, filter column, and block of outputs, [rows, I, B] */
  const sums = (from: Name, by: Name, filters: number): Name => {
    const perImage = nchwc(b, 'Conv', [from, view(b, by, [count * filters, block, oh, together * across])], {
      kernel_shape: [oh, together * across],
      dilations: [stride[0], i],
      strides: [dilation[0], 1],
      pads: [pads[0], 0, Math.max(0, bottom), 0],
      group: count * groups,
    });
    return sumOfRows(b, perImage, count, filters * rows * i);
  };
  const tile = block * block;
  const join = (parts: readonly Name[], axis: number) =>
    parts.length === 1 ? (parts[0] as Name) : model.node('Concat', parts, { axis });
  const cut = (dw: Name) =>
    rows === kh ? dw : model.node('Slice', [dw, model.ints([0]), model.ints([kh]), model.ints([2])]);

  const [wholeX, wholeY] = shiftsX ? [undefined, filter(0)] : [image(0, 1), undefined];
  const parts = offsets.map((offset) => {
    const part = sums(wholeX ?? image(offset, stride[1]), wholeY ?? filter(-offset), o);
    return view(b, part, [o / block, rows, 1, inner, tile]);
  });
  const ordered =
    inner === 1
      ? view(b, join(parts, 2), [o / block, 1, rows, kw, tile])
      : model.node('Transpose', [join(parts, 2)], { perm: [0, 3, 1, 2, 4] });
  return view(b, cut(ordered), shape);
}

type Axis = 'together' | 'beside' | 'groups' | 'blocks' | 'rows' | 'across';

/** Memory [count][together][beside][groups][blocks][rows][across][lane] in another order of the axes between. */
function arrange(
  b: Blocked,
  x: Name,
  count: number,
  lane: number,
  sizes: Readonly<Record<Axis, number>>,
  order: readonly Axis[],
): Name {
  const axes: readonly Axis[] = ['together', 'beside', 'groups', 'blocks', 'rows', 'across'];
  let offsets = [0];
  for (const axis of order) {
    const step = sizeOf(axes.slice(axes.indexOf(axis) + 1).map((later) => sizes[later]));
    const along = Array.from({ length: sizes[axis] }, (_, at) => at * step);
    offsets = offsets.flatMap((offset) => along.map((more) => offset + more));
  }
  if (offsets.every((offset, position) => offset === position)) return x;
  return b.model.node(
    'Gather',
    [view(b, x, [count, offsets.length, lane]), b.model.ints(offsets)],
    { axis: 1 },
    { reuse: true },
  );
}
