import { invalid } from '../../common/errors.ts';
import type { Problem, Strategy } from '../strategy.ts';
import { type BracketsState, bracketStrategy } from './brackets.ts';
import type { LearningOptions } from './by-fidelity.ts';

export interface SuccessiveHalvingOptions extends LearningOptions {
  /** η: the best 1/η of each rung continue; the fidelities should be a factor of η apart. */
  readonly eta: number;
  /** n: candidates of a bracket; 0: as many as leave one at the full fidelity, `eta ** (fidelities - 1)`. */
  readonly candidates: number;
  /** Brackets before the search ends; 0: no end. */
  readonly brackets: number;
}

/**
 * Successive halving. Jamieson & Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter
 * Optimization"; as in Li et al. 2020, algorithm 1: n candidates at the lowest fidelity; the best ⌊n / η⌋ continue from
 * their checkpoints at the next, and so on up to the full one. Then the next bracket begins. The candidates come from
 * `inner`; what it learns from: `learnByFidelity`.
 *
 * Throws UserError (`init`) for so few candidates that none would reach the full fidelity. Cost: see `bracketStrategy`.
 */
export function successiveHalving(inner: Strategy, options: SuccessiveHalvingOptions): Strategy<BracketsState> {
  const { eta, brackets } = options;
  const least = ({ fidelities }: Problem) => eta ** (fidelities.length - 1);
  const strategy = bracketStrategy('successive-halving', inner, options, (problem, index) => {
    if (brackets > 0 && index >= brackets) return undefined;
    const n = options.candidates || least(problem);
    const above = problem.fidelities.slice(1).map((_, i) => Math.floor(n / eta ** (i + 1)));
    return { level: 0, sizes: [n, ...above] };
  });
  return {
    ...strategy,
    init(problem) {
      const { candidates } = options;
      if (candidates > 0 && candidates < least(problem)) {
        const rungs = `with ${problem.fidelities.length} fidelities and eta=${eta}`;
        throw invalid(
          'strategy "successive-halving"',
          `option candidates is ${candidates}`,
          `must be at least ${least(problem)} ${rungs}, or no candidate reaches the full fidelity`,
        );
      }
      return strategy.init(problem);
    },
  };
}
