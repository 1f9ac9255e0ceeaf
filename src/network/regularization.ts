import type { NodeId, Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { closed, type Lower, type Lowering } from './lowering.ts';

/** Keeps with probability 1 − rate, and divides what is kept by it; one draw for each element of `shape`. */
export function drop(l: Lowering, x: NodeId, rate: number, shape: Shape): NodeId {
  if (l.mode === 'infer' || rate === 0) return x;
  const kept = ops.step(l.g, ops.sub(l.g, l.random(shape), ops.constant(l.g, rate)));
  return ops.mul(l.g, x, ops.mul(l.g, kept, ops.constant(l.g, 1 / (1 - rate))));
}

/** The same for whole channels of x, [N, C, ...], at a rate that is a node, []. */
export function dropChannels(l: Lowering, x: NodeId, rate: NodeId): NodeId {
  if (l.mode === 'infer') return x;
  const { g } = l;
  const kept = ops.step(g, ops.sub(g, l.random(g.shape(x).map((size, axis) => (axis < 2 ? size : 1))), rate));
  return ops.mul(g, x, ops.div(g, kept, ops.sub(g, ops.constant(g, 1), rate)));
}

export const lowerDropout: Lower<'dropout'> = (l, module, x) => {
  const shape = l.g.shape(x);
  const drawn = module.over === 'elements' ? shape : shape.map((size, axis) => (axis < 2 ? size : 1));
  return drop(l, x, closed(module.rate), drawn);
};

/** Stochastic depth (Huang et al. 2016), by sample. */
export const lowerDropPath: Lower<'dropPath'> = (l, module, x) => {
  const { g } = l;
  const rate = closed(module.rate);
  const bySample = g.shape(x).map((size, axis) => (axis === 0 ? size : 1));
  if (!module.growing || l.mode === 'infer' || rate === 0) return drop(l, x, rate, bySample);
  const present = ops.mul(g, l.progress(), ops.constant(g, rate));
  const kept = ops.step(g, ops.sub(g, l.random(bySample), present));
  return ops.mul(g, x, ops.div(g, kept, ops.sub(g, ops.constant(g, 1), present)));
};
