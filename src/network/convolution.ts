import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { toMultiple } from '../space/tree/widths.ts';
import { activate } from './activation.ts';
import {
  channelsOf,
  closed,
  imageShape,
  isSequence,
  type Lower,
  type Lowering,
  type ModuleOf,
  overImages,
  showWindow,
  sizeOfWindow,
} from './lowering.ts';
import { normalizeBatch } from './normalization.ts';
import { withoutPadding } from './padding.ts';

interface ConvOptions {
  readonly name: string;
  readonly channels: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
  readonly bias: boolean;
  readonly isCausal?: boolean;
}

/** He initialization by the fan-out, as ResNet and NAS-Bench-201 do; a group's fan-out counts its own outputs alone. */
function convolve(l: Lowering, x: NodeId, options: ConvOptions): NodeId {
  const { channels, kernel, stride, dilation, groups } = options;
  const [, incoming, height, width] = imageShape(l, x);
  if (incoming % groups !== 0 || channels % groups !== 0) {
    throw l.error(`${incoming} channels in, ${channels} out, ${groups} groups`, 'groups must divide both');
  }
  const reach = [dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1] as const;
  const half = (axis: 0 | 1) => dilation[axis] * Math.floor((kernel[axis] - 1) / 2);
  const top = half(0);
  const [left, right] = options.isCausal ? [reach[1] - 1, 0] : [half(1), half(1)];
  if (height + 2 * top < reach[0] || width + left + right < reach[1]) {
    throw l.error(
      `input is ${height}x${width}`,
      `a kernel that reaches ${showWindow(reach)} pixels must fit into the padded input`,
    );
  }
  const fan = (kernel[0] * kernel[1] * channels) / groups;
  const shape = [channels, incoming / groups, ...kernel];
  const weight = l.parameter(`${options.name}weight`, shape, { kind: 'heNormal', fan });
  const bias = options.bias
    ? l.parameter(`${options.name}bias`, [channels], { kind: 'constant', value: 0 })
    : undefined;
  const geometry = { stride, dilation, pads: [top, left, top, right], groups } as const;
  return ops.conv(l.g, x, weight, geometry, bias);
}

export const lowerConv: Lower<'conv'> = (l, module, x) => {
  const incoming = channelsOf(l, x);
  const options = {
    name: '',
    channels: module.channels === 'same' ? toMultiple(incoming * closed(module.multiple), 1) : closed(module.channels),
    kernel: sizeOfWindow(l, x, module.kernel),
    stride: sizeOfWindow(l, x, module.stride),
    dilation: sizeOfWindow(l, x, module.dilation),
    groups: module.groups === 'depthwise' ? incoming : closed(module.groups),
    bias: module.bias,
    isCausal: module.padding === 'causal',
  };
  if (options.isCausal && !isSequence(l, x)) throw l.error("padding is 'causal'", 'only sequences have an order');
  return overImages(l, withoutPadding(l, x), (images) => convolve(l, images, options));
};

/** He initialization by the inputs that reach an output. */
export const lowerConvTranspose: Lower<'convTranspose'> = (l, module, x) => {
  const [kernel, stride] = [sizeOfWindow(l, x, module.kernel), sizeOfWindow(l, x, module.stride)];
  const cut = [kernel[0] - stride[0], kernel[1] - stride[1]] as const;
  if (cut[0] < 0 || cut[1] < 0) {
    throw l.error(
      `kernel is ${showWindow(kernel)}, stride is ${showWindow(stride)}`,
      'the kernel of a transposed convolution is at least its stride',
    );
  }
  const [top, left] = [Math.floor(cut[0] / 2), Math.floor(cut[1] / 2)];
  const pads = [top, left, cut[0] - top, cut[1] - left] as const;
  return overImages(l, x, (images, [n, incoming, height, width]) => {
    const channels = module.channels === 'same' ? incoming : closed(module.channels);
    const fan = (incoming * kernel[0] * kernel[1]) / (stride[0] * stride[1]);
    const weight = l.parameter('weight', [incoming, channels, ...kernel], { kind: 'heNormal', fan });
    const shape = [n, channels, height * stride[0], width * stride[1]];
    const y = ops.convTranspose(l.g, images, weight, { stride, dilation: [1, 1], pads, groups: 1 }, shape);
    if (!module.bias) return y;
    const bias = l.parameter('bias', [channels], { kind: 'constant', value: 0 });
    return ops.add(l.g, y, ops.reshape(l.g, bias, [1, channels, 1, 1]));
  });
};

/**
 * FactorizedReduce of DARTS (Liu et al. 2019): halves the resolution without losing every other pixel. Differs: an input
 * of odd size is padded by a row and a column, so that both halves agree.
 */
export const lowerFactorizedReduce: Lower<'factorizedReduce'> = (l, module, x) => {
  const [n, c, h, w] = imageShape(l, x);
  const channels = module.channels === 'same' ? c : closed(module.channels);
  if (channels < 2) throw l.error(`${channels} channels`, 'it needs at least 2, one for each half');
  if (h < 2 || w < 2) throw l.error(`input is ${h}x${w}`, 'it needs at least 2x2 pixels');
  const rectified = ops.relu(l.g, x);
  const cropped = ops.slice(l.g, rectified, [0, 0, 1, 1], [n, c, h, w]);
  const after = [0, 0, h % 2, w % 2];
  const shifted = after.some((pad) => pad > 0) ? ops.pad(l.g, cropped, [0, 0, 0, 0], after) : cropped;
  const half = (name: string, input: NodeId, outgoing: number) =>
    convolve(l, input, {
      name,
      channels: outgoing,
      kernel: [1, 1],
      stride: [2, 2],
      dilation: [1, 1],
      groups: 1,
      bias: false,
    });
  const first = Math.floor(channels / 2);
  const joined = ops.concat(l.g, [half('first/', rectified, first), half('second/', shifted, channels - first)], 1);
  return normalizeBatch(l, joined, { affine: module.affine, momentum: 0.1, epsilon: 1e-5 });
};

/** How many channels squeeze and excitation squeezes to. */
export function squeezedChannels({ ratio, divisor }: ModuleOf<'squeezeExcite'>, channels: number): number {
  return toMultiple(channels * closed(ratio), divisor);
}

/** Squeeze and excitation (Hu et al. 2018). */
export const lowerSqueezeExcite: Lower<'squeezeExcite'> = (l, module, x) => {
  const [n, c] = imageShape(l, x);
  const squeezed = squeezedChannels(module, c);
  const dense = (name: string, input: NodeId, from: number, to: number) => {
    const weight = l.parameter(`${name}/weight`, [to, from], { kind: 'glorotUniform', fanIn: from, fanOut: to });
    const bias = l.parameter(`${name}/bias`, [to], { kind: 'constant', value: 0 });
    return ops.matmul(l.g, input, weight, { transposeB: true, bias });
  };
  const mean = ops.reduceMean(l.g, x, [2, 3]); // [N, C]
  const hidden = activate(l.g, closed(module.fn), dense('squeeze', mean, c, squeezed)); // [N, squeezed]
  const gate = activate(l.g, closed(module.gate), dense('expand', hidden, squeezed, c)); // [N, C]
  return ops.mul(l.g, x, ops.reshape(l.g, gate, [n, c, 1, 1]));
};
