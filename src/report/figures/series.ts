import { compareBy, type Objective } from '../../common/metrics.ts';
import type { ReportTrial } from '../data.ts';

/** Search trials that ended with a value of the objective, in the order they ended. */
export function measured(trials: readonly ReportTrial[], objective: Objective): ReportTrial[] {
  return trials
    .filter(
      (t) => t.purpose === 'search' && t.state !== 'failed' && isEnded(t) && objectiveValue(t, objective) !== undefined,
    )
    .sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0) || a.trial - b.trial);
}

function isEnded(trial: ReportTrial): boolean {
  return trial.state === 'complete' || trial.state === 'pruned' || trial.state === 'paused';
}

/** The finite value of the objective, among the metrics or the costs. */
export function objectiveValue(trial: ReportTrial, { metric }: Objective): number | undefined {
  const value = trial.metrics[metric] ?? trial.costs[metric];
  return value === undefined || !Number.isFinite(value) ? undefined : value;
}

/**
 * For each trial, the best value of it and those before it in the list. Only complete trials count as best: a pruned
 * one was measured at a lower fidelity.
 */
export function bestSoFar(trials: readonly ReportTrial[], objective: Objective): (number | undefined)[] {
  let best: number | undefined;
  return trials.map((trial) => {
    const value = objectiveValue(trial, objective);
    if (trial.state === 'complete' && value !== undefined) {
      const { metric } = objective;
      if (best === undefined || compareBy(objective, { [metric]: value }, { [metric]: best }) < 0) best = value;
    }
    return best;
  });
}

/**
 * Seconds, up to a moment, in which at least one trial ran: wall time without the pauses of a study that was
 * interrupted and resumed. Moments in milliseconds since 1970. A trial counts with its seconds of computing, as if they
 * were the last before it ended: one that was itself interrupted began before the pause and ended after.
 */
export function busyTime(trials: readonly ReportTrial[]): (moment: number) => number {
  const spans = trials
    .flatMap(({ seconds, startedAt, endedAt }) =>
      startedAt === undefined || endedAt === undefined
        ? []
        : [{ from: Math.max(startedAt, endedAt - seconds * 1000), to: endedAt }],
    )
    .sort((a, b) => a.from - b.from);
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of spans) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return (moment) => merged.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to, moment) - from), 0) / 1000;
}

/** The points that no other beats in both: less or equal cost and a better or equal value, one of them strictly. */
export function paretoFront<T extends { readonly cost: number; readonly value: number }>(
  points: readonly T[],
  direction: Objective['direction'],
): T[] {
  const sign = direction === 'maximize' ? -1 : 1;
  const sorted = [...points].sort((a, b) => a.cost - b.cost || sign * (a.value - b.value));
  const front: T[] = [];
  for (const point of sorted) {
    const last = front.at(-1);
    if (last === undefined || sign * (point.value - last.value) < 0) front.push(point);
  }
  return front;
}
