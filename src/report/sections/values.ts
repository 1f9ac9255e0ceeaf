import type { Metrics, Objective } from '../../common/metrics.ts';
import { isEstimated } from '../../study/objectives.ts';
import type { ReportData, ReportTrial } from '../data.ts';
import { deviation, mean, showDeviation, showMetric } from '../numbers.ts';

export function winningTrial({ trials, winner }: ReportData): ReportTrial | undefined {
  return winner && trials.find((t) => t.purpose === 'search' && t.trial === winner.trial);
}

/** Confirmations of the winner: the same architecture, other seeds, complete. */
export function confirmations({ trials, winner }: ReportData): ReportTrial[] {
  return winner === undefined
    ? []
    : trials.filter((t) => t.purpose === 'confirm' && t.repeats === winner.trial && t.state === 'complete');
}

export function valuesOf(metrics: readonly Metrics[], metric: string): number[] {
  return metrics.map((m) => m[metric]).filter((value) => value !== undefined);
}

/** `97.12 % ± 0.30`; of one value without a deviation, of none a dash. */
export function spread(metric: string, values: readonly number[]): string {
  if (values.length === 0) return '–';
  const middle = showMetric(metric, mean(values));
  return values.length === 1 ? middle : `${middle} ± ${showDeviation(metric, deviation(values))}`;
}

/** `Accuracy`; names of one letter and a number stay in capitals: `R2`. */
export function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** What a report shows of a trial: the first objective that is no cost known beforehand, or the first. */
export function headlineOf({ objectives }: Pick<ReportData, 'objectives'>): Objective {
  return objectives.find(isEstimated) ?? objectives[0];
}
