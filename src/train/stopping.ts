import type { EpochRecord } from './checkpoint.ts';

/** Epochs that an early end waits for at least: below that, it would be noise that ends a training. */
const LEAST_PATIENCE = 3;

/**
 * The epoch with the smallest validation loss, the first of equal ones; undefined where none was validated. The loss rather than the metric
 * that is wanted: it is less noisy, so a value at that epoch is less flattered by the choice (docs/recipes.md).
 */
export function bestEpoch(history: readonly Pick<EpochRecord, 'epoch' | 'valid'>[]): number | undefined {
  let best: { readonly epoch: number; readonly loss: number } | undefined;
  for (const { epoch, valid } of history) {
    const { loss } = valid;
    if (loss !== undefined && (best === undefined || loss < best.loss)) best = { epoch, loss };
  }
  return best?.epoch;
}

/** Whether the validation loss has not improved for `patience` (a share of `epochs`, those planned in all; 0: any number). */
export function hasStoppedImproving(history: readonly EpochRecord[], patience: number, epochs: number): boolean {
  const best = bestEpoch(history);
  if (patience === 0 || best === undefined) return false;
  return history.length - best >= Math.max(LEAST_PATIENCE, Math.ceil(patience * epochs));
}
