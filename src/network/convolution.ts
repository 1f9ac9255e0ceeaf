import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { channelsOf, closed, imageShape, type Lower, type Lowering } from './lowering.ts';
import { normaliseBatch } from './normalisation.ts';

interface ConvOptions {
  readonly name: string;
  readonly channels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly groups: number;
  readonly bias: boolean;
}

/** He initialisation by the fan-out, as ResNet and NAS-Bench-201 do; a group's fan-out counts its own outputs alone. */
function convolve(l: Lowering, x: NodeId, options: ConvOptions): NodeId {
  const { channels, kernel, stride, dilation, groups } = options;
  const [, incoming, height, width] = imageShape(l, x);
  if (incoming % groups !== 0 || channels % groups !== 0) {
    throw l.error(`${incoming} channels in, ${channels} out, ${groups} groups`, 'groups must divide both');
  }
  const pad = dilation * Math.floor((kernel - 1) / 2);
  const reach = dilation * (kernel - 1) + 1;
  if (height + 2 * pad < reach || width + 2 * pad < reach) {
    throw l.error(
      `input is ${height}x${width}`,
      `a kernel that reaches ${reach} pixels must fit into the padded input`,
    );
  }
  const fan = (kernel * kernel * channels) / groups;
  const shape = [channels, incoming / groups, kernel, kernel];
  const weight = l.parameter(`${options.name}weight`, shape, { kind: 'heNormal', fan });
  const bias = options.bias
    ? l.parameter(`${options.name}bias`, [channels], { kind: 'constant', value: 0 })
    : undefined;
  const geometry = {
    stride: [stride, stride],
    dilation: [dilation, dilation],
    pads: [pad, pad, pad, pad],
    groups,
  } as const;
  return ops.conv(l.g, x, weight, geometry, bias);
}

export const lowerConv: Lower<'conv'> = (l, module, x) => {
  const incoming = channelsOf(l, x);
  return convolve(l, x, {
    name: '',
    channels: module.channels === 'same' ? incoming : closed(module.channels),
    kernel: closed(module.kernel),
    stride: closed(module.stride),
    dilation: closed(module.dilation),
    groups: module.groups === 'depthwise' ? incoming : closed(module.groups),
    bias: module.bias,
  });
};

/**
 * FactorizedReduce of DARTS (Liu et al. 2019): halves the resolution without losing every other pixel. Differs: an input
 * of odd size is padded by a row and a column, so that both halves agree.
 */
export const lowerFactorisedReduce: Lower<'factorisedReduce'> = (l, module, x) => {
  const [n, c, h, w] = imageShape(l, x);
  const channels = module.channels === 'same' ? c : closed(module.channels);
  if (channels < 2) throw l.error(`${channels} channels`, 'it needs at least 2, one for each half');
  if (h < 2 || w < 2) throw l.error(`input is ${h}x${w}`, 'it needs at least 2x2 pixels');
  const rectified = ops.relu(l.g, x);
  const cropped = ops.slice(l.g, rectified, [0, 0, 1, 1], [n, c, h, w]);
  const after = [0, 0, h % 2, w % 2];
  const shifted = after.some((pad) => pad > 0) ? ops.pad(l.g, cropped, [0, 0, 0, 0], after) : cropped;
  const half = (name: string, input: NodeId, outgoing: number) =>
    convolve(l, input, { name, channels: outgoing, kernel: 1, stride: 2, dilation: 1, groups: 1, bias: false });
  const first = Math.floor(channels / 2);
  const joined = ops.concat(l.g, [half('first/', rectified, first), half('second/', shifted, channels - first)], 1);
  return normaliseBatch(l, joined, { affine: module.affine, momentum: 0.1, epsilon: 1e-5 });
};

/** Squeeze and excitation (Hu et al. 2018). */
export const lowerSqueezeExcite: Lower<'squeezeExcite'> = (l, module, x) => {
  const [n, c] = imageShape(l, x);
  const squeezed = Math.max(1, Math.round(c * closed(module.ratio)));
  const dense = (name: string, input: NodeId, from: number, to: number) => {
    const weight = l.parameter(`${name}/weight`, [to, from], { kind: 'glorotUniform', fanIn: from, fanOut: to });
    const bias = l.parameter(`${name}/bias`, [to], { kind: 'constant', value: 0 });
    return ops.matmul(l.g, input, weight, { transposeB: true, bias });
  };
  const mean = ops.reduceMean(l.g, x, [2, 3]); // [N, C]
  const hidden = ops.relu(l.g, dense('squeeze', mean, c, squeezed)); // [N, squeezed]
  const gate = ops.sigmoid(l.g, dense('expand', hidden, squeezed, c)); // [N, C]
  return ops.mul(l.g, x, ops.reshape(l.g, gate, [n, c, 1, 1]));
};
