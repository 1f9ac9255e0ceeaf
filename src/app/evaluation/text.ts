import type { Metrics } from '../../common/metrics.ts';
import { showCount, showMetric } from '../../report/numbers.ts';
import { testedObjective } from '../../study/objectives.ts';
import { table } from '../../terminal/output.ts';
import type { Chosen } from '../choice.ts';
import type { Setup } from '../setup.ts';
import { type EvaluationRecord, summarize } from './evaluation.ts';

export const seedsText = (count: number) => (count === 1 ? '1 seed' : `${count} seeds`);

/** An evaluation as a table: the network and the baselines, with the metric that they are shown by. */
export function evaluationText(setup: Setup, best: Chosen, record: EvaluationRecord): string {
  const { metric } = testedObjective(setup.problem.objectives, setup.dataset.search.info);
  const { length: count } = record.seeds;
  const row = (
    name: string,
    metrics: readonly Metrics[],
    { params, flops }: { readonly params: number; readonly flops: number },
  ) => {
    const { mean = Number.NaN, sd = Number.NaN } = summarize(metrics)[metric] ?? {};
    // One value has no deviation.
    const spread = count > 1 ? [showMetric(metric, sd)] : [];
    return [name, showMetric(metric, mean), ...spread, showCount(params), showCount(flops)];
  };
  const { params = 0, flops = 0 } = best.trial.costs;
  return table(
    [
      setup.estimator.kind === 'table' ? `test (${record.epochs} epochs)` : `test (${seedsText(count)})`,
      metric,
      ...(count > 1 ? ['deviation'] : []),
      'params',
      'FLOPs',
    ],
    [
      row(`trial ${record.trial}`, record.metrics, { params, flops }),
      ...record.baselines.map(({ name, metrics, costs }) => row(name, metrics, costs)),
    ],
  );
}
