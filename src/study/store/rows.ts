import { deepFreeze } from '../../common/json.ts';
import type { Spent } from '../../common/spent.ts';
import type { Report } from '../../estimate/estimator.ts';
import type { EarlierRow, ReportRow, TrialRow } from './schema.ts';
import type { EarlierTrial, Trial, TrialKey } from './store.ts';

/** Trials to rows and back. */

export function trialRow(trial: Trial): TrialRow {
  return {
    purpose: trial.purpose,
    trial: trial.trial,
    repeats: trial.repeats ?? null,
    repeat_index: trial.repeatIndex ?? null,
    state: trial.state,
    architecture: JSON.stringify(trial.architecture),
    fidelity: trial.fidelity,
    start: JSON.stringify(trial.start),
    origin: trial.origin,
    metrics: JSON.stringify(trial.metrics),
    costs: JSON.stringify(trial.costs),
    seconds: trial.seconds,
    started_at: trial.startedAt ?? null,
    ended_at: trial.endedAt ?? null,
    checkpoint: trial.checkpoint ?? null,
    attempts: trial.attempts,
    fence: trial.fence,
    reason: trial.reason ?? null,
  };
}

/** The text columns were written by `trialRow`: their JSON has the types that it had there. */
export function trialOf(row: TrialRow, curve: readonly Report[]): Trial {
  return deepFreeze({
    purpose: row.purpose,
    trial: row.trial,
    ...(row.repeats === null ? {} : { repeats: row.repeats }),
    ...(row.repeat_index === null ? {} : { repeatIndex: row.repeat_index }),
    state: row.state as Trial['state'],
    architecture: JSON.parse(row.architecture) as Trial['architecture'],
    fidelity: row.fidelity,
    start: JSON.parse(row.start) as Trial['start'],
    origin: row.origin as Trial['origin'],
    metrics: JSON.parse(row.metrics) as Trial['metrics'],
    costs: JSON.parse(row.costs) as Trial['costs'],
    curve,
    seconds: row.seconds,
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.checkpoint === null ? {} : { checkpoint: row.checkpoint }),
    attempts: row.attempts,
    fence: row.fence,
    ...(row.reason === null ? {} : { reason: row.reason }),
  });
}

export function reportRow({ purpose, trial }: TrialKey, report: Report): ReportRow {
  return {
    purpose,
    trial,
    step: report.step,
    metrics: JSON.stringify(report.metrics),
    seconds: report.seconds,
    spent: report.spent === undefined ? null : JSON.stringify(report.spent),
  };
}

export function reportOf(row: ReportRow): Report {
  return {
    step: row.step,
    metrics: JSON.parse(row.metrics) as Report['metrics'],
    seconds: row.seconds,
    ...(typeof row.spent === 'string' && { spent: JSON.parse(row.spent) as Spent }),
  };
}

export function earlierRow(
  { study, trial, architecture, metrics, costs, seconds }: EarlierTrial,
  position: number,
): EarlierRow {
  return {
    ...{ position, study, trial, seconds },
    architecture: JSON.stringify(architecture),
    metrics: JSON.stringify(metrics),
    costs: JSON.stringify(costs),
  };
}

export function earlierOf({ study, trial, architecture, metrics, costs, seconds }: EarlierRow): EarlierTrial {
  return deepFreeze({
    ...{ study, trial, seconds },
    architecture: JSON.parse(architecture) as EarlierTrial['architecture'],
    metrics: JSON.parse(metrics) as EarlierTrial['metrics'],
    costs: JSON.parse(costs) as EarlierTrial['costs'],
  });
}
