/**
 * Convolution and its gradients in the portable layout. Which form is taken where was measured: docs/engine.md has the
 * table, bench/engine-forms.ts makes it.
 */
import type { ConvGeometry, OpOf, Shape } from '../../../graph/ir.ts';
import { batchedProduct, type Emitter, four, type Lowering, operand, reshape, type Site } from '../value.ts';
import { convNeedsSplit, eachGroup, transposedNeedsSplit } from './grouped.ts';
import { tapViews } from './taps.ts';

const attributesOf = ({ stride, dilation, pads, groups }: ConvGeometry) => ({
  strides: stride,
  dilations: dilation,
  pads,
  group: groups,
});

export const lowerConv: Lowering<OpOf<'conv'>> = (emitter, { op, inputs }) =>
  convolve(
    emitter,
    inputs.map(({ name }) => name),
    operand(inputs, 1).shape,
    op,
  );

/** The convolution of (x, w, bias?), w of the given shape. */
function convolve(emitter: Emitter, inputs: readonly string[], w: Shape, geometry: ConvGeometry): string {
  const [o, i, kh, kw] = four(w);
  const attributes = { ...attributesOf(geometry), kernel_shape: [kh, kw] };
  const filters = o / geometry.groups;
  if (!convNeedsSplit(emitter, geometry.groups, filters)) return emitter.model.node('Conv', inputs, attributes);
  const operands = inputs.map((name, n) => (n === 0 ? { name, axis: 1, size: i } : { name, axis: 0, size: filters }));
  return eachGroup(emitter, geometry.groups, operands, (names) =>
    emitter.model.node('Conv', names, { ...attributes, group: 1 }),
  );
}

/** (dy, w) -> dx */
export const lowerConvInputGrad: Lowering<OpOf<'convInputGrad'>> = (emitter, site) => {
  const { stride, dilation, pads } = site.op;
  const [, , kh, kw] = four(operand(site.inputs, 1).shape);
  const flippedPads: ConvGeometry['pads'] = [
    dilation[0] * (kh - 1) - pads[0],
    dilation[1] * (kw - 1) - pads[1],
    dilation[0] * (kh - 1) - pads[2],
    dilation[1] * (kw - 1) - pads[3],
  ];
  const convolves = stride[0] === 1 && stride[1] === 1 && flippedPads.every((n) => n >= 0);
  return convolves ? byFlippedFilter(emitter, site, flippedPads) : byTransposedConvolution(emitter, site);
};

/** Of stride 1: the convolution of dy by the filters turned by 180 degrees, inputs and outputs exchanged. */
function byFlippedFilter(
  emitter: Emitter,
  { op, inputs }: Site<OpOf<'convInputGrad'>>,
  pads: ConvGeometry['pads'],
): string {
  const { model } = emitter;
  const [dy, w] = [operand(inputs, 0), operand(inputs, 1)];
  const [o, i, kh, kw] = four(w.shape);
  const { groups } = op;
  const toTheStart = -(2 ** 31);
  const turned =
    kh * kw === 1
      ? w.name
      : model.node('Slice', [
          w.name,
          model.ints([-1, -1]),
          model.ints([toTheStart, toTheStart]),
          model.ints([2, 3]),
          model.ints([-1, -1]),
        ]);
  const grouped = reshape(emitter, turned, [groups, o / groups, i, kh * kw], undefined);
  const exchanged = model.node('Transpose', [grouped], { perm: [0, 2, 1, 3] });
  const filter = reshape(emitter, exchanged, [groups * i, o / groups, kh, kw], undefined);
  return convolve(emitter, [dy.name, filter], [groups * i, o / groups, kh, kw], { ...op, pads });
}

function byTransposedConvolution(emitter: Emitter, { op, inputs }: Site<OpOf<'convInputGrad'>>): string {
  const { model } = emitter;
  const [dy, w] = [operand(inputs, 0), operand(inputs, 1)];
  const [o, i, kh, kw] = four(w.shape);
  const filters = o / op.groups;
  const attributes = {
    ...attributesOf(op),
    kernel_shape: [kh, kw],
    output_padding: [unread(op, op.shape, [kh, kw], 0), unread(op, op.shape, [kh, kw], 1)],
  };
  if (!transposedNeedsSplit(emitter, op.groups, filters, i)) {
    return model.node('ConvTranspose', [dy.name, w.name], attributes);
  }
  const operands = [
    { name: dy.name, axis: 1, size: filters },
    { name: w.name, axis: 0, size: filters },
  ];
  return eachGroup(emitter, op.groups, operands, (names) =>
    model.node('ConvTranspose', names, { ...attributes, group: 1 }),
  );
}

