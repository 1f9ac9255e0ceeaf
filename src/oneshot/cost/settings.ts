import { z } from 'zod';

/** How much costs count in the loss of an architecture. */
export interface CostSettings {
  /** Of a cost that is an objective. */
  readonly costWeight: number;
  /** Of what the expected cost is above a limit. */
  readonly limitWeight: number;
  /**
   * linear: expected cost / reference (ProxylessNAS); log: its logarithm (FBNet). The reference is the limit, and of an objective the
   * expected cost where all options weigh the same.
   */
  readonly costForm: 'linear' | 'log';
}

export const COST_DEFAULTS: CostSettings = { costWeight: 0.1, limitWeight: 1, costForm: 'linear' };

/** The options of methods that learn an architecture by gradients. */
export const costOptions = {
  costWeight: z.number().min(0).max(1000).default(COST_DEFAULTS.costWeight),
  limitWeight: z.number().min(0).max(1000).default(COST_DEFAULTS.limitWeight),
  costForm: z.enum(['linear', 'log']).default(COST_DEFAULTS.costForm),
} as const;
