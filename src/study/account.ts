import { type Spent, totalSpent } from '../common/spent.ts';
import type { Clock, Trial } from './store/store.ts';

/** What the time of a study's workers went to while its search was running, in seconds; the parts add up. */
export interface Account extends Spent {
  readonly workerSeconds: number;
  /** Trials that begin and end, checkpoints, workers without a trial, and epochs that are running or were lost. */
  readonly other: number;
}

/** Seconds of computing of all trials together: one that continues another counts from there on. */
export function computingSeconds(trials: readonly Trial[]): number {
  const byNumber = new Map(trials.flatMap((one) => (one.purpose === 'search' ? [[one.trial, one] as const] : [])));
  return trials.reduce((sum, trial) => sum + ownSeconds(trial, byNumber), 0);
}

/** A report's seconds are those in all, of the trials that are continued too; unless theirs were lost and it restarted. */
function ownSeconds({ start, curve, seconds }: Trial, byNumber: ReadonlyMap<number, Trial>): number {
  const before = start.kind === 'continue' ? byNumber.get(start.trial)?.curve.at(-1) : undefined;
  return before !== undefined && (curve[0]?.step ?? 0) > before.step ? seconds - before.seconds : seconds;
}

/** `trials`: those of the search. */
export function accountOf(trials: readonly Trial[], { workerSeconds }: Clock): Account {
  const spent = totalSpent(trials.flatMap(({ curve }) => curve.flatMap((report) => report.spent ?? [])));
  const known = spent.compile + spent.train + spent.valid + spent.idle;
  return { workerSeconds, ...spent, other: Math.max(0, workerSeconds - known) };
}
