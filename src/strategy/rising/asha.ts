import type { Outcome, Problem, Proposal, Strategy } from '../strategy.ts';
import { oneByOne } from '../wrappers/ask.ts';
import { byScore, type Entry, type Scored, scoredAmong, scoreOf } from '../wrappers/score.ts';
import { type LearnerState, type LearningOptions, learnByFidelity } from './by-fidelity.ts';

export interface AshaOptions extends LearningOptions {
  /** η: the best 1/η of each rung continue; the fidelities should be a factor of η apart. */
  readonly eta: number;
  /** New candidates before only promotions are left; 0: no end. */
  readonly candidates: number;
}

type Rung = {
  /** How many trials have ended here. */
  readonly ended: number;
  /** How many of them have been promoted, and the worst of these, best first. */
  readonly promotions: number;
  readonly promoted: readonly Scored[];
  /** Those that have not been promoted and may be, best first. */
  readonly waiting: readonly (Entry & Scored)[];
};

export type AshaState = {
  /** Candidates begun. */
  readonly begun: number;
  readonly running: readonly number[];
  /** One for each fidelity but the full one. */
  readonly rungs: readonly Rung[];
  readonly candidates: LearnerState;
};

/**
 * ASHA, asynchronous successive halving. Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning",
 * algorithm 2: a worker that asks gets the best trial, at the highest rung that has one, that is among the best ⌊n / η⌋
 * of the n ended there and has not been promoted; it continues from its checkpoint. Else it gets a new candidate. No worker
 * ever waits for a rung. The candidates come from `inner`; what it learns from: `learnByFidelity`. With an inner model
 * this is asynchronous BOHB (as in Klein et al. 2020, MOBSTER).
 *
 * Differs: the lowest rung is always the lowest fidelity (s = 0 in the paper); failed, paused and pruned trials count
 * in n and are never promoted. When there are no more candidates and nothing runs, a rung that has promoted no trial
 * promotes its best. A trial so far behind the border of promotion that it would take more than four standard
 * deviations of chance to bring it there is given up (`reach`), so that state and checkpoints do not grow with n.
 *
 * With several objectives trials of a rung are ranked by non-dominated sorting and crowding distance (Deb et al. 2002, as
 * in Schmucker et al. 2021, "Multi-objective Asynchronous Successive Halving", where an ε-net orders a front).
 *
 * State: O(√n) a rung; with several objectives also those that were promoted, at most 300. ask, tell: O(√n), with several
 * objectives O(n²), and the inner strategy.
 */
export function asha(inner: Strategy, options: AshaOptions): Strategy<AshaState> {
  const { eta } = options;
  const learner = learnByFidelity(inner, options);

  async function propose(
    problem: Problem,
    state: AshaState,
    trial: number,
  ): Promise<[AshaState, Proposal] | undefined> {
    const running = [...state.running, trial];
    const promoted = promoteFrom(state.rungs.findLastIndex((rung) => isPromotable(rung, eta)));
    if (promoted) return promoted;
    const isFull = options.candidates > 0 && state.begun >= options.candidates;
    const [candidates, candidate] = isFull ? [] : await learner.ask(problem, state.candidates, trial);
    if (candidates === undefined || candidate === undefined) {
      // Too few for a promotion, and no more to come: the best continues, or no trial would reach the full fidelity.
      if (state.running.length > 0) return undefined;
      return promoteFrom(
        state.rungs.findLastIndex(({ waiting, promotions }) => waiting.length > 0 && promotions === 0),
      );
    }
    return [
      { ...state, begun: state.begun + 1, running, candidates },
      { ...candidate, fidelity: 0 },
    ];

    function promoteFrom(level: number): [AshaState, Proposal] | undefined {
      const [rung, first] = [state.rungs[level], state.rungs[level]?.waiting[0]];
      if (rung === undefined || first === undefined) return undefined;
      const rungs = state.rungs.with(level, promote(problem, rung, first, eta));
      const start = { kind: 'continue' as const, trial: first.trial };
      return [
        { ...state, running, rungs },
        { architecture: first.architecture, fidelity: level + 1, start },
      ];
    }
  }

  return {
    name: 'asha',
    init: (problem) => ({
      begun: 0,
      running: [],
      rungs: problem.fidelities.slice(1).map(() => ({ ended: 0, promotions: 0, promoted: [], waiting: [] })),
      candidates: learner.init(problem),
    }),
    ask: oneByOne(propose),
    async tell(problem, state, outcomes) {
      let now = state;
      for (const outcome of outcomes) {
        const candidates = await learner.tell(problem, now.candidates, outcome);
        const rung = now.running.includes(outcome.trial) ? now.rungs[outcome.fidelity] : undefined;
        const rungs = rung ? now.rungs.with(outcome.fidelity, ended(problem, rung, outcome, eta)) : now.rungs;
        now = { ...now, running: now.running.filter((trial) => trial !== outcome.trial), rungs, candidates };
      }
      return now;
    },
    continuable: ({ rungs }) => rungs.flatMap(({ waiting }) => waiting.map(({ trial }) => trial)),
  };
}

/** Whether the best of those that wait is among the best ⌊n / η⌋ of the rung. */
function isPromotable({ ended, promotions, promoted, waiting: [first] }: Rung, eta: number): boolean {
  if (first === undefined) return false;
  const worse = promoted.filter((one) => byScore(first, one) < 0).length;
  return promotions - worse + 1 <= Math.floor(ended / eta);
}

/** Promoted trials that are kept with several objectives: new ones are ranked among them. */
const MOST_PROMOTED = 300;

function promote(
  { objectives }: Problem,
  rung: Rung,
  { architecture: _, ...first }: Entry & Scored,
  eta: number,
): Rung {
  const kept = objectives.length > 1 ? MOST_PROMOTED : reach(rung.ended, eta);
  const promoted = [...rung.promoted, first].sort(byScore).slice(-kept);
  return { ...rung, promotions: rung.promotions + 1, promoted, waiting: rung.waiting.slice(1) };
}

function ended(problem: Problem, rung: Rung, outcome: Outcome, eta: number): Rung {
  const { trial, architecture } = outcome;
  const found = scoreOf(problem, outcome);
  const entered = found === undefined ? rung.waiting : [...rung.waiting, { trial, architecture, ...found }];
  const scores = new Map(
    scoredAmong<Scored>(problem, [...rung.promoted, ...entered]).map(({ trial, score }) => [trial, score]),
  );
  const scored = <T extends Scored>(all: readonly T[]) =>
    all.map((one) => ({ ...one, score: scores.get(one.trial) ?? one.score })).sort(byScore);
  const waiting = scored(entered).slice(0, reach(rung.ended + 1, eta));
  return { ...rung, ended: rung.ended + 1, promoted: scored(rung.promoted), waiting };
}

/**
 * How many ranks on either side of the border of promotion matter in a rung of n. The rank of a quantile 1/η among n
 * independent candidates has the standard deviation √(n (1/η)(1 - 1/η)) <= √n / 2; η² keeps the first few of all.
 */
function reach(n: number, eta: number): number {
  return Math.ceil(2 * Math.sqrt(n)) + eta ** 2;
}
