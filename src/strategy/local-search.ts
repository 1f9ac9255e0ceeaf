import { compareBy, type Metrics, type Objective } from '../common/metrics.ts';
import { rng } from '../common/random.ts';
import { neighbours } from '../space/index.ts';
import type { Architecture } from '../space/space.ts';
import { fingerprint, remember } from './keys.ts';
import { sampleWithin, withinLimits } from './limits.ts';
import { objectivesIn } from './outcomes.ts';
import type { Outcome, Problem, Strategy } from './strategy.ts';

export interface LocalSearchOptions {
  /** Random architectures that a climb begins with; it starts at the best of them. */
  readonly starts: number;
  /** first: go to a better neighbour as soon as there is one; best: look at all neighbours, then go to the best. */
  readonly improvement: 'first' | 'best';
}

/** An architecture that was measured. `trial` is whose weights a neighbour could take over. */
type Point = { readonly trial: number; readonly architecture: Architecture; readonly metrics: Metrics };

export type LocalSearchState = {
  /** Random architectures of this climb that are still to be asked for. */
  readonly starts: number;
  /** Where it stands; null: at the beginning. */
  readonly current: Point | null;
  /** How many of its neighbours, in the order that the seed gives, have been dealt with. */
  readonly looked: number;
  /** The best since it stands there. */
  readonly best: Point | null;
  /** Asked for and not told. */
  readonly running: readonly number[];
  /** Fingerprints of what was measured last, the newest at the end. */
  readonly known: readonly string[];
};

/**
 * Local search (hill climbing). White, Nolen & Savani 2021, "Exploring the Loss Landscape in Neural Architecture Search",
 * algorithm 1: from the best of some random architectures, train all neighbours (one decision changed) and go to the best of
 * them, until none is better; then begin anew elsewhere. `improvement: first` goes on at the first better neighbour
 * (their `query_until_lower`).
 *
 * Differs: it never ends, as climbs begin anew for as long as it is asked (in the paper, while the budget lasts); a neighbour that
 * is among the last 1,000 measured is not measured again, since if it were better, the climb would have gone there or ended higher;
 * where all neighbours are out and results still missing, more random architectures are asked for, and a climb goes
 * there if they are better. With several objectives the first is climbed. Failed, paused and pruned trials, and those of a
 * lower fidelity, count as looked at. Neighbours are in random order, drawn from (seed, trial of the present architecture).
 *
 * ask: O(neighbours) the first time at an architecture, kept beside the state. tell: O(1), 1,000 keys copied.
 */
export function localSearch(options: LocalSearchOptions): Strategy<LocalSearchState> {
  const orders = new WeakMap<Point, readonly Architecture[]>();
  /** The neighbours of a point within the limits, in the order of looking. */
  const around = (problem: Problem, point: Point): readonly Architecture[] => {
    const found =
      orders.get(point) ??
      rng(problem.seed, 'local search', point.trial)
        .shuffle(neighbours(problem.space, point.architecture))
        .filter((architecture) => withinLimits(problem, architecture));
    orders.set(point, found);
    return found;
  };

  return {
    name: 'local-search',
    init(problem) {
      sampleWithin(problem, 0); // Limits that nothing keeps are refused now, not in the middle of a study.
      return begin(options, []);
    },
    async ask(problem, state, firstTrial, count) {
      let now = state;
      const proposals = Array.from({ length: count }, (_, i) => {
        const trial = firstTrial + i;
        const [next, architecture] = propose(problem, now, trial);
        now = { ...next, running: [...next.running, trial] };
        return { architecture, fidelity: problem.fidelities.length - 1, start: { kind: 'fresh' as const } };
      });
      return [now, proposals];
    },
    async tell(problem, state, outcomes) {
      return outcomes.reduce((now, outcome) => take(problem, now, outcome), state);
    },
  };

  function propose(problem: Problem, state: LocalSearchState, trial: number): [LocalSearchState, Architecture] {
    let now = state;
    if (now.starts === 0 && now.running.length === 0) now = settle(problem, now);
    if (now.starts > 0) return [{ ...now, starts: now.starts - 1 }, sampleWithin(problem, trial)];
    const order = now.current ? around(problem, now.current) : [];
    const known = new Set(now.known);
    const next = order.findIndex((one, i) => i >= now.looked && !known.has(fingerprint(one)));
    const architecture = order[next];
    if (architecture) return [{ ...now, looked: next + 1 }, architecture];
    const waited = { ...now, looked: order.length };
    // All neighbours are known: an optimum, once no result is missing any more.
    if (now.running.length > 0) return [waited, sampleWithin(problem, trial)];
    const settled = settle(problem, waited);
    return propose(problem, settled, trial);
  }

  /** Goes to the best that was found here; begins anew where there is nothing better. */
  function settle(problem: Problem, state: LocalSearchState): LocalSearchState {
    const { current, best, known } = state;
    const [objective] = problem.objectives;
    const all = current === null || state.looked >= around(problem, current).length;
    if (!all) return state;
    if (best && (!current || isBetter(objective, best, current))) return moveTo(state, best);
    return begin(options, known);
  }

  function take(problem: Problem, state: LocalSearchState, outcome: Outcome): LocalSearchState {
    const { trial, architecture, metrics } = outcome;
    const [objective] = problem.objectives;
    const now: LocalSearchState = {
      ...state,
      running: state.running.filter((one) => one !== trial),
      known: remember(state.known, architecture),
    };
    const counts = outcome.state === 'complete' && outcome.fidelity === problem.fidelities.length - 1;
    if (!counts) return now;
    const point: Point = { trial, architecture, metrics: objectivesIn(problem, metrics) };
    const best = !now.best || isBetter(objective, point, now.best) ? point : now.best;
    const climbs = options.improvement === 'first' && now.current !== null && isBetter(objective, best, now.current);
    return climbs ? moveTo(now, best) : { ...now, best };
  }
}

function begin({ starts }: LocalSearchOptions, known: readonly string[]): LocalSearchState {
  return { starts, current: null, looked: 0, best: null, running: [], known };
}

function moveTo(state: LocalSearchState, point: Point): LocalSearchState {
  return { ...state, current: point, looked: 0, best: null };
}

function isBetter(objective: Objective, a: Point, b: Point): boolean {
  return compareBy(objective, a.metrics, b.metrics) < 0;
}
