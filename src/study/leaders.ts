import { compareBy, dominates, type Metrics, type Objective } from '../common/metrics.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import { type Contender, contender, ranked } from './ranking.ts';
import type { Trial } from './store/store.ts';

/** What `contenders` says of a search, kept up to date trial by trial. */
export interface Leaders {
  /** Takes note of a search trial as it now is. With one objective O(log n), but for moving a list; with several O(front). */
  note(trial: Trial): void;
  /** The best: one, or with several objectives the Pareto front; as `contenders` orders them. */
  best(): readonly Contender[];
  /** The first `count` contenders. O(count); with several objectives `ranked` of all, unless the front has as many. */
  first(count: number): readonly Contender[];
}

/** An architecture. */
interface Entry {
  /** By number. */
  readonly results: Trial[];
  /** Sum of each objective over the results; NaN if one of them has no value. */
  sums: readonly number[];
  /** Means of the objectives. */
  metrics: Metrics;
  /** Everything that is known of it, computed on demand. */
  contender: Contender | undefined;
}

/** Leaders of these objectives, before any trial. */
export function createLeaders(objectives: readonly [Objective, ...Objective[]]): Leaders {
  const [objective] = objectives;
  const isSingle = objectives.length === 1;
  const all = new Map<string, Entry>();
  /** One objective: all, best first. Several: the front. */
  let order: Entry[] = [];
  let fidelity = Number.NEGATIVE_INFINITY;

  const firstTrial = ({ results: [result] }: Entry) => result?.trial ?? 0;
  const byAge = (a: Entry, b: Entry) => firstTrial(a) - firstTrial(b);
  const compare = (a: Entry, b: Entry) => compareBy(objective, a.metrics, b.metrics) || byAge(a, b);
  /** How many of the order come before this one. */
  const placeOf = (one: Entry): number => {
    let [from, to] = [0, order.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (compare(order[middle] as Entry, one) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  const enterFront = (one: Entry): void => {
    const isBehind = (a: Entry, b: Entry) => dominates(objectives, b.metrics, a.metrics);
    if (order.some((other) => isBehind(one, other))) return;
    order = [...order.filter((other) => !isBehind(other, one)), one];
  };
  const contenderOf = (one: Entry): Contender[] => {
    one.contender ??= contender(one.results, objectives);
    return one.contender ? [one.contender] : [];
  };

  /** Adds the trial to what is known of its architecture. */
  function add(one: Entry, trial: Trial): void {
    const { results } = one;
    const at = results.findLastIndex((other) => other.trial <= trial.trial);
    const isKnown = results[at]?.trial === trial.trial;
    results.splice(isKnown ? at : at + 1, Number(isKnown), trial);
    // In the order of their numbers, as the means of `contenders` are summed.
    const isLast = !isKnown && at === results.length - 2;
    const summed = isLast ? [trial] : results;
    one.sums = objectives.map(({ metric }, i) =>
      summed.reduce(
        (sum, { metrics, costs }) => sum + (metrics[metric] ?? costs[metric] ?? Number.NaN),
        isLast ? (one.sums[i] ?? 0) : 0,
      ),
    );
    const means = objectives.map(({ metric }, i) => [metric, (one.sums[i] ?? 0) / results.length] as const);
    one.metrics = Object.fromEntries(means.filter(([, mean]) => !Number.isNaN(mean)));
    one.contender = undefined;
  }

  return {
    note(trial) {
      if (trial.state !== 'complete' || trial.fidelity < fidelity) return;
      if (trial.fidelity > fidelity) {
        all.clear();
        order = [];
        fidelity = trial.fidelity;
      }
      const key = architectureKey(trial.architecture);
      const known = all.get(key);
      const one = known ?? { results: [], sums: [], metrics: {}, contender: undefined };
      all.set(key, one);
      if (isSingle) {
        if (known) order.splice(placeOf(known), 1);
        add(one, trial);
        order.splice(placeOf(one), 0, one);
      } else {
        const isOfFront = order.includes(one);
        add(one, trial);
        // Means may fall: then others may be of the front again.
        const entering = isOfFront ? [...all.values()] : [one];
        if (isOfFront) order = [];
        for (const entry of entering) enterFront(entry);
      }
    },
    best: () => (isSingle ? order.slice(0, 1) : ranked(order.sort(byAge), objectives)).flatMap(contenderOf),
    first(count) {
      if (isSingle) return order.slice(0, count).flatMap(contenderOf);
      const enough = count <= order.length ? order : [...all.values()];
      return ranked(enough.sort(byAge), objectives).slice(0, count).flatMap(contenderOf);
    },
  };
}
