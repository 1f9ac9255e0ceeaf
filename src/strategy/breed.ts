/** What the strategies that breed have in common: a ranked population, tournaments, children of two parents. */
import type { Metrics } from '../common/metrics.ts';
import type { Rng } from '../common/random.ts';
import { crossover, decisions, mutate } from '../space/index.ts';
import type { Architecture } from '../space/space.ts';
import { fingerprint } from './keys.ts';
import { proposalRng, sampleWithin, TRIES, withinLimits } from './limits.ts';
import { objectivesIn } from './outcomes.ts';
import type { Outcome, Problem } from './strategy.ts';

export type Member = { readonly trial: number; readonly architecture: Architecture; readonly metrics: Metrics };

export interface BreedOptions {
  /** Probability that a child has two parents. */
  readonly crossover: number;
  /** Probability that a child of two parents is mutated as well; a child of one always is. */
  readonly mutation: number;
  /** How many are drawn, with replacement, to find a parent. */
  readonly tournament: number;
}

/** Those that may have children: complete, at the full fidelity. Of their metrics, those that are objectives. */
export function membersOf(problem: Problem, outcomes: readonly Outcome[]): Member[] {
  return outcomes.flatMap(({ trial, architecture, metrics, state, fidelity }) => {
    if (state !== 'complete' || fidelity !== problem.fidelities.length - 1) return [];
    return [{ trial, architecture, metrics: objectivesIn(problem, metrics) }];
  });
}

/**
 * The child for trial `trial` of members of `ranked` (best first): tournaments find the parents, uniform crossover and
 * mutation of one decision make the child. A child that breaks a limit, or whose fingerprint is in `known`, is bred
 * anew, with one more mutation after every tenth attempt; a random architecture where nobody can have children.
 * O(tournament) and one walk of the space an attempt.
 */
export function breed(
  problem: Problem,
  trial: number,
  ranked: readonly Member[],
  known: readonly string[],
  options: BreedOptions,
): Architecture {
  if (ranked.length === 0 || decisions(problem.space).length === 0) return sampleWithin(problem, trial);
  const stream = proposalRng(problem, trial, 'breed');
  const taken = new Set(known);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const child = bear(problem, ranked, options, Math.floor(attempt / 10), stream);
    if (withinLimits(problem, child) && !taken.has(fingerprint(child))) return child;
  }
  return sampleWithin(problem, trial);
}

function bear(problem: Problem, ranked: readonly Member[], options: BreedOptions, extra: number, stream: Rng) {
  const { space } = problem;
  const parent = () => winner(ranked, options.tournament, stream).architecture;
  const both = stream.float() < options.crossover;
  let child = both ? crossover(space, parent(), parent(), stream) : parent();
  const mutations = extra + (both ? Number(stream.float() < options.mutation) : 1);
  for (let i = 0; i < mutations; i++) child = mutate(space, child, stream);
  return child;
}

/** The best ranked of `size` draws with replacement. */
function winner(ranked: readonly Member[], size: number, stream: Rng): Member {
  let best = ranked.length - 1;
  for (let i = 0; i < size; i++) best = Math.min(best, stream.int(ranked.length));
  return ranked[best] as Member;
}
