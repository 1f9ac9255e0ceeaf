/** Blocks of the literature, composed of the module kinds. */
import { attention, avgPool, batchNorm, conv, relu, residual, rows, sequential } from './builders.ts';
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

/** Attention over all pixels costs their number squared: images of more are read row by row, where a space knows their size. */
export const MOST_ATTENDED = 256;

/**
 * Self-attention as an operation of a cell, which keeps the channels: ReLU, attention with relative positions, batch norm (Bello et al. 2019,
 * arXiv:1904.09925; Srinivas et al. 2021, arXiv:2101.11605, BoTNet). `heads` must divide the channels that it reads. `byRow`: a pixel sees
 * those of its row alone, as for images of more than `MOST_ATTENDED` pixels. Differs: the numbers for distances do not depend on the query,
 * as in Swin (Liu et al. 2021); with stride 2, images are halved by an average pool before attention, not behind it, at a sixteenth of the cost.
 */
export function reluAttentionBn(
  heads: Value<number>,
  {
    stride = 1,
    byRow = false,
    affine = true,
  }: BlockOptions & { readonly stride?: 1 | 2; readonly byRow?: boolean } = {},
): Module {
  const seen = attention(heads, { relative: true });
  return sequential(
    relu(),
    ...(stride === 1 ? [] : [avgPool(3, { stride })]),
    byRow ? rows(seen) : seen,
    batchNorm({ affine }),
  );
}
