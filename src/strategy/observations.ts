/** What strategies with a model remember: what was measured, and what is still running. */
import type { Architecture } from '../space/space.ts';
import { proposalRng, sampleWithin } from './limits.ts';
import type { Outcome, Problem, Proposal, Strategy } from './strategy.ts';

/** One trial that ended: a value for each objective, larger is better; null: it failed. */
export type Observation = {
  readonly trial: number;
  readonly architecture: Architecture;
  readonly values: readonly number[] | null;
};

export type Pending = { readonly trial: number; readonly architecture: Architecture };

export type ObservationsState = {
  /** In the order in which they were reported. */
  readonly observations: readonly Observation[];
  readonly pending: readonly Pending[];
};

/**
 * A strategy that lets a model of its observations choose: `initial` random architectures (earlier results count as
 * such), then what `choose` says for each trial, given what is known and what is running, the trials of the same `ask`
 * included.
 */
export function guidedBy(
  name: string,
  initial: number,
  choose: (problem: Problem, state: ObservationsState, trial: number) => Architecture | Promise<Architecture>,
): Strategy<ObservationsState> {
  return {
    name,
    init(problem) {
      sampleWithin(problem, 0); // Limits that nothing keeps are refused now, not in the middle of a study.
      return { observations: [], pending: [] };
    },
    async ask(problem, state, firstTrial, count) {
      let now = state;
      const proposals: Proposal[] = [];
      for (let trial = firstTrial; trial < firstTrial + count; trial++) {
        const { observations, pending } = now;
        const early = observations.length < 2 || observations.length + pending.length < initial;
        const architecture = early ? sampleWithin(problem, trial) : await choose(problem, now, trial);
        now = { observations, pending: [...pending, { trial, architecture }] };
        proposals.push({ architecture, fidelity: problem.fidelities.length - 1, start: { kind: 'fresh' } });
      }
      return [now, proposals];
    },
    tell: async (problem, state, outcomes) => observe(problem, state, outcomes),
  };
}

/**
 * The state once it knows these outcomes. Complete trials of the full fidelity count, and pruned ones with what they
 * had reached; failed ones are remembered as such; paused trials and those of a lower fidelity say nothing.
 */
function observe(problem: Problem, state: ObservationsState, outcomes: readonly Outcome[]): ObservationsState {
  const ended = new Set(outcomes.map(({ trial }) => trial));
  const full = problem.fidelities.length - 1;
  const observations = outcomes.flatMap((outcome): Observation[] => {
    const { trial, architecture, state: end, fidelity, metrics } = outcome;
    if (end === 'paused' || (end !== 'failed' && fidelity !== full)) return [];
    const values = problem.objectives.map(({ metric, direction }) => {
      const value = metrics[metric] ?? Number.NaN;
      return direction === 'maximize' ? value : 0 - value; // Not -value: JSON has no -0.
    });
    return [{ trial, architecture, values: end !== 'failed' && values.every(Number.isFinite) ? values : null }];
  });
  return {
    observations: observations.length === 0 ? state.observations : [...state.observations, ...observations],
    pending: state.pending.filter(({ trial }) => !ended.has(trial)),
  };
}

/** Added to the largest weighted regret in ParEGO's sum. */
const AUGMENTATION = 0.05;

/**
 * One number for each observation, larger is better; -Infinity: failed. Several objectives are scaled to [0, 1] over
 * what has been seen and made one by the augmented Chebyshev norm with random weights that the labels name (ParEGO,
 * Knowles 2006, equation 2), so that each trial aims at another part of the front.
 */
export function utilities(
  problem: Problem,
  observations: readonly Observation[],
  ...labels: readonly [trial: number, ...rest: (string | number)[]]
): number[] {
  const count = problem.objectives.length;
  if (count === 1) return observations.map(({ values }) => values?.[0] ?? Number.NEGATIVE_INFINITY);
  const [trial, ...rest] = labels;
  const stream = proposalRng(problem, trial, ...rest, 'weights');
  const drawn = Array.from({ length: count }, () => -Math.log(1 - stream.float()));
  const total = drawn.reduce((sum, w) => sum + w, 0) || 1;
  const complete = observations.flatMap(({ values }) => (values === null ? [] : [values]));
  const ranges = drawn.map((_, i) => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const values of complete) {
      low = Math.min(low, values[i] ?? Number.NaN);
      high = Math.max(high, values[i] ?? Number.NaN);
    }
    return { high, width: high > low ? high - low : 1 };
  });
  return observations.map(({ values }) => {
    if (values === null) return Number.NEGATIVE_INFINITY;
    let [most, sum] = [0, 0];
    for (const [i, { high, width }] of ranges.entries()) {
      const regret = (((drawn[i] ?? Number.NaN) / total) * (high - (values[i] ?? Number.NaN))) / width;
      most = Math.max(most, regret);
      sum += regret;
    }
    return -(most + AUGMENTATION * sum);
  });
}

/** How far below the median a target can be, in distances from the median to the best. */
const DEPTH = 1.5;

/**
 * Utilities as targets of a regression: of mean 0 and deviation 1, after the bad end has been cut off at 1.5 times as
 * far below the median as the best is above it. Networks that learn nothing are that far from the others that a model
 * of all of them has no eye for differences among the good ones. Failed trials are at the cut.
 */
export function standardized(utility: readonly number[]): Float64Array {
  const finite = Float64Array.from(utility.filter(Number.isFinite)).sort();
  if (finite.length === 0) return new Float64Array(utility.length);
  const median = finite[Math.floor(finite.length / 2)] ?? Number.NaN;
  const cut = median - DEPTH * ((finite.at(-1) as number) - median);
  const lowest = Math.max(cut, finite[0] ?? Number.NaN);
  const targets = Float64Array.from(utility, (value) => Math.max(value, lowest));
  const mean = targets.reduce((sum, value) => sum + value, 0) / targets.length;
  const deviation = Math.sqrt(targets.reduce((sum, value) => sum + (value - mean) ** 2, 0) / targets.length) || 1;
  return targets.map((value) => (value - mean) / deviation);
}
