import { compareBy, type Metrics, type Objective } from '../common/metrics.ts';
import type { Report } from '../estimate/estimator.ts';
import type { TrialState } from './store/store.ts';

/** The learning curve of a trial. A Trial is one. */
export interface Curve {
  readonly trial: number;
  readonly fidelity: number;
  readonly state: TrialState;
  readonly curve: readonly Report[];
}

/**
 * What answers a trial's report, given the curves of the other search trials. It must depend on these alone, so that a
 * study that was killed between a report and its answer comes to the same one.
 */
export type StoppingRule = (trial: Curve, others: readonly Curve[]) => 'continue' | 'pause' | 'stop';

export interface MedianOptions {
  /** Steps that every trial is given. */
  readonly warmup?: number;
  /** So many other trials must have come as far before any is stopped. */
  readonly trials?: number;
}

/**
 * Median stopping (Golovin et al. 2017, section 3.2.2): a trial is stopped at step s if its best value so far is worse
 * than the median, over the other trials that reached s, of the mean of their values up to s.
 */
export function medianStopping(objective: Objective, { warmup = 1, trials = 5 }: MedianOptions = {}): StoppingRule {
  const metricsOf = (value: number): Metrics => ({ [objective.metric]: value });
  const compare = (a: number, b: number) => compareBy(objective, metricsOf(a), metricsOf(b));
  return (trial, others) => {
    const step = trial.curve.at(-1)?.step ?? 0;
    if (step <= warmup) return 'continue';
    const upTo = (curve: readonly Report[]) =>
      curve.filter((point) => point.step <= step).map((point) => point.metrics[objective.metric] ?? Number.NaN);
    const asFar = others.filter(({ curve }) => (curve.at(-1)?.step ?? 0) >= step);
    if (asFar.length < trials) return 'continue';
    const means = asFar.map(({ curve }) => mean(upTo(curve))).sort(compare);
    const median = means[Math.floor(means.length / 2)] ?? Number.NaN;
    const best = upTo(trial.curve).sort(compare)[0] ?? Number.NaN;
    return compare(best, median) > 0 ? 'stop' : 'continue';
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
