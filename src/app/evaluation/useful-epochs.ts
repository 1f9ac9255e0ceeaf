import { TRAINED_METRICS } from '../../common/metrics.ts';
import type { Trial } from '../../study/store/store.ts';
import { bestEpoch } from '../../train/stopping.ts';

/** A shorter training says nothing of how long one should be. */
const LEAST_EPOCHS = 8;
/** A trial whose best epoch is later than this share of it has not shown that it was trained too long. */
const LATE = 0.75;
/** Shorter than this share of the epochs, no final training was measured to be good (docs/recipes.md). */
const LEAST_SHARE = 1 / 8;
/** It turns earlier than an accuracy, and is less noisy. */
const LOSS = { metric: 'loss', ...TRAINED_METRICS.loss };

/**
 * How many of `epochs` a final training should have, which has no validation samples to stop by: the median over the trials of the epoch with
 * the smallest validation loss. A trial that was still improving, or was too short to show it, votes for all epochs.
 */
export function usefulEpochs(trials: readonly Pick<Trial, 'state' | 'curve'>[], epochs: number): number {
  const votes = trials
    .filter(({ state, curve }) => state === 'complete' && curve.length > 0)
    .map(({ curve }) => {
      const best = bestEpoch(
        curve.map(({ step, metrics }) => ({ epoch: step, valid: metrics })),
        LOSS,
      );
      const last = curve.at(-1)?.step ?? 0;
      return best === undefined || last < LEAST_EPOCHS || best > LATE * last ? epochs : Math.min(best, epochs);
    })
    .sort((a, b) => a - b);
  return Math.max(votes[Math.floor(votes.length / 2)] ?? epochs, Math.ceil(LEAST_SHARE * epochs));
}
