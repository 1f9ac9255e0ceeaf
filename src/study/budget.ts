import { invalid } from '../common/errors.ts';
import { compareBy, type Objective } from '../common/metrics.ts';
import { measured } from './ranking.ts';
import type { Trial } from './store/store.ts';

/** When a search ends. Whatever comes first; a budget that has none of them ends with the space. */
export interface Budget {
  /** Search trials in all, those of earlier sessions and failed ones included. */
  readonly trials?: number;
  /**
   * Seconds of searching in all, earlier sessions included; confirmation comes after. A trial that is running then waits
   * at its next report, unless no trial has been completed yet: then the first of them may end.
   */
  readonly seconds?: number;
  /** Until a completed trial has this value of a metric, or a better one. */
  readonly target?: { readonly metric: string; readonly value: number };
}

/** Throws UserError for a budget that allows nothing or cannot be met. */
export function checkBudget(budget: Budget, objectives: readonly Objective[]): void {
  const { trials, seconds, target } = budget;
  if (trials !== undefined && !(Number.isInteger(trials) && trials >= 1))
    throw invalid('budget', `trials is ${trials}`, 'must be a whole number of at least 1');
  if (seconds !== undefined && !(seconds > 0)) throw invalid('budget', `seconds is ${seconds}`, 'must be above 0');
  if (target && !objectives.some(({ metric }) => metric === target.metric))
    throw invalid(
      'budget',
      `the target is ${target.metric}`,
      `must be an objective: ${objectives.map((o) => o.metric).join(', ')}`,
    );
}

export type BudgetEnd = 'trials' | 'time' | 'target';

/** Why no further trial may be proposed; undefined: one may. */
export function budgetEnd(
  budget: Budget,
  trials: readonly Trial[],
  searchSeconds: number,
  objectives: readonly Objective[],
): BudgetEnd | undefined {
  const { target } = budget;
  const objective = objectives.find(({ metric }) => metric === target?.metric);
  if (target && objective) {
    const wanted = { [target.metric]: target.value };
    const reached = trials.some(
      (trial) => trial.state === 'complete' && compareBy(objective, measured(trial), wanted) <= 0,
    );
    if (reached) return 'target';
  }
  if (budget.trials !== undefined && trials.length >= budget.trials) return 'trials';
  if (budget.seconds !== undefined && searchSeconds >= budget.seconds) return 'time';
  return undefined;
}
