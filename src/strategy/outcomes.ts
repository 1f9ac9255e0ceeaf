import type { Metrics } from '../common/metrics.ts';
import type { Outcome, Problem } from './strategy.ts';

/** The objectives among the measured values, without those that are missing or not finite: JSON has no NaN. */
export function objectivesIn(problem: Problem, metrics: Metrics): Metrics {
  const found = problem.objectives.map(({ metric }) => [metric, metrics[metric]] as const);
  return Object.fromEntries(
    found.flatMap(([name, value]) => (Number.isFinite(value) ? [[name, value as number]] : [])),
  );
}

/** The value of the first objective, larger is better; undefined unless complete, of the full fidelity, and a number. */
export function scoreOf(problem: Problem, { state, fidelity, metrics }: Outcome): number | undefined {
  const { metric, direction } = problem.objectives[0];
  const value = metrics[metric];
  if (state !== 'complete' || fidelity !== problem.fidelities.length - 1) return undefined;
  if (value === undefined || !Number.isFinite(value)) return undefined;
  return direction === 'maximize' ? value : 0 - value; // Not -value: JSON has no -0.
}

/** Among how many values a rank is taken. */
const MEMORY = 1000;

/**
 * The share of the last values that this one is above, from 0 to 1 (half of those that it equals; 0.5 for the first), and
 * the last values with it: a reward that knows no scale. O(1000).
 */
export function rankAmong(
  last: readonly number[],
  value: number,
): { readonly rank: number; readonly values: readonly number[] } {
  const beaten = last.reduce((sum, other) => sum + (other < value ? 1 : other === value ? 0.5 : 0), 0.5);
  return { rank: beaten / (last.length + 1), values: [...last.slice(1 - MEMORY), value] };
}
