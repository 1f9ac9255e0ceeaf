import type { Metrics } from '../common/metrics.ts';
import type { Problem } from './strategy.ts';

/** Of what was measured, the objectives. One that is missing, or no number, stays away: JSON has no NaN. */
export function objectivesIn(problem: Problem, metrics: Metrics): Metrics {
  const found = problem.objectives.map(({ metric }) => [metric, metrics[metric]] as const);
  return Object.fromEntries(
    found.flatMap(([name, value]) => (Number.isFinite(value) ? [[name, value as number]] : [])),
  );
}
