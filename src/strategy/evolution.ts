import { rank } from '../common/pareto.ts';
import { type BreedOptions, breed, type Member, membersOf } from './breed.ts';
import { remember } from './keys.ts';
import { sampleWithin } from './limits.ts';
import type { Problem, Strategy } from './strategy.ts';

export interface EvolutionOptions extends BreedOptions {
  /** steady-state: each child replaces the worst at once. generational: all parents but the elite are replaced together. */
  readonly replacement: 'steady-state' | 'generational';
  readonly population: number;
  /** How many of the best live on in the next generation; without meaning for the steady state, where the best never dies. */
  readonly elite: number;
}

export type EvolutionState = {
  /** How many architectures it has proposed. */
  readonly asked: number;
  /** Best first. */
  readonly population: readonly Member[];
  /** Generational: those born since. */
  readonly children: readonly Member[];
  /** Fingerprints of what was measured last. */
  readonly known: readonly string[];
};

/**
 * Genetic algorithm with crossover, mutation, tournaments and elitism. Steady-state: Whitley 1989, "The GENITOR
 * algorithm" (a child replaces the worst of the population). Generational: Holland 1975; for networks Xie & Yuille 2017,
 * "Genetic CNN", and Sun et al. 2020, "Automatically Designing CNN Architectures Using the Genetic Algorithm" (whose
 * tournaments, crossover probability and elite these are).
 *
 * Differs: crossover is uniform over decisions, mutation changes one decision; parents are found by tournament in place
 * of GENITOR's linear ranking; among equals the younger ranks first; what was measured lately (1,000 trials) is not
 * measured again. With several objectives the population is ranked by fronts and crowding. Failed, paused and pruned
 * trials and lower fidelities have no children. Nothing waits for the end of a generation: until its last results are in,
 * more children of the old one are asked for.
 *
 * ask: O(tournament). tell: O(P log P) with one objective, O(P² · fronts) with several.
 */
export function evolution(options: EvolutionOptions): Strategy<EvolutionState> {
  return {
    name: 'evolution',
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
            : breed(problem, firstTrial + i, parents, state.known, options),
          fidelity: problem.fidelities.length - 1,
          start: { kind: 'fresh' as const },
        };
      });
      return [{ ...state, asked: state.asked + count }, proposals];
    },
    async tell(problem, state, outcomes) {
      const known = outcomes.reduce((all, { architecture }) => remember(all, architecture), state.known);
      return membersOf(problem, outcomes).reduce((now, born) => live(problem, now, born, options), { ...state, known });
    },
  };
}

function live(problem: Problem, state: EvolutionState, born: Member, options: EvolutionOptions): EvolutionState {
  const { population, children } = state;
  if (options.replacement === 'steady-state') {
    const all = rank([born, ...population], problem.objectives);
    return { ...state, population: all.slice(0, options.population) };
  }
  const young = [born, ...children];
  const elite = population.slice(0, options.elite);
  if (young.length + elite.length < options.population) return { ...state, children: young };
  return { ...state, population: rank([...young, ...elite], problem.objectives), children: [] };
}
