import { hyperband } from './hyperband.ts';
import type { Strategy } from './strategy.ts';
import { tpe } from './tpe.ts';
import type { BracketsState } from './wrappers/brackets.ts';

export interface BohbOptions {
  readonly eta: number;
  readonly brackets: number;
  /** Complete trials of a fidelity before the model learns from it; 0: the number of decisions + 3 (N_min + 2). */
  readonly enough: number;
  /** ρ: share of the candidates that are uniform samples. */
  readonly random: number;
  /** q: share of the observations that the good density is made of. */
  readonly gamma: number;
  /** N_s: draws from the good density, of which the best is proposed. */
  readonly candidates: number;
}

/**
 * BOHB. Falkner et al. 2018, "BOHB: Robust and Efficient Hyperparameter Optimization at Scale", algorithm 2: Hyperband
 * whose candidates come from the ratio of two multivariate kernel densities, of the good and of the other results at the
 * highest fidelity that has enough of them; a share ρ stays uniform.
 *
 * Differs: the densities are those of our `tpe` (a uniform prior in place of the minimal bandwidth; bandwidths are not
 * widened for drawing), the good one has max(1, q n) members, and what is running counts as bad. Cost: see `tpe` and
 * `bracketStrategy`.
 */
export function bohb({ gamma, candidates, ...options }: BohbOptions): Strategy<BracketsState> {
  return hyperband(tpe({ initial: 2, gamma, candidates, multivariate: true }), options, 'bohb');
}
