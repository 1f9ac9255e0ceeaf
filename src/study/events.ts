import type { Report, StepReport } from '../estimate/estimator.ts';
import type { BudgetEnd } from './budget.ts';
import type { Contender } from './ranking.ts';
import type { Trial } from './store/store.ts';

/** Events for a live view, in order. Plain data. */
export type StudyEvent =
  /** `trials`: how many trials the phase will have at most, if that is known. */
  | { readonly kind: 'phase'; readonly phase: Trial['purpose']; readonly trials: number | undefined }
  | { readonly kind: 'started'; readonly trial: Trial }
  | { readonly kind: 'reported'; readonly trial: Trial; readonly report: Report }
  /** Only with `StudyRun.steps`. */
  | { readonly kind: 'stepped'; readonly trial: Trial; readonly step: StepReport }
  | { readonly kind: 'ended'; readonly trial: Trial }
  /** Back to waiting: interrupted, out of time, or its worker died and it is tried again (then with the reason). */
  | { readonly kind: 'released'; readonly trial: Trial; readonly reason: string }
  /** A message for the user, such as an unreadable checkpoint. */
  | { readonly kind: 'note'; readonly trial: Trial; readonly text: string }
  /** Best so far in the search: one architecture, or the Pareto front. */
  | { readonly kind: 'best'; readonly best: readonly Contender[] }
  | { readonly kind: 'finished'; readonly end: StudyEnd };

/** How a call of `runStudy` ended. */
export interface StudyEnd {
  /**
   * exhausted: the strategy has no more proposals, or all architectures were tried and it only repeats them (exhaustion.ts).
   * failing: every trial fails for the same reason, or the supernet's does.
   */
  readonly reason: BudgetEnd | 'exhausted' | 'failing' | 'interrupted';
  /** Search trials so far. */
  readonly trials: number;
  /** See `bestOf`. Empty when no trial was completed. */
  readonly best: readonly Contender[];
}
