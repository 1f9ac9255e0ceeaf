import type { Outcome, Problem, Proposal, Strategy } from '../strategy.ts';
import { oneByOne } from '../wrappers/ask.ts';
import { byScore, type Entry, type Scored, scoredAmong, scoreOf } from '../wrappers/score.ts';
import { type LearnerState, type LearningOptions, learnByFidelity } from './by-fidelity.ts';

/** How many trials each rung of a bracket has, from the fidelity `level` upwards, each a fidelity higher. */
export interface BracketPlan {
  readonly level: number;
  readonly sizes: readonly [number, ...number[]];
}

/** One run of successive halving. */
type Bracket = {
  /** Fidelity of the rung that is being filled. */
  readonly level: number;
  /** How many trials this rung has at most, and each that follows. */
  readonly sizes: readonly number[];
  /** New candidates of this rung that are still to be proposed, */
  readonly fresh: number;
  /** trials of the rung below still to be continued, best first, */
  readonly promoted: readonly Entry[];
  readonly running: readonly number[];
  /** how many have ended, */
  readonly ended: number;
  /** and the best of them, best first: as many as the next rung takes; with several objectives all of them. */
  readonly best: readonly (Entry & Scored)[];
};

export type BracketsState = {
  readonly begun: number;
  readonly active: readonly Bracket[];
  readonly candidates: LearnerState;
};

/**
 * Strategies that run successive halving in brackets, one after another (`plan(problem, index)`; undefined: there are no
 * more). A rung waits for all of its trials. A worker that would have to wait begins the next bracket (Falkner et al.
 * 2018, section 3.4), so with one worker brackets never overlap. Failed, paused and pruned trials fill their place in a
 * rung and are never promoted. Where the inner strategy has no more candidates, a bracket continues with those it has, in
 * the same proportions. With several objectives trials of a rung are ranked by non-dominated sorting and crowding
 * distance (Deb et al. 2002).
 *
 * State: of each rung no more trials than the next one takes. ask, tell: O(size of a rung), and the inner strategy.
 */
export function bracketStrategy(
  name: string,
  inner: Strategy,
  learning: LearningOptions,
  plan: (problem: Problem, index: number) => BracketPlan | undefined,
): Strategy<BracketsState> {
  const learner = learnByFidelity(inner, learning);

  /** One proposal, and the state after it; undefined: nothing before the next tell. */
  async function propose(
    problem: Problem,
    state: BracketsState,
    trial: number,
  ): Promise<[BracketsState, Proposal] | undefined> {
    const open = state.active.findIndex(({ fresh, promoted }) => fresh > 0 || promoted.length > 0);
    const bracket = state.active[open];
    if (bracket === undefined) {
      const next = plan(problem, state.begun);
      if (next === undefined) return undefined;
      const active = [...state.active, begin(next)];
      return propose(problem, { ...state, begun: state.begun + 1, active }, trial);
    }
    const at = { fidelity: bracket.level };
    const running = [...bracket.running, trial];
    const [first, ...others] = bracket.promoted;
    if (first !== undefined) {
      const start = { kind: 'continue' as const, trial: first.trial };
      const active = state.active.with(open, { ...bracket, promoted: others, running });
      return [
        { ...state, active },
        { architecture: first.architecture, ...at, start },
      ];
    }
    const [candidates, candidate] = await learner.ask(problem, state.candidates, trial);
    if (candidate !== undefined) {
      const active = state.active.with(open, { ...bracket, fresh: bracket.fresh - 1, running });
      return [
        { ...state, active, candidates },
        { ...candidate, ...at },
      ];
    }
    // Only a tell can bring a candidate: as long as something runs, one may come.
    if (bracket.ended === 0 || state.active.some((one) => one.running.length > 0)) return undefined;
    const active = state.active.flatMap((one, i) => (i === open ? settle({ ...one, fresh: 0 }) : one));
    return propose(problem, { ...state, active }, trial);
  }

  return {
    name,
    init: (problem) => ({ begun: 0, active: [], candidates: learner.init(problem) }),
    ask: oneByOne(propose),
    async tell(problem, state, outcomes) {
      let now = state;
      for (const outcome of outcomes) {
        const candidates = await learner.tell(problem, now.candidates, outcome);
        const active = now.active.flatMap((bracket) =>
          bracket.running.includes(outcome.trial) ? settle(ended(problem, bracket, outcome)) : bracket,
        );
        now = { ...now, active, candidates };
      }
      return now;
    },
    continuable: ({ active }) =>
      active.flatMap(({ promoted, best }) => [...promoted, ...best].map(({ trial }) => trial)),
  };
}

function begin({ level, sizes }: BracketPlan): Bracket {
  return { level, sizes, fresh: sizes[0], promoted: [], running: [], ended: 0, best: [] };
}

function ended(problem: Problem, bracket: Bracket, outcome: Outcome): Bracket {
  const { trial, architecture } = outcome;
  const found = scoreOf(problem, outcome);
  const best = found === undefined ? bracket.best : [...bracket.best, { trial, architecture, ...found }];
  // Of one objective the best are known at any time; a front is only known when all have ended.
  const kept = problem.objectives.length > 1 ? bracket.sizes[0] : bracket.sizes[1];
  return {
    ...bracket,
    running: bracket.running.filter((one) => one !== trial),
    ended: bracket.ended + 1,
    best: scoredAmong(problem, best)
      .toSorted(byScore)
      .slice(0, bracket.sizes.length > 1 ? kept : 0),
  };
}

/** The bracket at its next rung, if this one is full: none when it was the last, or when nothing can be promoted. */
function settle(bracket: Bracket): Bracket[] {
  if (bracket.fresh > 0 || bracket.promoted.length > 0 || bracket.running.length > 0) return [bracket];
  const [size = 0, ...sizes] = bracket.sizes;
  const next = Math.max(1, Math.floor(((sizes[0] ?? 0) * bracket.ended) / size));
  const promoted = bracket.best.slice(0, next).map(({ trial, architecture }) => ({ trial, architecture }));
  if (promoted.length === 0) return [];
  return [{ level: bracket.level + 1, sizes, fresh: 0, promoted, running: [], ended: 0, best: [] }];
}
