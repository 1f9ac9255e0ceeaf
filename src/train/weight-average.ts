/**
 * An exponential moving average of the weights over the steps of a training (Polyak & Juditsky 1992), which is measured and handed on in
 * their place: average <- average + (1 - d) (weights - average) after each step. In the n-th step d is min(decay, (1 + n) / (10 + n)), as in
 * TensorFlow's ExponentialMovingAverage, so that a short training does not keep its initial weights. Batch norm's running statistics are
 * averaged, too. Cost: three operations per weight and step, one more copy of the weights, and a copy before each measurement.
 */
import type { GraphBuilder } from '../graph/builder.ts';
import type { HostTensor, NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { OptimizerState } from './optimizers.ts';
import type { Vector } from './vectors.ts';

type Tensors = Readonly<Record<string, HostTensor>>;

const ROLE = 'average';
const SUFFIX = `:${ROLE}`;

/** Appends the averages of these state entries after a step that gives `next`. */
export function averageWeights(
  g: GraphBuilder,
  vectors: readonly Pick<Vector, 'name' | 'shape'>[],
  next: readonly NodeId[],
): OptimizerState[] {
  if (vectors.length === 0) return [];
  const share = ops.input(g, 'average:share', []);
  return vectors.map(({ name: of, shape }, i) => {
    const name = `${of}${SUFFIX}`;
    const old = ops.input(g, name, shape);
    const moved = ops.mul(g, ops.sub(g, next[i] as NodeId, old), share);
    return { name, of, role: ROLE, shape, next: ops.add(g, old, moved) };
  });
}

/** What the `step`-th step, counted from 1, is fed for an average of this decay; nothing where it is 0. */
export function averageScalars(decay: number, step: number): Readonly<Record<string, number>> {
  return decay === 0 ? {} : { 'average:share': 1 - Math.min(decay, (1 + step) / (10 + step)) };
}

/** The same tensors with the averages at what they are averages of: they begin there. */
export function startAverages(tensors: Tensors): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const own = name.endsWith(SUFFIX) ? tensors[name.slice(0, -SUFFIX.length)] : undefined;
      return [name, own === undefined ? tensor : { shape: own.shape, data: own.data.slice() }];
    }),
  );
}

/** The same tensors, or vectors of them, with each that has an average replaced by it. */
export function averaged(tensors: Tensors): Record<string, HostTensor> {
  const own = Object.entries(tensors).filter(([name]) => !name.endsWith(SUFFIX));
  return Object.fromEntries(own.map(([name, tensor]) => [name, tensors[`${name}${SUFFIX}`] ?? tensor]));
}
