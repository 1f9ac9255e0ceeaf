import { invalid } from '../common/errors.ts';
import { compareBy, type Objective } from '../common/metrics.ts';
import { measured } from './ranking.ts';
import type { Trial } from './store/store.ts';

/** The limits of a search; it ends at the first one reached. Without any, it ends when the space is exhausted. */
export interface Budget {
  /** Total number of search trials, including failed ones and those of earlier sessions. */
  readonly trials?: number;
  /**
   * Total search time in seconds, including earlier sessions but not confirmation. Running trials then pause at their next
   * report; if no trial is complete yet, the first one may finish.
   */
  readonly seconds?: number;
  /** Stop when a completed trial reaches this value of a metric, or a better one. */
  readonly target?: { readonly metric: string; readonly value: number };
}

/** Throws UserError for a budget that is empty or names an unknown metric. */
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
