/** What the strategies that breed have in common: a ranked population that is renewed, tournaments, children of two parents. */
import type { Metrics } from '../../common/metrics.ts';
import { rank } from '../../common/pareto.ts';
import type { Rng } from '../../common/random.ts';
import { isFixed } from '../../space/search-space.ts';
import type { Architecture } from '../../space/space.ts';
import { fingerprint, remember } from '../keys.ts';
import { proposalRng, sampleWithin, TRIES, withinLimits } from '../limits.ts';
import { objectivesIn } from '../outcomes.ts';
import type { Outcome, Problem, Strategy } from '../strategy.ts';

export type Member = { readonly trial: number; readonly architecture: Architecture; readonly metrics: Metrics };

export interface BreedOptions {
  /** Probability that a child has two parents. */
  readonly crossover: number;
  /** Probability that a child of two parents is mutated as well; a child of one always is. */
  readonly mutation: number;
  /** How many are drawn, with replacement, to find a parent. */
  readonly tournament: number;
}

export type BreedState = {
  /** How many architectures it has proposed. */
  readonly asked: number;
  /** Best first. */
  readonly population: readonly Member[];
  /** Those born since, the youngest first. */
  readonly children: readonly Member[];
  /** Fingerprints of what was measured last. */
  readonly known: readonly string[];
};

/** Who lives on, best first, given the parents (none at the beginning) and those born since; undefined: too few of these. */
export type Replace = (
  problem: Problem,
  parents: readonly Member[],
  young: readonly Member[],
) => readonly Member[] | undefined;

/**
 * A strategy that breeds: `population` random architectures, then children of the population, which `replace` renews. Of trials of
 * an earlier study the best `population` are part of the first population, in place of random ones. Failed, paused and pruned trials
 * and lower fidelities have no children. Nothing waits for a generation: until its last results are in, more children are asked for.
 */
export function breeding(
  name: string,
  options: BreedOptions & { readonly population: number },
  replace: Replace,
): Strategy<BreedState> {
  return {
    name,
    init(problem) {
      sampleWithin(problem, 0); // Limits that nothing keeps are refused now, not in the middle of a study.
      return { asked: 0, population: [], children: [], known: [] };
    },
    async ask(problem, state, firstTrial, count) {
      const { population, children, known } = state;
      const parents = population.length > 0 ? population : rank(children, problem.objectives);
      // Trials of an earlier study have numbers below 0. Whoever takes the place of one of them was asked for: the sum never falls.
      const first = state.asked + [...population, ...children].filter(({ trial }) => trial < 0).length;
      const proposals = Array.from({ length: count }, (_, i) => ({
        architecture:
          first + i < options.population
            ? sampleWithin(problem, firstTrial + i)
            : breed(problem, firstTrial + i, parents, known, options),
        fidelity: problem.fidelities.length - 1,
        start: { kind: 'fresh' as const },
      }));
      return [{ ...state, asked: state.asked + count }, proposals];
    },
    async tell(problem, state, outcomes) {
      let { population, children } = state;
      for (const one of bornOf(problem, outcomes, options.population)) {
        const young = [one, ...children];
        const next = replace(problem, population, young);
        [population, children] = next ? [next, []] : [population, young];
      }
      const known = outcomes.reduce((all, { architecture }) => remember(all, architecture), state.known);
      return { ...state, population, children, known };
    },
  };
}

/** Those that may have children: complete, at the full fidelity; of an earlier study's the best `most`. With their objectives alone. */
export function bornOf(problem: Problem, outcomes: readonly Outcome[], most: number): Member[] {
  const membersOf = (some: readonly Outcome[]) =>
    some.flatMap(({ trial, architecture, metrics, state, fidelity }) => {
      if (state !== 'complete' || fidelity !== problem.fidelities.length - 1) return [];
      return [{ trial, architecture, metrics: objectivesIn(problem, metrics) }];
    });
  const isEarlier = ({ origin }: Outcome) => origin === 'earlier study';
  const earlier = rank(membersOf(outcomes.filter(isEarlier)), problem.objectives).slice(0, most);
  return [...earlier.sort((a, b) => a.trial - b.trial), ...membersOf(outcomes.filter((one) => !isEarlier(one)))];
}

/** Mutations that lead a child away from what is known; more only take time, as in a space that is used up. */
const MOST_EXTRA = 10;

/**
 * The child for trial `trial` of members of `ranked` (best first): tournaments find the parents, the space's crossover and
 * mutation make the child. A child that breaks a limit, or whose fingerprint is in `known`, is bred
 * anew, with one more mutation after every tenth attempt, up to `MOST_EXTRA`; a random architecture where no individual has children.
 * O(tournament), a crossover and a mutation an attempt.
 */
export function breed(
  problem: Problem,
  trial: number,
  ranked: readonly Member[],
  known: readonly string[],
  options: BreedOptions,
): Architecture {
  if (ranked.length === 0 || isFixed(problem.space)) return sampleWithin(problem, trial);
  const stream = proposalRng(problem, trial, 'breed');
  const taken = new Set(known);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const extra = Math.min(MOST_EXTRA, Math.floor(attempt / 10));
    const child = childOf(problem, ranked, options, extra, stream);
    if (withinLimits(problem, child) && !taken.has(fingerprint(child))) return child;
  }
  return sampleWithin(problem, trial);
}

function childOf(problem: Problem, ranked: readonly Member[], options: BreedOptions, extra: number, stream: Rng) {
  const { space } = problem;
  const parent = () => winner(ranked, options.tournament, stream).architecture;
  const both = stream.float() < options.crossover;
  let child = both ? space.crossover(parent(), parent(), stream) : parent();
  const mutations = extra + (both ? Number(stream.float() < options.mutation) : 1);
  for (let i = 0; i < mutations; i++) child = space.mutate(child, stream);
  return child;
}

/** The best ranked of `size` draws with replacement. */
function winner(ranked: readonly Member[], size: number, stream: Rng): Member {
  let best = ranked.length - 1;
  for (let i = 0; i < size; i++) best = Math.min(best, stream.int(ranked.length));
  return ranked[best] as Member;
}
