import type { Metrics } from '../../common/metrics.ts';
import type { Architecture, Space } from '../../space/space.ts';
import type { Limit } from '../../strategy/strategy.ts';
import { type CostModel, staticCosts } from './model.ts';

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
