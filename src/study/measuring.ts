import { messageOf, StudyStopped } from '../common/errors.ts';
import type { Objective } from '../common/metrics.ts';
import { type Measure, subjectOf } from '../measure/measure.ts';
import type { MeasuredMember } from '../measure/own.ts';
import type { Architecture } from '../space/index.ts';
import type { SearchSpace } from '../space/search-space.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import type { Limit, Problem } from '../strategy/strategy.ts';
import type { Purpose, Trial } from './store/store.ts';

/** A measure of the members of any space: one of a user's own. */
export interface MemberMeasure {
  readonly metric: Objective;
  readonly when: 'member';
  of(member: MeasuredMember): number | Promise<number>;
}

/** Measures that take time, such as a latency on a device: taken once for each architecture, before its trial begins. */
export interface Measuring {
  readonly measures: readonly (Measure | MemberMeasure)[];
  /** An architecture above one of these is not trained; its trial fails with that as the reason. */
  readonly limits?: readonly Limit[];
  /** Lets go of a device. It is opened again when the next measure is taken. */
  close?(): Promise<void>;
}

/** What is known of a trial before it begins, and why it need not begin. */
export interface Taken {
  readonly costs: Trial['costs'];
  readonly reason?: string;
}

/**
 * Takes the measures of one trial after another, in the study's process, so that two of them do not disturb each other. The
 * store is their cache: it is not taken again of an architecture that any trial has a value of, not even after a kill. A
 * measure that throws, or gives no finite number, makes a failed trial. Throws StudyStopped where a measure does.
 */
export function measuringOf(
  problem: Problem,
  measuring: Measuring | undefined,
  trials: (purpose: Purpose) => readonly Trial[],
): (trial: Trial) => Promise<Taken> {
  if (measuring === undefined) return async () => ({ costs: {} });
  const { measures, limits = [] } = measuring;
  const { space } = problem;

  /** What the store has of each architecture, and what is taken from here on. */
  let taken: Map<string, Record<string, number>> | undefined;
  const knownOf = ({ architecture }: Trial): Record<string, number> => {
    taken ??= costsByArchitecture([...trials('search'), ...trials('confirm')]);
    const key = architectureKey(architecture);
    const known = taken.get(key) ?? {};
    taken.set(key, known);
    return known;
  };
  return async (trial) => {
    if (!isCandidate(problem, trial)) return { costs: {} };
    const known = knownOf(trial);
    const costs: Record<string, number> = {};
    for (const measure of measures) {
      const { metric: name } = measure.metric;
      try {
        const value = known[name] ?? (await take(measure, space, trial.architecture));
        if (value === undefined)
          return { costs, reason: `measure ${name} needs a network; space "${space.name}" has none` };
        if (!Number.isFinite(value))
          return { costs, reason: `measure ${name} gave ${value}, which is not a finite number` };
        costs[name] = value;
        known[name] = value;
      } catch (error) {
        // The device is gone, which is no fault of the candidate.
        if (error instanceof StudyStopped) throw error;
        return { costs, reason: `measure ${name} failed: ${messageOf(error)}` };
      }
    }
    const above = limits.find(({ cost, max }) => (costs[cost] ?? 0) > max);
    return above === undefined
      ? { costs }
      : { costs, reason: `${above.cost} is ${costs[above.cost]}, above the limit ${above.max}` };
  };
}

/** Not a supernet; nor a network that cannot be built, which fails for that reason. */
function isCandidate(problem: Problem, { purpose, costs, architecture }: Trial): boolean {
  if (purpose !== 'search' && purpose !== 'confirm') return false;
  if (Object.keys(costs).length > 0) return true;
  try {
    problem.costs(architecture);
    return true;
  } catch {
    return false;
  }
}

function costsByArchitecture(trials: readonly Trial[]): Map<string, Record<string, number>> {
  const found = new Map<string, Record<string, number>>();
  for (const { architecture, costs } of trials) {
    const key = architectureKey(architecture);
    found.set(key, { ...found.get(key), ...costs });
  }
  return found;
}

/** Takes one measure. Undefined where a measure of networks is asked of a space that has no tree. */
function take(measure: Measure | MemberMeasure, space: SearchSpace, architecture: Architecture) {
  if (measure.when !== 'member') return space.tree && measure.of(subjectOf(space.tree, architecture));
  const text = space.format(architecture);
  return measure.of({ architecture, text, network: space.build?.(architecture), task: space.tree?.task });
}
