import { largest, smallest } from '../common/extremes.ts';
import type { Metrics, Objective } from '../common/metrics.ts';
import { countAhead } from '../common/pareto.ts';
import type { Report } from '../estimate/estimator.ts';
import type { TrialState } from './store/store.ts';

/** The learning curve of a trial. A Trial is one. */
export interface Curve {
  readonly trial: number;
  readonly fidelity: number;
  readonly state: TrialState;
  readonly curve: readonly Report[];
  /** What is known of it without training, such as its parameters. */
  readonly costs: Metrics;
}

/**
 * Decides what to do with a trial after a report, given the curves of the other search trials. The result must depend
 * only on its arguments, so that a study killed between a report and its answer decides the same way again.
 */
export type StoppingRule = (trial: Curve, others: readonly Curve[]) => 'continue' | 'pause' | 'stop';

export interface MedianOptions {
  /** Every trial runs at least this many steps. */
  readonly warmup?: number;
  /** Number of other trials that must have reached this step before a trial can be stopped. */
  readonly trials?: number;
}

/**
 * Median stopping (Golovin et al. 2017, section 3.2.2): a trial is stopped at step s if its best value so far is worse
 * than the median, over the other trials that reached s, of the mean of their values up to s.
 *
 * With several objectives, the trial has its best value of each so far, the others their means, and costs count as they are. The trial is
 * stopped if more than half of the others lie on an earlier front (non-dominated sorting; Deb et al. 2002).
 */
export function medianStopping(
  objectives: readonly [Objective, ...Objective[]],
  { warmup = 1, trials = 5 }: MedianOptions = {},
): StoppingRule {
  return (trial, others) => {
    const step = trial.curve.at(-1)?.step ?? 0;
    if (step <= warmup) return 'continue';
    const summary = ({ curve, costs }: Curve, of: (values: readonly number[], objective: Objective) => number) => {
      const reached = curve.filter((point) => point.step <= step);
      const values = objectives.map((objective) => [
        objective.metric,
        costs[objective.metric] ??
          of(
            reached.map(({ metrics }) => metrics[objective.metric] ?? Number.NaN),
            objective,
          ),
      ]);
      return { metrics: Object.fromEntries(values) };
    };
    const asFar = others.filter(({ curve }) => (curve.at(-1)?.step ?? 0) >= step);
    if (asFar.length < trials) return 'continue';
    const means = asFar.map((other) => summary(other, mean));
    const ahead = countAhead(summary(trial, bestOf), means, objectives);
    return ahead > Math.floor(asFar.length / 2) ? 'stop' : 'continue';
  };
}

function bestOf(values: readonly number[], { direction }: Objective): number {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return Number.NaN;
  return direction === 'maximize' ? largest(finite) : smallest(finite);
}

export interface CurveOptions {
  /** Epochs of the full fidelity, to which curves are extrapolated. */
  readonly epochs: number;
  /** A trial is stopped when the probability that it becomes the best is below this. */
  readonly probability?: number;
  /** Every trial runs at least this many steps. */
  readonly warmup?: number;
  /** Number of other trials that must have finished before a trial can be stopped. */
  readonly trials?: number;
  /** The ensemble of learning curves (model/learning-curve.ts): values larger is better, `spread` the range they have. */
  readonly forecast: (points: readonly Point[], horizon: number, spread: number) => Forecast;
  /** In the place of `forecast`: learns from the finished trials' curves (model/learned-curve.ts). */
  readonly learned?: (points: readonly Point[], ended: readonly (readonly Point[])[]) => Forecast;
}

interface Point {
  readonly step: number;
  readonly value: number;
}

interface Forecast {
  readonly mean: number;
  readonly deviation: number;
  /** The probability that the value is above `value`. */
  above(value: number): number;
}

/** Ended trials that forecasts are checked against, the latest. */
const CHECKED = 20;

/** How many ended trials the model's own variance weighs as much as. */
const OWN_WEIGHT = 4;

/**
 * Stopping by extrapolated learning curves (Domhan et al. 2015, algorithm 2): a trial is stopped if its probability to
 * beat the best finished trial at full length is below `probability`.
 *
 * Differs: a learning-rate schedule that falls to 0 lifts every curve in its last epochs, which no parametric shape predicts.
 * Therefore finished trials are forecast from the same step, and their errors correct the forecast: its mean by their
 * mean error, its variance by their variance.
 *
 * O(20) forecasts per report.
 */
export function curveStopping(objective: Objective, options: CurveOptions): StoppingRule {
  const { epochs, probability = 0.05, warmup = 2, trials = 5, forecast, learned } = options;
  const sign = objective.direction === 'maximize' ? 1 : -1;
  const pointsOf = ({ curve }: Curve): Point[] =>
    curve.flatMap(({ step, metrics }) => {
      const value = metrics[objective.metric];
      return value === undefined || !Number.isFinite(value) ? [] : [{ step, value: sign * value }];
    });
  return (trial, others) => {
    const points = pointsOf(trial);
    const step = points.at(-1)?.step ?? 0;
    if (step <= warmup || points.length < 2 || step >= epochs) return 'continue';
    const ended = others.filter(({ state }) => state === 'complete').map(pointsOf);
    const whole = ended.filter((curve) => curve.at(-1)?.step === epochs && curve.some((point) => point.step <= step));
    if (whole.length < trials) return 'continue';
    const values = [...whole.flat(), ...points].map(({ value }) => value);
    const spread = largest(values) - smallest(values);
    if (!(spread > 0)) return 'continue';
    const at = (curve: readonly Point[]) =>
      forecast(
        curve.filter((point) => point.step <= step),
        epochs,
        spread,
      );
    const finals = whole.map((curve) => curve.at(-1)?.value ?? 0);
    if (learned !== undefined) return learned(points, whole).above(largest(finals)) < probability ? 'stop' : 'continue';
    const errors = whole.slice(-CHECKED).map((curve) => (curve.at(-1)?.value ?? 0) - at(curve).mean);
    const error = mean(errors);
    const own = at(points);
    const scatter = errors.reduce((sum, one) => sum + (one - error) ** 2, 0);
    const variance = (OWN_WEIGHT * own.deviation ** 2 + scatter) / (OWN_WEIGHT + errors.length - 1);
    const deviation = Math.sqrt(variance * (1 + 1 / errors.length));
    // The ensemble's own distribution, moved and stretched.
    const needed = largest(finals) - (own.mean + error);
    return own.above(own.mean + (needed * own.deviation) / deviation) < probability ? 'stop' : 'continue';
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
