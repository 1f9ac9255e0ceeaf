import { rank } from '../../common/pareto.ts';
import type { Strategy } from '../strategy.ts';
import { type BreedState, breeding } from './breed.ts';

export interface Nsga2Options {
  readonly population: number;
  /** Probability that a child has two parents. */
  readonly crossover: number;
  /** Probability that a child of two parents is mutated as well; a child of one always is. */
  readonly mutation: number;
}

/**
 * NSGA-II. Deb et al. 2002, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", section III: N parents have
 * N children; of the 2N the first N live, by front, and within the last front by crowding distance. Parents are found
 * by binary tournaments with the crowded comparison. For networks: Lu et al. 2019, "NSGA-Net".
 *
 * Differs: crossover is uniform over decisions and mutation changes one (the paper's operators are for real numbers and bits);
 * limits are kept by breeding again, not by constrained domination; what was measured in the last 1,000 trials is not measured
 * again; of two with equal metrics the younger ranks first; what `breeding` adds. With one objective it is a genetic algorithm in
 * which the N best of parents and children live.
 *
 * ask: O(1). tell: O(N² · fronts) at the end of a generation, else O(1).
 */
export function nsga2(options: Nsga2Options): Strategy<BreedState> {
  const { population } = options;
  return breeding('nsga2', { ...options, tournament: 2 }, ({ objectives }, parents, young) =>
    young.length < population ? undefined : rank([...young, ...parents], objectives).slice(0, population),
  );
}
