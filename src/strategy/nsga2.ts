import { rank } from '../common/pareto.ts';
import { breed, type Member, membersOf } from './breed.ts';
import { remember } from './keys.ts';
import { sampleWithin } from './limits.ts';
import type { Strategy } from './strategy.ts';

export interface Nsga2Options {
  readonly population: number;
  /** Probability that a child has two parents. */
  readonly crossover: number;
  /** Probability that a child of two parents is mutated as well; a child of one always is. */
  readonly mutation: number;
}

export type Nsga2State = {
  /** How many architectures it has proposed. */
  readonly asked: number;
  /** Front by front, within a front the most isolated first. */
  readonly population: readonly Member[];
  /** Those born since. */
  readonly children: readonly Member[];
  /** Fingerprints of what was measured last. */
  readonly known: readonly string[];
};

/**
 * NSGA-II. Deb et al. 2002, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", section III: N parents have
 * N children; of the 2N the first N live, by front, and within the last front by crowding distance. Parents are found
 * by binary tournaments with the crowded comparison. For networks: Lu et al. 2019, "NSGA-Net".
 *
 * Differs: crossover is uniform over decisions and mutation changes one (the paper's operators are for real numbers and bits);
 * limits are kept by breeding anew, not by constrained domination; what was measured lately (1,000 trials) is not measured
 * again; of two with equal metrics the younger ranks first. Failed, paused and pruned trials and lower fidelities have no
 * children. Nothing waits for the end of a generation: until its last results are in, more children are asked for.
 * With one objective it is a genetic algorithm in which the N best of parents and children live.
 *
 * ask: O(1). tell: O(N² · fronts) at the end of a generation, else O(1).
 */
export function nsga2(options: Nsga2Options): Strategy<Nsga2State> {
  return {
    name: 'nsga2',
    init(problem) {
      sampleWithin(problem, 0); // Limits that nothing keeps are refused now, not in the middle of a study.
      return { asked: 0, population: [], children: [], known: [] };
    },
    async ask(problem, state, firstTrial, count) {
      const parents = state.population.length > 0 ? state.population : rank(state.children, problem.objectives);
      const proposals = Array.from({ length: count }, (_, i) => {
        const initial = state.asked + i < options.population;
        return {
          architecture: initial
            ? sampleWithin(problem, firstTrial + i)
            : breed(problem, firstTrial + i, parents, state.known, { ...options, tournament: 2 }),
          fidelity: problem.fidelities.length - 1,
          start: { kind: 'fresh' as const },
        };
      });
      return [{ ...state, asked: state.asked + count }, proposals];
    },
    async tell(problem, state, outcomes) {
      const known = outcomes.reduce((all, { architecture }) => remember(all, architecture), state.known);
      const children = [...membersOf(problem, outcomes).reverse(), ...state.children];
      if (children.length < options.population) return { ...state, known, children };
      const ranked = rank([...children, ...state.population], problem.objectives);
      return { ...state, known, population: ranked.slice(0, options.population), children: [] };
    },
  };
}