/** How many rows (axis 0) or columns (axis 1) at the end of the padded input no window reaches, for want of a stride. */
export function unread(
  { stride, pads, dilation = [1, 1] }: Omit<ConvGeometry, 'groups' | 'dilation'> & Partial<ConvGeometry>,
  shape: readonly number[],
  kernel: readonly [number, number],
  axis: 0 | 1,
): number {
  const padded = four(shape)[axis === 0 ? 2 : 3] + pads[axis] + pads[axis === 0 ? 2 : 3];
  return (padded - dilation[axis] * (kernel[axis] - 1) - 1) % stride[axis];
}

/** Above this number of taps, the depthwise filter's gradient is fastest as one group per image and channel. */
const UNFOLDED_TAPS = 9;

/** (x, dy) -> dw: x is unfolded into [N, groups, I·kH·kW, oH·oW], then one product per image and group, summed over N. */
export const lowerConvWeightGrad: Lowering<OpOf<'convWeightGrad'>> = (emitter, site) => {
  const { model } = emitter;
  const [x, dy] = [operand(site.inputs, 0), operand(site.inputs, 1)];
  const { groups, shape } = site.op;
  const [o, i, kh, kw] = four(shape);
  const [n, , oh, ow] = four(dy.shape);
  const depthwise = i === 1 && o === groups;
  if (depthwise && kh * kw > UNFOLDED_TAPS && x.batchAxis === undefined) return perImageAndChannel(emitter, site);
  const fold = (name: string, rows: number) => {
    const folded = [n, groups, rows, oh * ow];
    return { name: reshape(emitter, name, folded, x.batchAxis), shape: folded };
  };
  const unfolded = fold(unfold(emitter, site), i * kh * kw);
  const perImage = batchedProduct(emitter, fold(dy.name, o / groups), unfolded, false, true);
  const summed = model.node('ReduceSum', [perImage, model.ints([0])], { keepdims: 0 });
  return reshape(emitter, summed, shape, undefined);
};

/**
 * [N, C, H, W] -> [N, C·kH·kW, oH, oW]: each channel as each tap of the filter sees it. On the CPU, a convolution by
 * one-hot filters does the padding, striding and dilating in one pass, and faster than `Pad`, `Slice` and `Concat` do;
 * elsewhere, where groups of 9 filters may have to be taken apart (grouped.ts), slices it is.
 */
export function unfold(emitter: Emitter, { op, inputs }: Pick<Site<OpOf<'convWeightGrad'>>, 'op' | 'inputs'>): string {
  const { model, target } = emitter;
  const x = operand(inputs, 0);
  const [n, c] = four(x.shape);
  const [, , kh, kw] = four(op.shape);
  const taps = kh * kw;
  const plain = [...op.stride, ...op.dilation].every((v) => v === 1) && op.pads.every((v) => v === 0);
  if (taps === 1 && plain) return x.name;
  const [, , oh, ow] = four(operand(inputs, 1).shape);
  if (target !== 'cpu') {
    const views = tapViews(emitter, x, { ...op, kernel: [kh, kw] }, [oh, ow], 0);
    const rows = views.map((view) => reshape(emitter, view, [n, c, 1, oh * ow], x.batchAxis));
    return model.node('Concat', rows, { axis: 2 });
  }
  const oneHot = new Float32Array(c * taps * taps);
  for (let filter = 0; filter < c * taps; filter++) oneHot[filter * taps + (filter % taps)] = 1;
  return model.node('Conv', [x.name, model.floats([c * taps, 1, kh, kw], oneHot)], {
    ...attributesOf(op),
    group: c,
    kernel_shape: [kh, kw],
  });
}

/** Depthwise: x as one image [1, N·C, H, W] and dy as its filters [N·C, 1, oH, oW], both views of the same memory. */
function perImageAndChannel(emitter: Emitter, { op, inputs }: Site<OpOf<'convWeightGrad'>>): string {
  const { model } = emitter;
  const [x, dy] = [operand(inputs, 0), operand(inputs, 1)];
  const [n, c, h, w] = four(x.shape);
  const [, , oh, ow] = four(dy.shape);
  const [, , kh, kw] = four(op.shape);
  const image = reshape(emitter, x.name, [1, n * c, h, w], undefined);
  const filters = reshape(emitter, dy.name, [n * c, 1, oh, ow], undefined);
  const all = model.node('Conv', [image, filters], {
    strides: op.dilation,
    dilations: op.stride,
    pads: op.pads,
    group: n * c,
    kernel_shape: [oh, ow],
  });
  // The rows and columns that the forward's stride never reached give taps too many.
  const taps = model.node('Slice', [all, model.ints([0, 0]), model.ints([kh, kw]), model.ints([2, 3])]);
  const perImage = reshape(emitter, taps, [n, c, 1, kh, kw], undefined);
  return model.node('ReduceSum', [perImage, model.ints([0])], { keepdims: 0 });
}
