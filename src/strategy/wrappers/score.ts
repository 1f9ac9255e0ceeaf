import type { Architecture } from '../../space/space.ts';
import type { Outcome, Problem } from '../strategy.ts';

/** A trial that may be continued. */
export type Entry = { readonly trial: number; readonly architecture: Architecture };

/** Larger is better. */
export type Scored = { readonly trial: number; readonly score: number };

/** The first objective of a trial that was completed with a finite value, larger being better; else undefined. */
export function scoreOf({ objectives: [objective] }: Problem, outcome: Outcome): number | undefined {
  const value = outcome.metrics[objective.metric];
  if (outcome.state !== 'complete' || value === undefined || !Number.isFinite(value)) return undefined;
  return objective.direction === 'maximize' ? value : 0 - value; // Not -value: JSON has no -0.
}

/** Best first; of equals the one that was proposed first, so that the order of arrival does not matter. */
export function byScore(a: Scored, b: Scored): number {
  return b.score - a.score || a.trial - b.trial;
}
