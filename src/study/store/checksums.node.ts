import { hash } from 'node:crypto';
import type { EarlierRow, ProgressRow, StrategyRow, StudyRow, TrialRow } from './schema.ts';

/** A row before its checksum. */
export type Unsigned<Row> = Omit<Row, 'checksum'>;

/**
 * Checksums of rows: 128 bits of SHA-256 over the table's name and the values in a fixed order. They are against damage
 * and edits by mistake; an attacker can compute them too.
 */
function sum(values: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(values), 'hex').slice(0, 32);
}

/** Columns that schema 5 has added: where they hold nothing, the checksum is that of schema 4. */
function since5(...values: readonly unknown[]): readonly unknown[] {
  return values.every((value) => value === null) ? [] : values;
}

export function studySum({ name, created_at, settings, earlier }: Omit<StudyRow, 'checksum' | 'writer'>): string {
  return sum(['study', name, created_at, settings, earlier]);
}

export function strategySum({ revision, state }: Unsigned<StrategyRow>): string {
  return sum(['strategy', revision, state]);
}

export function progressSum(row: Unsigned<ProgressRow>): string {
  return sum([
    ...['progress', row.search_trials, row.confirm_trials, row.search_seconds, row.worker_seconds],
    ...since5(row.supernet_trials || null, row.evaluate_trials || null),
  ]);
}

/** What a checksum covers of a point of a curve, as SQLite returned it. */
type Point = Readonly<Record<'step' | 'metrics' | 'seconds' | 'spent' | 'mixture', unknown>>;

/** Covers the trial's curve, so that a point which is missing is noticed too. */
export function trialSum(row: Unsigned<TrialRow>, curve: readonly Point[]): string {
  return sum([
    ...['trial', row.purpose, row.trial, row.repeats, row.repeat_index, row.state, row.architecture, row.fidelity],
    ...[row.start, row.origin, row.metrics, row.costs, row.seconds, row.started_at, row.ended_at, row.checkpoint],
    ...[row.attempts, row.fence, row.reason],
    curve.map(({ step, metrics, seconds, spent, mixture }) => [step, metrics, seconds, spent, ...since5(mixture)]),
    ...since5(row.artifacts, row.final),
  ]);
}

export function earlierSum(row: Unsigned<EarlierRow>): string {
  const { position, study, trial, architecture, metrics, costs, seconds } = row;
  return sum(['earlier', position, study, trial, architecture, metrics, costs, seconds]);
}
