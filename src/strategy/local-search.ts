import { compareBy, type Metrics, type Objective } from '../common/metrics.ts';
import { rng } from '../common/random.ts';
import { neighbors } from '../space/index.ts';
import type { Architecture } from '../space/space.ts';
import { fingerprint, remember } from './keys.ts';
import { sampleWithin, withinLimits } from './limits.ts';
import { objectivesIn } from './outcomes.ts';
import type { Outcome, Problem, Start, Strategy } from './strategy.ts';
import { treeOf } from './tree.ts';

export interface LocalSearchOptions {
  /** Random architectures that a climb begins with; it starts at the best of them. */
  readonly starts: number;
  /** first: go to a better neighbor as soon as there is one; best: look at all neighbors, then go to the best. */
  readonly improvement: 'first' | 'best';
  /** Whether a neighbor begins with the weights of where the climb stands (network morphism); without it, it does not. */
  readonly warmStart?: boolean;
}

/** An architecture that was measured. */
type Point = {
  readonly trial: number;
  readonly architecture: Architecture;
  readonly metrics: Metrics;
  /** It comes from an earlier study: there are no weights to inherit. */
  readonly earlier: boolean;
};

export type LocalSearchState = {
  /** Number of random architectures of this climb that are still to be proposed. */
  readonly starts: number;
  /** Where it stands; null: at the beginning. */
  readonly current: Point | null;
  /** How many of its neighbors, in the order that the seed gives, have been processed. */
  readonly looked: number;
  /** The best since it stands there. */
  readonly best: Point | null;
  /** Its neighbors that were proposed and have no result yet. */
  readonly running: readonly number[];
  /** Fingerprints of what was measured last, the newest at the end. */
  readonly known: readonly string[];
};

/**
 * Local search (hill climbing). White, Nolen & Savani 2021, "Exploring the Loss Landscape in Neural Architecture Search",
 * algorithm 1: from the best of some random architectures, train all neighbors (one decision changed) and go to the best of
 * them, until none is better; then restart elsewhere. `improvement: first` moves to the first better neighbor
 * (their `query_until_lower`).
 *
 * Differs: it never ends, as climbs restart for as long as it is asked (in the paper, while the budget lasts); a neighbor that
 * is among the last 1,000 measured is not measured again, since if it were better, the climb would have gone there or ended higher;
 * where all neighbors are out and results still missing, more random architectures are asked for, and a climb goes
 * there if they are better. With `warmStart`, neighbors inherit the weights of where the climb stands, and with them its
 * training, as in Elsken, Metzen & Hutter 2018 ("Simple and efficient architecture search for CNNs"): a few epochs a trial then
 * do, but values rise along a climb by training as well, and only confirmations, which start from scratch, tell what an architecture
 * is worth by itself. With several objectives the first is climbed. Failed, paused and pruned trials, and those of a
 * lower fidelity, count as looked at. Neighbors are in random order, drawn from (seed, trial of the present architecture).
 *
 * ask: O(neighbors) the first time at an architecture, kept beside the state. tell: O(1), 1,000 fingerprints copied.
 */
export function localSearch(options: LocalSearchOptions): Strategy<LocalSearchState> {
  const shuffled = new WeakMap<Point, readonly Architecture[]>();
  /** The neighbors of a point in the order of looking. */
  const around = (problem: Problem, point: Point): readonly Architecture[] => {
    const stream = rng(problem.seed, 'local search', point.trial);
    const found = shuffled.get(point) ?? stream.shuffle(neighbors(treeOf(problem), point.architecture));
    shuffled.set(point, found);
    return found;
  };

  return {
    name: 'local-search',
    init(problem) {
      sampleWithin(problem, 0); // Limits that no architecture keeps are refused now, not in the middle of a study.
      return begin(options, []);
    },
    async ask(problem, state, firstTrial, count) {
      let now = state;
      const proposals = Array.from({ length: count }, (_, i) => {
        const trial = firstTrial + i;
        const [next, architecture, from] = propose(problem, now, trial);
        now = next;
        const warm = options.warmStart && from && !from.earlier;
        const start: Start = warm ? { kind: 'inherit', trial: from.trial } : { kind: 'fresh' };
        return { architecture, fidelity: problem.fidelities.length - 1, start };
      });
      return [now, proposals];
    },
    async tell(problem, state, outcomes) {
      return outcomes.reduce((now, outcome) => take(problem, now, outcome), state);
    },
    ...(options.warmStart && {
      continuable: ({ current, best }: LocalSearchState) =>
        [current, best].flatMap((point) => (point && !point.earlier ? [point.trial] : [])),
    }),
  };

  /** The next architecture, and whose neighbor it is. */
  function propose(problem: Problem, state: LocalSearchState, trial: number): [LocalSearchState, Architecture, Point?] {
    const { current, best, starts, looked, running } = state;
    if (starts > 0) return [{ ...state, starts: starts - 1 }, sampleWithin(problem, trial)];
    const order = current ? around(problem, current) : [];
    const known = new Set(state.known);
    const mayCome = (one: Architecture) => !known.has(fingerprint(one)) && withinLimits(problem, one);
    const next = order.findIndex((one, i) => i >= looked && mayCome(one));
    const architecture = order[next];
    if (current && architecture)
      return [{ ...state, looked: next + 1, running: [...running, trial] }, architecture, current];
    // Nothing to go by before a first result, nor at an optimum before the last neighbor's.
    const waits = current === null ? best === null : running.length > 0;
    if (waits) return [{ ...state, looked: order.length }, sampleWithin(problem, trial)];
    const [objective] = problem.objectives;
    const climbs = best !== null && (current === null || isBetter(objective, best, current));
    return propose(problem, climbs ? moveTo(state, best) : begin(options, state.known), trial);
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
    const earlier = outcome.origin === 'earlier study';
    const point: Point = { trial, architecture, metrics: objectivesIn(problem, metrics), earlier };
    const best = !now.best || isBetter(objective, point, now.best) ? point : now.best;
    const climbs = options.improvement === 'first' && now.current !== null && isBetter(objective, best, now.current);
    return climbs ? moveTo(now, best) : { ...now, best };
  }
}

function begin({ starts }: LocalSearchOptions, known: readonly string[]): LocalSearchState {
  return { starts, current: null, looked: 0, best: null, running: [], known };
}

function moveTo(state: LocalSearchState, point: Point): LocalSearchState {
  return { ...state, current: point, looked: 0, best: null, running: [] };
}

function isBetter(objective: Objective, a: Point, b: Point): boolean {
  return compareBy(objective, a.metrics, b.metrics) < 0;
}
