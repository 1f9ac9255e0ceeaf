import { invalid } from '../common/errors.ts';
import { compareBy, METRICS, type Metrics, type Objective } from '../common/metrics.ts';
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
  /** No trial begins that would not have this many of the seconds left, unless none is complete yet. */
  readonly trialSeconds?: number;
  /** Stop when a completed trial reaches all of these values, or better ones: good enough. */
  readonly targets?: readonly Target[];
}

/** A value of a metric, or of a cost, that is good enough. */
export interface Target {
  readonly metric: string;
  readonly value: number;
  /** For a measure of the user's own that is neither an objective nor known to Netsmith. */
  readonly direction?: Objective['direction'];
}

/** Throws UserError for a budget that is empty or names an unknown metric. */
export function checkBudget(budget: Budget, objectives: readonly Objective[] = []): void {
  const { trials, seconds, targets = [] } = budget;
  if (trials !== undefined && !(Number.isInteger(trials) && trials >= 1))
    throw invalid('budget', `trials is ${trials}`, 'must be a whole number of at least 1');
  if (seconds !== undefined && !(seconds > 0)) throw invalid('budget', `seconds is ${seconds}`, 'must be above 0');
  const unknown = targets.find((target) => directionOf(target, objectives) === undefined);
  if (unknown !== undefined)
    throw invalid(
      'budget',
      `a target is ${unknown.metric}`,
      `must be one of ${[...new Set([...objectives.map(({ metric }) => metric), ...Object.keys(METRICS)])].join(', ')}`,
    );
}

function reaches(metrics: Metrics, target: Target, objectives: readonly Objective[]): boolean {
  const objective = directionOf(target, objectives);
  return objective !== undefined && compareBy(objective, metrics, { [target.metric]: target.value }) <= 0;
}

/** Which way a target's metric is better: as the study has it, else as Netsmith does. */
function directionOf({ metric, direction }: Target, objectives: readonly Objective[]): Objective | undefined {
  const known = Object.entries(METRICS).find(([name]) => name === metric);
  const own = direction && { metric, direction, unit: '' };
  return objectives.find((one) => one.metric === metric) ?? own ?? (known && { metric, ...known[1] });
}

/** Whether another trial has the time that it needs. */
export function fitsAnother({ seconds, trialSeconds = 0 }: Budget, searchSeconds: number): boolean {
  return seconds === undefined || searchSeconds + trialSeconds <= seconds;
}

export type BudgetEnd = 'trials' | 'time' | 'target';

/** Why no further trial may be proposed; undefined: one may. */
export function budgetEnd(
  budget: Budget,
  trials: readonly Trial[],
  searchSeconds: number,
  objectives: readonly Objective[],
): BudgetEnd | undefined {
  const { targets = [] } = budget;
  if (targets.length > 0) {
    const reached = trials.some(
      (trial) => trial.state === 'complete' && targets.every((target) => reaches(measured(trial), target, objectives)),
    );
    if (reached) return 'target';
  }
  if (budget.trials !== undefined && trials.length >= budget.trials) return 'trials';
  if (budget.seconds !== undefined && searchSeconds >= budget.seconds) return 'time';
  return undefined;
}
