/** What a task must know of an environment: plain data. */

/** One of `count` actions: 0 to count - 1. */
export interface DiscreteActions {
  readonly kind: 'discrete';
  readonly count: number;
  readonly names?: readonly string[];
}

/** `size` numbers within finite bounds, one bound for each. Lanes clip what lies outside. */
export interface ContinuousActions {
  readonly kind: 'continuous';
  readonly size: number;
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly names?: readonly string[];
}

export type ActionSpec = DiscreteActions | ContinuousActions;

/**
 * What a network gives for an observation. actor-critic: the outputs of a distribution of actions (a logit for each discrete one; means and
 * logarithms of deviations of continuous ones), then the value of the state. action-values: the value of each discrete action. genome: a
 * number from 0 to 1 for each action, or for each number of a continuous one.
 */
export type PolicyForm = 'actor-critic' | 'action-values' | 'genome';

/** What a study stores of its environment: plain JSON, so that reading a study runs no code. */
export interface EnvironmentInfo {
  readonly description: string;
  readonly action: ActionSpec;
  readonly form: PolicyForm;
  /** The largest absolute value of each number of an observation by its bounds, 1 where it has none; absent where all are 1. */
  readonly largest?: readonly number[];
  /** Episodes end after this number of steps. */
  readonly maxSteps: number;
  /** What counts as success, in words. */
  readonly success: string;
  /** What fitness is, where it is not the return. */
  readonly fitness?: string;
}

/** How many values a network gives for an observation. */
export function outputsOf(action: ActionSpec, form: PolicyForm): number {
  if (form === 'genome') return action.kind === 'discrete' ? action.count : action.size;
  const own = action.kind === 'discrete' ? action.count : 2 * action.size;
  return form === 'actor-critic' ? own + 1 : own;
}
