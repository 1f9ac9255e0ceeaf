import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { alongChannels, channelsOf, type Lower, type Lowering } from './lowering.ts';

interface Affine {
  readonly affine: boolean;
  readonly epsilon: number;
}

/** centred · weight / sqrt(variance + epsilon) + bias, weight and bias by channel. */
function scaleAndShift(l: Lowering, x: NodeId, centred: NodeId, variance: NodeId, { affine, epsilon }: Affine): NodeId {
  const deviation = ops.sqrt(l.g, ops.add(l.g, variance, ops.constant(l.g, epsilon)));
  if (!affine) return ops.div(l.g, centred, deviation);
  const channels = channelsOf(l, x);
  const along = alongChannels(l, x);
  const weight = l.parameter('weight', [channels], { kind: 'constant', value: 1 });
  const bias = l.parameter('bias', [channels], { kind: 'constant', value: 0 });
  const scale = ops.div(l.g, ops.reshape(l.g, weight, along), deviation);
  return ops.add(l.g, ops.mul(l.g, centred, scale), ops.reshape(l.g, bias, along));
}

/**
 * Batch normalisation (Ioffe & Szegedy 2015, algorithm 1). The running mean and the running unbiased variance move by
 * `momentum` towards the batch's at each training step, as in PyTorch; inference uses them.
 */
export function normaliseBatch(l: Lowering, x: NodeId, options: Affine & { readonly momentum: number }): NodeId {
  const shape = l.g.shape(x);
  const axes = shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const channels = channelsOf(l, x);
  const along = alongChannels(l, x);
  if (l.mode === 'infer') {
    const mean = ops.reshape(l.g, l.statistic('runningMean', [channels], 0), along);
    const variance = ops.reshape(l.g, l.statistic('runningVariance', [channels], 1), along);
    return scaleAndShift(l, x, ops.sub(l.g, x, mean), variance, options);
  }
  const mean = ops.reduceMean(l.g, x, axes, true); // [1, C, 1, 1]
  const centred = ops.sub(l.g, x, mean);
  const variance = ops.reduceMean(l.g, ops.mul(l.g, centred, centred), axes, true);
  const moveTo = (batch: NodeId, factor: number) => (current: NodeId) => {
    const kept = ops.mul(l.g, current, ops.constant(l.g, 1 - options.momentum));
    const moved = ops.mul(l.g, ops.reshape(l.g, batch, [channels]), ops.constant(l.g, factor * options.momentum));
    return ops.add(l.g, kept, moved);
  };
  const count = axes.reduce((product, axis) => product * (shape[axis] ?? 1), 1);
  l.statistic('runningMean', [channels], 0, moveTo(mean, 1));
  l.statistic('runningVariance', [channels], 1, moveTo(variance, count / Math.max(1, count - 1)));
  return scaleAndShift(l, x, centred, variance, options);
}

export const lowerBatchNorm: Lower<'batchNorm'> = (l, module, x) => normaliseBatch(l, x, module);

/** Layer normalisation over all axes but the batch (Ba et al. 2016); its weight and bias are by channel. */
export const lowerLayerNorm: Lower<'layerNorm'> = (l, module, x) => {
  const axes = l.g.shape(x).flatMap((_, axis) => (axis === 0 ? [] : [axis]));
  const centred = ops.sub(l.g, x, ops.reduceMean(l.g, x, axes, true));
  const variance = ops.reduceMean(l.g, ops.mul(l.g, centred, centred), axes, true); // [N, 1, 1, 1]
  return scaleAndShift(l, x, centred, variance, module);
};
