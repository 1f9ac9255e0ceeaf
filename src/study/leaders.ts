import { compareBy, dominates, type Objective } from '../common/metrics.ts';
import { rank } from '../common/pareto.ts';
import { architectureKey } from '../space/architecture.ts';
import { type Contender, contender } from './ranking.ts';
import type { Trial } from './store/store.ts';

/** What `contenders` says of a search, kept up to date trial by trial. */
export interface Leaders {
  /** Takes note of a search trial as it now is. With one objective O(log n), but for moving a list; with several O(front). */
  note(trial: Trial): void;
  /** The best: one, or with several objectives the Pareto front; as `contenders` orders them. */
  best(): readonly Contender[];
  /** The first `count` contenders. O(count); with several objectives `rank` of all, unless the front has as many. */
  first(count: number): readonly Contender[];
}

/** Leaders of these objectives, before any trial. */
export function createLeaders(objectives: readonly [Objective, ...Objective[]]): Leaders {
  const [objective] = objectives;
  /** By architecture. */
  const all = new Map<string, Contender>();
  /** One objective: all, best first. Several: the front. */
  let order: Contender[] = [];
  let fidelity = Number.NEGATIVE_INFINITY;

  const firstTrial = ({ results: [result] }: Contender) => result?.trial ?? 0;
  const byAge = (a: Contender, b: Contender) => firstTrial(a) - firstTrial(b);
  const compare = (a: Contender, b: Contender) => compareBy(objective, a.metrics, b.metrics) || byAge(a, b);
  /** How many of the order come before this one. */
  const placeOf = (one: Contender): number => {
    let [from, to] = [0, order.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (compare(order[middle] as Contender, one) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  const enterFront = (one: Contender): void => {
    const isBehind = (a: Contender, b: Contender) => dominates(objectives, b.metrics, a.metrics);
    if (order.some((other) => isBehind(one, other))) return;
    order = [...order.filter((other) => !isBehind(other, one)), one];
  };

  function replace(before: Contender | undefined, after: Contender): void {
    if (objectives.length === 1) {
      if (before) order.splice(placeOf(before), 1);
      order.splice(placeOf(after), 0, after);
    } else if (before && order.includes(before)) {
      // Means may fall: others may be of the front again.
      order = [];
      for (const one of all.values()) enterFront(one);
    } else enterFront(after);
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
      const before = all.get(key);
      const others = before?.results.filter((result) => result.trial !== trial.trial) ?? [];
      const after = contender(
        [...others, trial].sort((a, b) => a.trial - b.trial),
        objectives,
      );
      if (after === undefined) return;
      all.set(key, after);
      replace(before, after);
    },
    best: () => (objectives.length === 1 ? order.slice(0, 1) : rank(order.sort(byAge), objectives)),
    first(count) {
      if (objectives.length === 1) return order.slice(0, count);
      return rank(count <= order.length ? order.sort(byAge) : [...all.values()].sort(byAge), objectives).slice(
        0,
        count,
      );
    },
  };
}
