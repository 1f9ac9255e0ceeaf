import type { Samples } from '../data/dataset.ts';
import type { Measured } from '../task/metrics.ts';
import type { Checkpoint, EpochRecord } from './checkpoint.ts';

/**
 * Anything that is trained in epochs: a network, a supernet, a policy. Stopping, resuming and budgets rely on this contract alone.
 *
 * Opened with the same request it gives the same numbers, bit for bit on one machine. Opened from a checkpoint it continues as if it had
 * never been stopped. One caller at a time: no method is called before the previous one has resolved.
 */
export interface Trainable {
  /** One record for each completed epoch, including those of the checkpoint that it was opened from. */
  readonly history: readonly EpochRecord[];
  /** Of a training with a time limit: the epochs in all that fit, as estimated now; it is over when `history` has as many. */
  epochs?(): number;
  /** Whether it is over before all epochs are done, because it does not improve any more. */
  hasStopped?(): boolean;
  /** The epoch, from 1, whose weights it hands on; the last one where absent. */
  keptEpoch?(): number | undefined;
  /**
   * Trains one epoch, validates, and adds the record to `history`. Throws TrainingFailure if a loss or a validation metric is not finite,
   * and the signal's reason when aborted. After either, only `dispose` may be called.
   */
  epoch(): Promise<EpochRecord>;
  /** A copy of everything needed to continue from here; later epochs do not change it. */
  checkpoint(): Promise<Checkpoint>;
  /** Metrics on these samples in its present state, which does not change. */
  measure(samples: Samples): Promise<Measured>;
  /** Frees its programs and tensors. A second call does nothing. */
  dispose(): Promise<void>;
}

/**
 * Trains until `epochs` epochs are completed in all, those of its checkpoint included, or as many as fit in its time limit, or until it stops. `onEpoch` is called after each; training continues
 * when it resolves. Throws as `epoch` does.
 */
export async function trainUntil(
  trainable: Trainable,
  epochs: number,
  onEpoch?: (record: EpochRecord) => void | Promise<void>,
): Promise<void> {
  while (!trainable.hasStopped?.() && trainable.history.length < (trainable.epochs?.() ?? epochs)) {
    const record = await trainable.epoch();
    await onEpoch?.(record);
  }
}
