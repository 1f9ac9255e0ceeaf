/** Blocks of the literature, composed of the module kinds. */
import { avgPool, batchNorm, conv, relu, residual, sequential } from './builders.ts';
import type { Module, Value } from './module.ts';

export interface BlockOptions {
  /** Whether the batch norms have a weight and a bias; DARTS searches without. */
  readonly affine?: boolean;
}

/** ReLU, convolution, batch norm: the operation of NAS-Bench-201's cells. */
export function reluConvBn(
  kernel: Value<number>,
  channels: Value<number> | 'same' = 'same',
  stride: Value<number> = 1,
  { affine = true }: BlockOptions = {},
): Module {
  return sequential(relu(), conv(channels, kernel, { stride }), batchNorm({ affine }));
}

/** Convolution, batch norm, ReLU. */
export function convBnRelu(
  kernel: Value<number>,
  channels: Value<number> | 'same' = 'same',
  stride: Value<number> = 1,
  { affine = true }: BlockOptions = {},
): Module {
  return sequential(conv(channels, kernel, { stride }), batchNorm({ affine }), relu());
}

/**
 * ReLU, depthwise and pointwise convolution, batch norm, twice; only the first depthwise one is strided and only the
 * last pointwise one changes the channels (Liu et al. 2019, DARTS: `SepConv`).
 */
export function separableConv(
  kernel: Value<number>,
  channels: Value<number> | 'same' = 'same',
  stride: Value<number> = 1,
  { affine = true }: BlockOptions = {},
): Module {
  return sequential(
    relu(),
    conv('same', kernel, { stride, groups: 'depthwise' }),
    conv('same', 1),
    batchNorm({ affine }),
    relu(),
    conv('same', kernel, { groups: 'depthwise' }),
    conv(channels, 1),
    batchNorm({ affine }),
  );
}

/** ReLU, dilated depthwise and pointwise convolution, batch norm (DARTS: `DilConv`, dilation 2). */
export function dilatedConv(
  kernel: Value<number>,
  channels: Value<number> | 'same' = 'same',
  stride: Value<number> = 1,
  { affine = true, dilation = 2 }: BlockOptions & { readonly dilation?: Value<number> } = {},
): Module {
  return sequential(
    relu(),
    conv('same', kernel, { stride, dilation, groups: 'depthwise' }),
    conv(channels, 1),
    batchNorm({ affine }),
  );
}

/** The residual block of stride 2 between the stages of NAS-Bench-201 (Dong & Yang 2020). Needs even sides. */
export function residualReduce(channels: Value<number>): Module {
  return residual(
    sequential(reluConvBn(3, channels, 2), reluConvBn(3, channels)),
    sequential(avgPool(2, { stride: 2, padding: 0 }), conv(channels, 1)),
  );
}
