import type { Problem } from '../strategy/strategy.ts';
import type { StudyEnd } from '../study/events.ts';
import { allTried } from '../study/exhaustion.ts';
import type { Trial } from '../study/store/store.ts';

const REASONS: Readonly<Record<Exclude<StudyEnd['reason'], 'exhausted'>, string>> = {
  trials: 'All trials are done.',
  time: 'The time is up.',
  target: 'The target is reached.',
  failing: 'Stopped early: all trials fail for the same reason.',
  interrupted: 'Interrupted.',
};

/** Why a search has ended. */
export function endText(
  { reason }: StudyEnd,
  { problem, trials }: { readonly problem: Problem; readonly trials: readonly Trial[] },
): string {
  if (reason !== 'exhausted') return REASONS[reason];
  const searched = trials.filter(({ purpose }) => purpose === 'search');
  const all = allTried(problem, searched);
  const limits = problem.limits.map(({ cost, max }) => `${cost} <= ${max}`).join(', ');
  const isLimited = limits !== '';
  if (isLimited && searched.length === 0) return `No architecture of the space is within the limits ${limits}.`;
  if (all === undefined) return 'The search space is exhausted: the strategy has no more proposals.';
  const where = isLimited ? `${all.proved ? '' : ' found'} within the limits` : ' of the space';
  return all.count === 1
    ? `The only architecture${where} has been tried.`
    : `All ${all.count} architectures${where} have been tried.`;
}
