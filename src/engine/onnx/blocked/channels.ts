/** What batch norm, biases and activations are made of in blocked memory: maps and sums of whole channels. */
import type { Shape } from '../../../graph/ir.ts';
import { four } from '../value.ts';
import { type Blocked, type Name, nchwc, sumOfRows, view } from './blocked.ts';
import { convolve } from './conv.ts';

export interface Affine {
  readonly x: Name;
  /** Of x */
  readonly shape: Shape;
  /** One for each channel: [C] or [1, C, 1, 1], which are the same memory. */
  readonly scale: Name;
  readonly bias?: Name;
  /** Added to the result, of its shape. */
  readonly sum?: Name;
  readonly relu?: boolean;
}

/** relu?(scale·x + bias + sum) in one pass: a depthwise 1x1 convolution. */
export function affine(b: Blocked, { shape, scale, ...operands }: Affine): Name {
  const [, c] = four(shape);
  return convolve(b, {
    ...operands,
    filter: view(b, scale, [c, 1, 1, 1]),
    kernel: [1, 1],
    geometry: { stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], groups: c },
  });
}

/**
 * x of each image and channel times its own number, one pass: a depthwise 1x1 convolution with a group for each. `factors` are
 * [N, C, 1, 1] in plain memory. The batch is not open.
 */
export function gated(b: Blocked, x: Name, factors: Name, shape: Shape): Name {
  const [n, c, h, w] = four(shape);
  const product = affine(b, { x: view(b, x, [1, n * c, h, w]), shape: [1, n * c, h, w], scale: factors });
  return view(b, product, shape);
}

/** [C]: `factor` times the sum over n, h, w of x·y. The batch is not open. */
export function channelDot(b: Blocked, x: Name, y: Name, shape: Shape, factor = 1): Name {
  const [n, c, h, w] = four(shape);
  const dots = convolve(b, {
    x: view(b, x, [1, n * c, h, w]),
    filter: view(b, y, [n * c, 1, h, w]),
    kernel: [h, w],
    geometry: { stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], groups: n * c },
  });
  return sumOfRows(b, dots, n, c, factor);
}

/** [C]: `factor` times the mean over n, h, w. The batch is not open. */
export function channelMean(b: Blocked, x: Name, shape: Shape, factor = 1): Name {
  const [n, c] = four(shape);
  return sumOfRows(b, nchwc(b, 'GlobalAveragePool', [x]), n, c, factor / n);
}
