/**
 * Averages of the weights over the steps of a training (Polyak & Juditsky 1992), which are measured and handed on in their place:
 * average <- average + share (weights - average) after each step. Batch norm's running statistics are averaged, too. Cost: three operations per
 * weight and step, one more copy of the weights, and a copy before each measurement.
 *
 * - `weightAverage`, an exponential moving average: in the n-th step the share is 1 - min(decay, (1 + n) / (10 + n)), as in TensorFlow's
 *   ExponentialMovingAverage, so that a short training does not keep its initial weights.
 * - The optimizer `asgd`, non-monotonically triggered averaged SGD (NT-ASGD: Merity et al. 2018, arXiv:1708.02182, algorithm 1): the share is 1, so
 *   that the average is the weights, until the value of an epoch is worse than the best more than `averageAfter` epochs before. From then on
 *   the average is the mean of the weights at that time and after each step since. The paper keeps the rate constant (`schedule`).
 */
import { largest } from '../common/extremes.ts';
import type { Metrics } from '../common/metrics.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { HostTensor, NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { OptimizerState } from './optimizers.ts';
import type { TrainSettings } from './settings.ts';
import type { EpochObjective } from './stopping.ts';
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

type AverageSettings = Pick<TrainSettings, 'optimizer'> & Partial<Pick<TrainSettings, 'weightAverage'>>;

/** Whether a training of these settings has averages of its weights. */
export const isAveraged = ({ optimizer, weightAverage = 0 }: AverageSettings): boolean =>
  optimizer === 'asgd' || weightAverage > 0;

/**
 * What the `step`-th step, counted from 1, is fed for its averages; nothing where there are none. `start`: the step after which `asgd` began to
 * average; undefined: it has not.
 */
export function averageScalars(
  { optimizer, weightAverage = 0 }: AverageSettings,
  step: number,
  start: number | undefined,
): Readonly<Record<string, number>> {
  if (optimizer === 'asgd') return { 'average:share': start === undefined ? 1 : 1 / (step - start + 1) };
  return weightAverage === 0 ? {} : { 'average:share': 1 - Math.min(weightAverage, (1 + step) / (10 + step)) };
}

/**
 * The epoch after which `asgd` begins to average: the first whose value is worse than the best more than `patience` epochs before it. Undefined:
 * there is none. Without validation samples, epochs are compared by their training loss.
 */
export function averageStart(
  history: readonly { readonly loss: number; readonly valid: Metrics }[],
  { metric, direction }: EpochObjective,
  patience: number,
): number | undefined {
  const sign = direction === 'maximize' ? 1 : -1;
  const values = history.map(({ loss, valid }) =>
    Object.keys(valid).length === 0 ? -loss : sign * (valid[metric] ?? Number.NaN),
  );
  const at = values.findIndex((value, k) => k > patience && value < largest(values.slice(0, k - patience)));
  return at < 0 ? undefined : at + 1;
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
