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
 * and the rest of the learning-rate schedule is laid out over them: the rate never jumps, and it reaches its end when the time does.
 * `expected`: epochs in all that are expected before the first one is measured. At least one epoch is trained. `history` grows.
 */
export function paceOf({ seconds, mostEpochs }: TimeLimit, expected: number, history: readonly EpochRecord[]): Pace {
  const done = () => history.at(-1)?.progress ?? 0;
  const left = (): number => {
    if (history.length === 0) return Math.max(1, Math.min(expected, mostEpochs));
    const used = history.reduce((sum, record) => sum + record.seconds, 0);
    const each = mean(history.slice(-RECENT).map((record) => record.seconds - (record.spent?.compile ?? 0)));
    const fitting = Math.floor((seconds * (1 - MARGIN) - used) / Math.max(each, 1e-6));
    return Math.max(0, Math.min(fitting, mostEpochs - history.length));
  };
  return {
    epochs: () => history.length + left(),
    share: (ofEpoch) => done() + ((1 - done()) * ofEpoch) / Math.max(1, left()),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
