import { dominates } from '../../common/metrics.ts';
import { isFixed } from '../../space/search-space.ts';
import type { Architecture } from '../../space/space.ts';
import { drawWithin, proposalRng, sampleWithin } from '../limits.ts';
import type { Problem, Strategy } from '../strategy.ts';
import { bornOf, type Member } from './breed.ts';

export interface AgingEvolutionOptions {
  /** P: how many architectures live at a time. */
  readonly population: number;
  /** S: how many are drawn to find a parent. */
  readonly sample: number;
}

export type AgingEvolutionState = {
  /** How many architectures it has proposed. */
  readonly asked: number;
  /** Oldest first. */
  readonly population: readonly Member[];
};

/**
 * Aging (regularized) evolution. Real et al. 2019, "Regularized Evolution for Image Classifier Architecture Search",
 * algorithm 1: P random architectures; then, again and again, S members are drawn with replacement, the best of them is
 * the parent, its mutation (one decision) is trained and enters the population, and the oldest member dies.
 *
 * Differs: age is the trial's number, not its time of arrival, so that the population does not depend on the order in
 * which results come in; ties break by age, the younger wins, so that neutral mutations drift; with several objectives
 * the parent is the one that the fewest of the sample dominate. Failed, paused and pruned trials, and those of a lower
 * fidelity, never enter the population. An architecture may come twice, as in the paper; a child that breaks a limit is
 * mutated again from the same parent, and after `TRIES` of them the proposal is a random architecture. Of trials of an earlier study
 * the best P are of the first population.
 *
 * ask: O(S²) comparisons. tell: O(P log P).
 */
export function agingEvolution(options: AgingEvolutionOptions): Strategy<AgingEvolutionState> {
  return {
    name: 'aging-evolution',
    init(problem) {
      sampleWithin(problem, 0); // Limits that nothing keeps are refused now, not in the middle of a study.
      return { asked: 0, population: [] };
    },
    async ask(problem, state, firstTrial, count) {
      // Trials of an earlier study have numbers below 0; they are of the first population.
      const known = state.asked + state.population.filter(({ trial }) => trial < 0).length;
      const proposals = Array.from({ length: count }, (_, i) => ({
        architecture: propose(problem, state.population, known + i < options.population, firstTrial + i, options),
        fidelity: problem.fidelities.length - 1,
        start: { kind: 'fresh' as const },
      }));
      return [{ ...state, asked: state.asked + count }, proposals];
    },
    async tell(problem, state, outcomes) {
      const born = bornOf(problem, outcomes, options.population);
      const byAge = [...state.population, ...born].sort((a, b) => a.trial - b.trial);
      return { ...state, population: byAge.slice(-options.population) };
    },
  };
}

function propose(
  problem: Problem,
  population: readonly Member[],
  initial: boolean,
  trial: number,
  options: AgingEvolutionOptions,
): Architecture {
  if (initial || population.length === 0 || isFixed(problem.space)) return sampleWithin(problem, trial);
  const stream = proposalRng(problem, trial, 'evolve');
  const parent = best(
    problem,
    Array.from({ length: options.sample }, () => stream.pick(population)),
  );
  const child = drawWithin(problem, () => problem.space.mutate(parent.architecture, stream));
  return child ?? sampleWithin(problem, trial);
}

/** The member that the fewest of the others dominate; the youngest of several. */
function best(problem: Problem, sample: readonly Member[]): Member {
  const dominators = (member: Member) =>
    sample.filter((other) => dominates(problem.objectives, other.metrics, member.metrics)).length;
  const ranked = sample.map((member) => ({ member, dominators: dominators(member) }));
  return ranked.reduce((a, b) =>
    b.dominators < a.dominators || (b.dominators === a.dominators && b.member.trial > a.member.trial) ? b : a,
  ).member;
}
