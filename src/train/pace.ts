import type { EpochRecord } from './checkpoint.ts';

/** How long a training may take. */
export interface TimeLimit {
  /** Of opening and all epochs together, those of earlier attempts included. */
  readonly seconds: number;
  /** Epochs in all that more time would not be used for. */
  readonly mostEpochs: number;
}

/** Where a training with a time limit is in its schedule. */
export interface Pace {
  /** Epochs in all that fit, as estimated from those that are done. */
  epochs(): number;
  /** How much of the training is done, from 0 to 1, at this share (0 to 1) of the next epoch. */
  share(ofEpoch: number): number;
}

/** Kept free, because epochs differ in how long they take. */
const MARGIN = 0.01;

/** Recent epochs that the next ones are estimated by. */
const RECENT = 5;

/**
 * Fits a training into a time limit. After each epoch, the epochs that are left are counted again from the seconds that recent epochs took,
 * and the rest of the learning-rate schedule is laid out over them: the rate never jumps, and it reaches its end when the time does. In
 * the first epoch, the clock says how much is done. At least one epoch is trained. `history` grows; `elapsed`: seconds since the first
 * step could be made.
 */
export function paceOf(
  { seconds, mostEpochs }: TimeLimit,
  history: readonly EpochRecord[],
  elapsed: () => number,
): Pace {
  const usable = seconds * (1 - MARGIN);
  const done = () => history.at(-1)?.progress ?? 0;
  const left = (): number => {
    if (history.length === 0) return 1;
    const used = history.reduce((sum, record) => sum + record.seconds, 0);
    const each = mean(history.slice(-RECENT).map((record) => record.seconds - (record.spent?.compile ?? 0)));
    const fitting = Math.floor((usable - used) / Math.max(each, 1e-6));
    return Math.max(0, Math.min(fitting, mostEpochs - history.length));
  };
  return {
    epochs: () => history.length + left(),
    share(ofEpoch) {
      if (history.length === 0) return Math.min(1, Math.max(elapsed() / usable, ofEpoch / mostEpochs));
      return done() + ((1 - done()) * ofEpoch) / Math.max(1, left());
    },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
