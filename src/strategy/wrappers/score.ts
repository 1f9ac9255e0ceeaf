import type { Metrics } from '../../common/metrics.ts';
import { rank } from '../../common/pareto.ts';
import type { Architecture } from '../../space/space.ts';
import { objectivesIn } from '../outcomes.ts';
import type { Outcome, Problem } from '../strategy.ts';

/** A trial that may be continued. */
export type Entry = { readonly trial: number; readonly architecture: Architecture };

/** Larger is better. With several objectives `metrics` holds them, and `score` is what `scoredAmong` makes of them. */
export type Scored = { readonly trial: number; readonly score: number; readonly metrics?: Metrics };

/** The score of a trial that was completed with a finite value of each objective; else undefined. */
export function scoreOf(problem: Problem, outcome: Outcome): Omit<Scored, 'trial'> | undefined {
  const { objectives } = problem;
  const metrics = objectivesIn(problem, outcome.metrics);
  if (outcome.state !== 'complete' || objectives.some(({ metric }) => metrics[metric] === undefined)) return undefined;
  if (objectives.length > 1) return { score: 0, metrics };
  const [{ metric, direction }] = objectives;
  const value = metrics[metric] ?? Number.NaN;
  return { score: direction === 'maximize' ? value : 0 - value }; // Not -value: JSON has no -0.
}

/** Best first; of equals the one that was proposed first, so that the order of arrival does not matter. */
export function byScore(a: Scored, b: Scored): number {
  return b.score - a.score || a.trial - b.trial;
}

/**
 * With several objectives the scores of trials among each other: by non-dominated rank, and within a front by crowding distance
 * (`rank`). With one objective they stay what they are. O(n² · fronts).
 */
export function scoredAmong<T extends Scored>({ objectives }: Problem, all: readonly T[]): readonly T[] {
  if (objectives.length === 1) return all;
  const known = all.map((one) => ({ one, metrics: one.metrics ?? {} })).sort((a, b) => a.one.trial - b.one.trial);
  return rank(known, objectives).map(({ one }, place) => ({ ...one, score: 0 - place }));
}
