import type { Json } from '../../common/json.ts';
import { decisions } from '../../space/index.ts';
import { fingerprint } from '../keys.ts';
import { proposalRng, sampleWithin } from '../limits.ts';
import { areRare, membersOf } from '../members.ts';
import type { Outcome, Problem, Proposal, Strategy } from '../strategy.ts';
import { viewOf } from '../wrappers/view.ts';

const MOST_REMEMBERED = 1000;

/** How the strategy inside one of many fidelities learns. */
export interface LearningOptions {
  /** Number of complete trials of a fidelity before the strategy learns from it; 0: the number of decisions + 3 (10 for a space without a tree). */
  readonly enough: number;
  /** Share of the candidates that are uniform samples instead, from 0 to 1 (default 0). */
  readonly random?: number;
}

export type LearnerState = {
  /** The fidelity that is learned from. */
  readonly level: number;
  /** How many trials were completed at that fidelity and at each above. */
  readonly complete: readonly number[];
  /** The inner strategy's state for that fidelity and for each above. */
  readonly states: readonly Json[];
  /** For a space with few members: the fingerprints of those that were candidates. */
  readonly seen?: readonly string[];
};

/** A trial to begin, at a fidelity that the outer strategy chooses. */
export type Candidate = Pick<Proposal, 'architecture' | 'start'>;

/** The strategy that proposes the candidates, as halving, Hyperband and ASHA use it. */
export interface Learner {
  /** Throws what the inner strategy throws. */
  init(problem: Problem): LearnerState;
  /** A candidate for trial `trial`; undefined: none before the next tell, or none at all. */
  ask(problem: Problem, state: LearnerState, trial: number): Promise<[LearnerState, Candidate | undefined]>;
  tell(problem: Problem, state: LearnerState, outcome: Outcome): Promise<LearnerState>;
}

/**
 * Lets a strategy that works at one fidelity propose the candidates of one that has many. Results of different fidelities
 * cannot be compared, so it learns from the highest fidelity of which there is enough (Falkner et al. 2018, BOHB, section
 * 3.2, where this is done for kernel densities; their N_min + 2 is the default).
 *
 * The inner strategy has a state for each fidelity, and sees a problem of that fidelity alone. All its states are asked
 * for every candidate, so that they keep in step (a strategy that counts, or walks through the space), and the one that
 * is learned from decides. A trial that ended at another fidelity is reported to a state as paused, without metrics; of
 * one that failed, that it failed. A fidelity below the one that is learned from is never asked again: its state goes.
 *
 * In a space with few members (1,000 at most, or rare within the limits) there are no more candidates when the inner
 * strategy repeats itself after all members were candidates.
 */
export function learnByFidelity(inner: Strategy, { enough, random = 0 }: LearningOptions): Learner {
  const views = viewOf((problem) => problem.fidelities.map((one): Problem => ({ ...problem, fidelities: [one] })));
  const viewAt = (problem: Problem, level: number) => views(problem)[level] ?? problem;

  async function propose(
    problem: Problem,
    state: LearnerState,
    trial: number,
  ): Promise<[LearnerState, Candidate | undefined]> {
    if (random > 0 && proposalRng(problem, trial, 'random share').float() < random)
      return [state, { architecture: sampleWithin(problem, trial), start: { kind: 'fresh' } }];
    const states: Json[] = [];
    let chosen: Proposal | undefined;
    for (const [i, before] of state.states.entries()) {
      const [asked, [proposal]] = await inner.ask(viewAt(problem, state.level + i), before, trial, 1);
      if (i === 0 && proposal === undefined) return [state, undefined];
      if (i === 0) chosen = proposal;
      states.push(proposal === undefined ? before : asked);
    }
    if (chosen === undefined || chosen.start.kind === 'continue') return [state, undefined];
    return [
      { ...state, states },
      { architecture: chosen.architecture, start: chosen.start },
    ];
  }

  return {
    init(problem) {
      const states = views(problem).map((view) => inner.init(view));
      return { level: 0, complete: states.map(() => 0), states, ...(hasFew(problem) && { seen: [] }) };
    },

    async ask(problem, state, trial) {
      const [next, candidate] = await propose(problem, state, trial);
      if (candidate === undefined || state.seen === undefined) return [next, candidate];
      const print = fingerprint(candidate.architecture);
      if (!state.seen.includes(print)) return [{ ...next, seen: [...state.seen, print] }, candidate];
      const few = membersOf(problem);
      const seen = new Set(state.seen);
      const isUsedUp = few?.complete && few.members.every((one) => seen.has(fingerprint(one)));
      return isUsedUp ? [state, undefined] : [next, candidate];
    },

    async tell(problem, state, outcome) {
      const at = outcome.fidelity - state.level;
      const elsewhere: Outcome = outcome.state === 'failed' ? outcome : { ...outcome, state: 'paused', metrics: {} };
      const states: Json[] = [];
      for (const [i, before] of state.states.entries()) {
        const told = { ...(i === at ? outcome : elsewhere), fidelity: 0 };
        states.push(await inner.tell(viewAt(problem, state.level + i), before, [told]));
      }
      const complete = state.complete.map((n, i) => (i === at && outcome.state === 'complete' ? n + 1 : n));
      const needed = enough > 0 ? enough : enoughIn(problem);
      const up = Math.max(
        0,
        complete.findLastIndex((n) => n >= needed),
      );
      return { ...state, level: state.level + up, complete: complete.slice(up), states: states.slice(up) };
    },
  };
}

function enoughIn({ space: { tree } }: Problem): number {
  return tree === undefined ? 10 : decisions(tree).length + 3;
}

/** Whether its members can be remembered. */
function hasFew(problem: Problem): boolean {
  const size = problem.space.size?.();
  return (size !== undefined && size <= MOST_REMEMBERED) || areRare(problem);
}
