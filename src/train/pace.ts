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
  /** Whether the time is up: the epoch that runs ends with its next step. */
  isOver(): boolean;
}

/** Kept free, because steps differ in how long they take. */
const MARGIN = 0.01;

/** Recent epochs that the next ones are estimated by. */
const RECENT = 5;

/**
 * Fits a training into a time limit. After each epoch, the epochs that are left are counted again from the seconds that recent epochs took,
 * and the rest of the learning-rate schedule is laid out over them: the rate never jumps, and it reaches its end when the time does. In
 * the first epoch, the clock says how much is done. At least one step is made; an epoch that the time does not suffice for is cut short.
 * `history` grows; `opened`: when this attempt began, in milliseconds of `now`.
 */
export function paceOf(
  { seconds, mostEpochs }: TimeLimit,
  history: readonly EpochRecord[],
  opened: number,
  now: () => number,
): Pace {
  const usable = seconds * (1 - MARGIN);
  const before = secondsOf(history);
  const { length: begun } = history;
  /** Of all attempts, the epoch that runs now included. */
  const elapsed = () => before + (now() - opened) / 1000;
  let compiled: number | undefined;
  const done = () => history.at(-1)?.progress ?? 0;
  const left = (): number => {
    if (history.length === 0) return 1;
    const each = secondsOf(history.slice(-RECENT), true) / Math.min(RECENT, history.length);
    const used = history.length > begun ? elapsed() : before;
    const fitting = Math.floor((usable - used) / Math.max(each, 1e-6));
    return Math.max(0, Math.min(fitting, mostEpochs - history.length));
  };
  let planned: { readonly after: number; readonly left: number } | undefined;
  /** The same for all of an epoch. */
  const leftOfEpoch = () => {
    if (planned?.after !== history.length) planned = { after: history.length, left: Math.max(1, left()) };
    return planned.left;
  };
  return {
    epochs: () => history.length + left(),
    share(ofEpoch) {
      if (history.length > 0) return done() + ((1 - done()) * ofEpoch) / leftOfEpoch();
      compiled ??= elapsed();
      const byClock = (elapsed() - compiled) / Math.max(usable - compiled, 1e-6);
      return Math.min(1, Math.max(byClock, ofEpoch / mostEpochs));
    },
    isOver: () => elapsed() >= usable,
  };
}

function secondsOf(history: readonly EpochRecord[], withoutCompiling = false): number {
  return history.reduce(
    (sum, record) => sum + record.seconds - (withoutCompiling ? (record.spent?.compile ?? 0) : 0),
    0,
  );
}
