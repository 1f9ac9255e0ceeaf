import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { alongChannels, channelsOf, closed, type Lower, type Lowering } from './lowering.ts';

interface Affine {
  readonly affine: boolean;
  readonly epsilon: number;
}

/** The trained factor and summand of each channel, laid along axis 1. */
function gain(l: Lowering, x: NodeId): NodeId {
  return ops.reshape(
    l.g,
    l.parameter('weight', [channelsOf(l, x)], { kind: 'constant', value: 1 }),
    alongChannels(l, x),
  );
}
function bias(l: Lowering, x: NodeId): NodeId {
  return ops.reshape(l.g, l.parameter('bias', [channelsOf(l, x)], { kind: 'constant', value: 0 }), alongChannels(l, x));
}

/** centered · weight / sqrt(variance + epsilon) + bias, weight and bias by channel. */
function scaleCentered(l: Lowering, centered: NodeId, variance: NodeId, options: Affine): NodeId {
  const { affine, epsilon } = options;
  const deviation = ops.sqrt(l.g, ops.add(l.g, variance, ops.constant(l.g, epsilon)));
  if (!affine) return ops.div(l.g, centered, deviation);
  const scale = ops.div(l.g, gain(l, centered), deviation);
  return ops.add(l.g, ops.mul(l.g, centered, scale), bias(l, centered));
}

/** x · scale + shift, which has the given mean and variance by channel become bias and weight²: one pass over x. */
function scaleAndShift(l: Lowering, x: NodeId, mean: NodeId, variance: NodeId, { affine, epsilon }: Affine): NodeId {
  const deviation = ops.sqrt(l.g, ops.add(l.g, variance, ops.constant(l.g, epsilon)));
  const scale = ops.div(l.g, affine ? gain(l, x) : ops.constant(l.g, 1), deviation); // [1, C, 1, 1]
  const moved = ops.mul(l.g, mean, scale);
  const shift = affine ? ops.sub(l.g, bias(l, x), moved) : ops.neg(l.g, moved);
  return ops.add(l.g, ops.mul(l.g, x, scale), shift);
}

/** Mean and biased variance over all axes but the channels, kept as 1. */
interface Moments {
  readonly mean: NodeId;
  readonly variance: NodeId;
  /** x - mean, where it was made. */
  readonly centered?: NodeId;
}

/** For features, [N, F]: two passes, as exact as the numbers allow. */
function centeredMoments(l: Lowering, x: NodeId, axes: readonly number[]): Moments & { readonly centered: NodeId } {
  const mean = ops.reduceMean(l.g, x, axes, true);
  const centered = ops.sub(l.g, x, mean);
  return { mean, centered, variance: ops.reduceMean(l.g, ops.mul(l.g, centered, centered), axes, true) };
}

/**
 * Of images, from the mean of x and of x²: no tensor of x's size besides x is kept, and where x is a 1x1 convolution both
 * come from its input (graph/passes/foldNormalization.ts).
 */
function channelMoments(l: Lowering, x: NodeId, axes: readonly number[]): Moments {
  const mean = ops.reduceMean(l.g, x, axes, true); // [1, C, 1, 1]
  const square = ops.reduceMean(l.g, ops.mul(l.g, x, x), axes, true);
  // Rounding may bring the difference below zero.
  return { mean, variance: ops.relu(l.g, ops.sub(l.g, square, ops.mul(l.g, mean, mean))) };
}

/**
 * Batch normalization (Ioffe & Szegedy 2015, algorithm 1). The running mean and the running unbiased variance move by
 * `momentum` towards the batch's at each training step, as in PyTorch; inference uses them.
 *
 * Differs: for images the variance is mean(x²) - mean(x)². In float32 its relative error is about 1e-7 · mean² / variance:
 * a tenth where a channel's mean is a thousand deviations, which does not occur behind a convolution of normalized images.
 * Features keep the centered form, since a column of a table may well be like that.
 */
export function normalizeBatch(l: Lowering, x: NodeId, options: Affine & { readonly momentum: number }): NodeId {
  const shape = l.g.shape(x);
  const axes = shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const channels = channelsOf(l, x);
  if (l.mode === 'infer') {
    const along = alongChannels(l, x);
    const mean = ops.reshape(l.g, l.statistic('runningMean', [channels], 0), along);
    const variance = ops.reshape(l.g, l.statistic('runningVariance', [channels], 1), along);
    return scaleAndShift(l, x, mean, variance, options);
  }
  const moments: Moments = shape.length === 4 ? channelMoments(l, x, axes) : centeredMoments(l, x, axes);
  const { mean, variance, centered } = moments;
  const { momentum } = options;
  const count = axes.reduce((product, axis) => product * (shape[axis] ?? 1), 1);
  l.statistic('runningMean', [channels], 0, { batch: mean, momentum, factor: 1 });
  const unbiased = count / Math.max(1, count - 1);
  l.statistic('runningVariance', [channels], 1, { batch: variance, momentum, factor: unbiased });
  if (centered !== undefined) return scaleCentered(l, centered, variance, options);
  return scaleAndShift(l, x, mean, variance, options);
}

export const lowerBatchNorm: Lower<'batchNorm'> = (l, module, x) => normalizeBatch(l, x, module);

/**
 * Layer normalization (Ba et al. 2016), over all axes but the batch or over the channels; weight and bias are by channel. Positions behind the
 * end of a sample do not count.
 */
export const lowerLayerNorm: Lower<'layerNorm'> = (l, module, x) => {
  const isByPosition = closed(module.axes) === 'channel';
  const axes = isByPosition ? [1] : l.g.shape(x).flatMap((_, axis) => (axis === 0 ? [] : [axis]));
  const filled = isByPosition ? undefined : l.filled(x);
  // The variance is [N, 1, 1, 1], or [N, 1, H, W] by position.
  const { centered, variance } = filled ? filledMoments(l, x, filled) : centeredMoments(l, x, axes);
  const deviation = ops.sqrt(l.g, ops.add(l.g, variance, ops.constant(l.g, module.epsilon)));
  // The deviation is by position and the weight by channel: to divide one by the other first would make a tensor as large as x.
  const normalized = ops.mul(l.g, centered, ops.div(l.g, ops.constant(l.g, 1), deviation));
  if (!module.affine) return normalized;
  const scaled = ops.mul(l.g, normalized, gain(l, x));
  return module.bias ? ops.add(l.g, scaled, bias(l, x)) : scaled;
};

/** Of the positions of a sequence [N, C, T] that `filled`, [N, 1, T], has; `centered` is zero at the others. */
function filledMoments(l: Lowering, x: NodeId, filled: NodeId): Moments & { readonly centered: NodeId } {
  const { g } = l;
  const positions = ops.maximum(g, ops.reduceSum(g, filled, [1, 2], true), ops.constant(g, 1)); // [N, 1, 1]
  const count = ops.mul(g, positions, ops.constant(g, channelsOf(l, x)));
  const meanOf = (values: NodeId) => ops.div(g, ops.reduceSum(g, values, [1, 2], true), count);
  const mean = meanOf(ops.mul(g, x, filled));
  const centered = ops.mul(g, ops.sub(g, x, mean), filled);
  return { mean, centered, variance: meanOf(ops.mul(g, centered, centered)) };
}
