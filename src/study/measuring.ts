import { messageOf } from '../common/errors.ts';
import { type Measure, subjectOf } from '../measure/measure.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import type { Limit, Problem } from '../strategy/strategy.ts';
import type { Purpose, Trial } from './store/store.ts';

/** Measures that take time, such as a latency on a device: taken once for each architecture, before its trial begins. */
export interface Measuring {
  readonly measures: readonly Measure[];
  /** An architecture above one of these is not trained; its trial fails with that as the reason. */
  readonly limits?: readonly Limit[];
}

/** What is known of a trial before it begins, and why it need not begin. */
export interface Taken {
  readonly costs: Trial['costs'];
  readonly reason?: string;
}

/**
 * Takes the measures of one trial after another, in the study's process, so that two of them do not disturb each other. The
 * store is their cache: what any trial of the same architecture has among its costs is not measured again, after a kill neither. A
 * measure that throws, or gives no finite number, makes a failed trial.
 */
export function measuringOf(
  problem: Problem,
  measuring: Measuring | undefined,
  trials: (purpose: Purpose) => readonly Trial[],
): (trial: Trial) => Promise<Taken> {
  if (measuring === undefined) return async () => ({ costs: {} });
  const { measures, limits = [] } = measuring;
  const { tree, name: space } = problem.space;

  const knownOf = ({ architecture }: Trial): Trial['costs'] => {
    const key = architectureKey(architecture);
    const same = [...trials('search'), ...trials('confirm')].filter((one) => architectureKey(one.architecture) === key);
    return Object.assign({}, ...same.map(({ costs }) => costs));
  };
  return async (trial) => {
    // Its network cannot be built, or it is no candidate.
    if (Object.keys(trial.costs).length === 0) return { costs: {} };
    const known = knownOf(trial);
    const costs: Record<string, number> = {};
    for (const { metric, of } of measures) {
      const { metric: name } = metric;
      try {
        if (tree === undefined) return { costs, reason: `measure ${name} needs a network; space "${space}" has none` };
        const value = known[name] ?? (await of(subjectOf(tree, trial.architecture)));
        if (!Number.isFinite(value))
          return { costs, reason: `measure ${name} gave ${value}, which is not a finite number` };
        costs[name] = value;
      } catch (error) {
        return { costs, reason: `measure ${name} failed: ${messageOf(error)}` };
      }
    }
    const above = limits.find(({ cost, max }) => (costs[cost] ?? 0) > max);
    return above === undefined
      ? { costs }
      : { costs, reason: `${above.cost} is ${costs[above.cost]}, above the limit ${above.max}` };
  };
}
