import type { Metrics, Objective } from '../common/metrics.ts';

/** Epochs that an early end waits for at least: below that, it would be noise that ends a training. */
const LEAST_PATIENCE = 3;

/** What an epoch is judged by: a metric of the validation samples. */
export type EpochObjective = Pick<Objective, 'metric' | 'direction'>;

interface ValidatedEpoch {
  readonly epoch: number;
  readonly valid: Metrics;
}

/** The number of the best epoch, the first of equal ones; undefined where none has the metric. */
export function bestEpoch(
  history: readonly ValidatedEpoch[],
  { metric, direction }: EpochObjective,
): number | undefined {
  const sign = direction === 'maximize' ? 1 : -1;
  let best: { readonly epoch: number; readonly value: number } | undefined;
  for (const { epoch, valid } of history) {
    const value = sign * (valid[metric] ?? Number.NaN);
    if (value > (best?.value ?? Number.NEGATIVE_INFINITY)) best = { epoch, value };
  }
  return best?.epoch;
}

/** Whether nothing has improved for `patience` (a share of `epochs`, those planned in all; 0: never). */
export function hasStoppedImproving(
  history: readonly ValidatedEpoch[],
  objective: EpochObjective,
  patience: number,
  epochs: number,
): boolean {
  const best = bestEpoch(history, objective);
  if (patience === 0 || best === undefined) return false;
  return history.length - best >= Math.max(LEAST_PATIENCE, Math.ceil(patience * epochs));
}
