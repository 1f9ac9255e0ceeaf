import { hash } from 'node:crypto';
import type { EarlierRow, ProgressRow, ReportRow, StrategyRow, StudyRow, TrialRow } from './schema.ts';

/** A row before its checksum. */
export type Unsigned<Row> = Omit<Row, 'checksum'>;

/**
 * Checksums of rows: 128 bits of SHA-256 over the table's name and the values in a fixed order. They are against damage
 * and edits by mistake; who means to deceive can compute them too.
 */
function sum(values: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(values), 'hex').slice(0, 32);
}

export function studySum({ name, created_at, settings, earlier }: Omit<StudyRow, 'checksum' | 'writer'>): string {
  return sum(['study', name, created_at, settings, earlier]);
}

export function strategySum({ revision, state }: Unsigned<StrategyRow>): string {
  return sum(['strategy', revision, state]);
}

/** What schema 4 did not have is left out where there is none of it: rows that were written then keep their checksums. */
export function progressSum(row: Unsigned<ProgressRow>): string {
  const { search_trials, confirm_trials, supernet_trials, search_seconds, worker_seconds } = row;
  const added = supernet_trials === 0 ? [] : [supernet_trials];
  return sum(['progress', search_trials, confirm_trials, search_seconds, worker_seconds, ...added]);
}

/** Covers the trial's curve, so that a point which is missing is noticed too. */
export function trialSum(row: Unsigned<TrialRow>, curve: readonly ReportRow[]): string {
  return sum([
    ...['trial', row.purpose, row.trial, row.repeats, row.repeat_index, row.state, row.architecture, row.fidelity],
    ...[row.start, row.origin, row.metrics, row.costs, row.seconds, row.started_at, row.ended_at, row.checkpoint],
    ...[row.attempts, row.fence, row.reason],
    curve.map(({ step, metrics, seconds, spent, mixture }) => [
      ...[step, metrics, seconds, spent],
      ...(mixture === null ? [] : [mixture]),
    ]),
  ]);
}

export function earlierSum(row: Unsigned<EarlierRow>): string {
  const { position, study, trial, architecture, metrics, costs, seconds } = row;
  return sum(['earlier', position, study, trial, architecture, metrics, costs, seconds]);
}
