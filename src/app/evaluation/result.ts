import type { Metrics } from '../../common/metrics.ts';
import type { Architecture } from '../../space/index.ts';
import type { Choice } from '../../study/choice.ts';
import type { Chosen } from '../choice.ts';
import type { EstimatorPlan } from '../estimator-plan.ts';
import type { Setup } from '../setup.ts';
import { type EvaluationRecord, type Summary, summarize } from './evaluation.ts';

function isTrained({ kind }: EstimatorPlan, { confirmations }: Chosen): boolean {
  if (kind === 'shared' || kind === 'predictor') return confirmations > 0;
  return kind === 'train' || kind === 'table';
}

/** Metrics on the validation samples; none where the search has trained nothing. */
export function validMetrics({ estimator }: Pick<Setup, 'estimator'>, best: Chosen): Metrics {
  return isTrained(estimator, best) ? best.metrics : {};
}

/** An evaluation as `netsmith evaluate --json` prints it and the library returns it. */
export interface EvaluationResult {
  readonly study: string;
  readonly trial: number;
  readonly choice: Choice;
  readonly architecture: Architecture;
  readonly text: string;
  readonly params: number;
  readonly flops: number;
  readonly epochs: number;
  readonly seeds: readonly number[];
  readonly test: Summary;
  /** The seed whose weights are kept for `export`, and their metrics on the test split. Absent for a table. */
  readonly kept?: { readonly seed: number; readonly test: Metrics };
  /** Validation metrics of the search (of confirmed trials: the mean over their runs). Empty where it has trained nothing. */
  readonly valid: Metrics;
  /** What the search chose it by, where that is no training. */
  readonly estimate?: { readonly estimator: string; readonly metrics: Metrics };
  /** Validation minus mean test, for each metric that both have. */
  readonly gap: Metrics;
  readonly baselines: Readonly<
    Record<string, { readonly test: Summary; readonly params: number; readonly flops: number }>
  >;
}

export function evaluationToJson(
  study: string,
  setup: Setup,
  best: Chosen,
  record: EvaluationRecord,
): EvaluationResult {
  const test = summarize(record.metrics);
  const { space, estimator } = setup;
  const found = validMetrics(setup, best);
  const shared = Object.entries(found).filter(([name]) => test[name] !== undefined);
  const { params = 0, flops = 0 } = best.trial.costs;
  return {
    study,
    trial: record.trial,
    choice: best.choice,
    architecture: record.architecture,
    text: space.format(record.architecture),
    params,
    flops,
    epochs: record.epochs,
    seeds: record.seeds,
    test,
    ...(estimator.kind !== 'table' && { kept: { seed: record.seeds[0] ?? 0, test: record.metrics[0] ?? {} } }),
    valid: found,
    ...(!isTrained(estimator, best) && { estimate: { estimator: estimator.kind, metrics: best.metrics } }),
    gap: Object.fromEntries(shared.map(([name, valid]) => [name, valid - (test[name]?.mean ?? Number.NaN)])),
    baselines: Object.fromEntries(
      record.baselines.map(({ name, metrics, costs }) => [name, { test: summarize(metrics), ...costs }]),
    ),
  };
}
