import { rank } from '../../common/pareto.ts';
import type { Strategy } from '../strategy.ts';
import { type BreedOptions, type BreedState, breeding, type Replace } from './breed.ts';

export interface EvolutionOptions extends BreedOptions {
  /** steady-state: each child replaces the worst at once. generational: all parents but the elite are replaced together. */
  readonly replacement: 'steady-state' | 'generational';
  readonly population: number;
  /** How many of the best live on in the next generation; without meaning for the steady state, where the best never dies. */
  readonly elite: number;
}

/**
 * Genetic algorithm with crossover, mutation, tournaments and elitism. Steady-state: Whitley 1989, "The GENITOR
 * algorithm" (a child replaces the worst of the population). Generational: Holland 1975; for networks Xie & Yuille 2017,
 * "Genetic CNN", and Sun et al. 2020, "Automatically Designing CNN Architectures Using the Genetic Algorithm" (whose
 * tournaments, crossover probability and elite these are).
 *
 * Differs: crossover is uniform over decisions, mutation changes one decision; parents are found by tournament in place
 * of GENITOR's linear ranking; among equals the younger ranks first; what was measured lately (1,000 trials) is not
 * measured again. With several objectives the population is ranked by fronts and crowding. See `breeding`.
 *
 * ask: O(tournament). tell: O(P log P) with one objective, O(P² · fronts) with several.
 */
export function evolution(options: EvolutionOptions): Strategy<BreedState> {
  const { population, elite } = options;
  const steady: Replace = ({ objectives }, parents, young) =>
    rank([...young, ...parents], objectives).slice(0, population);
  const generational: Replace = ({ objectives }, parents, young) => {
    const best = parents.slice(0, elite);
    return young.length + best.length < population ? undefined : rank([...young, ...best], objectives);
  };
  return breeding('evolution', options, options.replacement === 'steady-state' ? steady : generational);
}
