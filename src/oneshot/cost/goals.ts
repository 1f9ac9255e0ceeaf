import type { Metrics } from '../../common/metrics.ts';
import type { Architecture, Space } from '../../space/space.ts';
import type { Limit } from '../../strategy/strategy.ts';
import { type CostModel, predictedCosts, staticCosts } from './model.ts';

/** What a study asks of the costs of what it finds. */
export interface CostGoals {
  /** What is derived keeps them. */
  readonly limits: readonly Limit[];
  /** The costs among the objectives: the smaller, the better. */
  readonly objectives: readonly string[];
  /** The costs of an architecture, exactly, at least those named above. Throws UserError where its network cannot be built. */
  of(architecture: Architecture): Metrics;
  /** A cost as a sum over options, such as that of a latency table; by default parameters and FLOPs are sums. */
  model?(cost: string): CostModel | undefined;
}

/** A cost as a sum over options; undefined where it is none. Throws UserError for a space without a supernet. */
export const modelOf = (space: Space, { model }: CostGoals, cost: string): CostModel | undefined =>
  model?.(cost) ?? staticCosts(space, cost);

/** A cost that is predicted for each network, such as a latency by a table of blocks. */
export interface PredictedCost {
  readonly cost: string;
  readonly isObjective: boolean;
  /** Its limit, where it has one. */
  readonly max?: number;
  of(architecture: Architecture): number;
}

/** The goals of a study with such a cost among them. */
export function withPredicted(space: Space, goals: CostGoals, predicted: PredictedCost): CostGoals {
  const { cost, isObjective, max, of } = predicted;
  let model: CostModel | undefined;
  return {
    limits: [...goals.limits, ...(max === undefined ? [] : [{ cost, max }])],
    objectives: [...goals.objectives, ...(isObjective ? [cost] : [])],
    of: (architecture) => ({ ...goals.of(architecture), [cost]: of(architecture) }),
    model(name) {
      if (name !== cost) return goals.model?.(name);
      model ??= predictedCosts(space, of);
      return model;
    },
  };
}

/** Whether an architecture keeps the limits. One whose network cannot be built does not. */
export function keepsLimits({ limits, of }: CostGoals, architecture: Architecture): boolean {
  if (limits.length === 0) return true;
  try {
    const costs = of(architecture);
    return limits.every(({ cost, max }) => (costs[cost] ?? Number.POSITIVE_INFINITY) <= max);
  } catch {
    return false;
  }
}
