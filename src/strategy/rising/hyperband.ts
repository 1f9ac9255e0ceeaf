import type { Strategy } from '../strategy.ts';
import { type BracketPlan, type BracketsState, bracketStrategy } from './brackets.ts';
import type { LearningOptions } from './by-fidelity.ts';

export interface HyperbandOptions extends LearningOptions {
  /** η: the best 1/η of each rung continue; the fidelities should be a factor of η apart. */
  readonly eta: number;
  /** Brackets before the search ends; 0: no end, after the last the first comes again. */
  readonly brackets: number;
}

/**
 * Hyperband. Li et al. 2018, "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization", algorithm 1:
 * brackets s = s_max, ..., 0 of successive halving, each with about the same epochs in all, from many candidates that
 * begin at the lowest fidelity to a few that begin at the full one; then again from s_max. s_max + 1 is the number of
 * fidelities. A continued trial counts with the epochs that it has trained already (as in the paper's n_i and r_i), of
 * which ours costs only those that it adds. The candidates come from `inner`; what it learns from: `learnByFidelity`.
 *
 * Differs: a worker that would wait for a rung begins the next bracket. Cost: see `bracketStrategy`.
 */
export function hyperband(inner: Strategy, options: HyperbandOptions, name = 'hyperband'): Strategy<BracketsState> {
  const { eta, brackets } = options;
  return bracketStrategy(name, inner, options, ({ fidelities }, index) =>
    brackets > 0 && index >= brackets ? undefined : hyperbandBracket(eta, fidelities.length, index),
  );
}

/** The bracket `index` (from 0) of a run over `fidelities` fidelities. */
export function hyperbandBracket(eta: number, fidelities: number, index: number): BracketPlan {
  const most = fidelities - 1;
  const s = most - (index % fidelities);
  const n = Math.ceil(((most + 1) * eta ** s) / (s + 1));
  const above = Array.from({ length: s }, (_, i) => Math.floor(n / eta ** (i + 1)));
  return { level: most - s, sizes: [n, ...above] };
}
