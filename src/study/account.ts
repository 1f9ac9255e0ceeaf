import { type Spent, totalSpent } from '../common/spent.ts';
import type { Clock, Trial } from './store/store.ts';

/** What the time of a study's workers went to while its search was running, in seconds; the parts add up. */
export interface Account extends Spent {
  readonly workerSeconds: number;
  /** Trials that begin and end, checkpoints, workers without a trial, and epochs that are running or were lost. */
  readonly other: number;
}

/** `trials`: those of the search. */
export function accountOf(trials: readonly Trial[], { workerSeconds }: Clock): Account {
  const spent = totalSpent(trials.flatMap(({ curve }) => curve.flatMap((report) => report.spent ?? [])));
  const known = spent.compile + spent.train + spent.valid + spent.idle;
  return { workerSeconds, ...spent, other: Math.max(0, workerSeconds - known) };
}
