import { decisions } from '../../space/index.ts';
import type { Space } from '../../space/space.ts';
import type { Strategy } from '../strategy.ts';
import { tpe } from '../surrogate/tpe.ts';
import type { BracketsState } from './brackets.ts';
import { hyperband } from './hyperband.ts';

export interface BohbOptions {
  readonly eta: number;
  readonly brackets: number;
  /** N_min + 2: complete trials of a fidelity before it has a model; 0: the number of decisions + 3. */
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
 * highest fidelity that has N_min + 2 of them (`enough`), N_min being the number of decisions + 1. Before there is one, and
 * a share ρ afterwards, candidates are uniform. With N results, the good density has max(N_min, q N), the other max(N_min, N less those):
 * of few results the middle ones are in both.
 *
 * Differs: the densities are those of our `tpe` (a uniform prior in place of the minimal bandwidth; bandwidths are not
 * widened for drawing; no more good ones than 25, or N_min), and what is running counts as bad. Cost: see `tpe` and
 * `bracketStrategy`.
 */
export function bohb({ gamma, candidates, ...options }: BohbOptions): Strategy<BracketsState> {
  const { enough } = options;
  const least = (space: Space) => (enough > 0 ? Math.max(0, enough - 2) : decisions(space).length + 1);
  return hyperband(tpe({ initial: 2, gamma, candidates, multivariate: true, least }), options, 'bohb');
}
