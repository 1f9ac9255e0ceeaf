import type { Purpose } from './store.ts';

/**
 * The tables of a study, schema 5: strict, one row each of `study`, `strategy` and `progress`. JSON columns hold text.
 * `checksum` is of what a row holds (`checksums.node.ts`). The version stands in `PRAGMA user_version`, where it can be read
 * whatever the tables of a later version look like.
 */
export interface Tables {
  study: StudyRow;
  strategy: StrategyRow;
  progress: ProgressRow;
  trials: TrialRow;
  reports: ReportRow;
  earlier_trials: EarlierRow;
}

/** What the study is. */
export interface StudyRow {
  name: string;
  created_at: number;
  settings: string;
  /** How many rows `earlier_trials` has. */
  earlier: number;
  checksum: string;
  /** Process id of the last writer; not in the checksum. */
  writer: number | null;
}

export interface StrategyRow {
  revision: number;
  state: string;
  checksum: string;
}

/** How far it has come: how many rows `trials` has of each purpose, and its clock. */
export interface ProgressRow {
  search_trials: number;
  confirm_trials: number;
  supernet_trials: number;
  evaluate_trials: number;
  search_seconds: number;
  worker_seconds: number;
  checksum: string;
}

export interface TrialRow {
  purpose: Purpose;
  trial: number;
  repeats: number | null;
  repeat_index: number | null;
  state: string;
  architecture: string;
  fidelity: number;
  start: string;
  origin: string;
  metrics: string;
  costs: string;
  seconds: number;
  started_at: number | null;
  ended_at: number | null;
  checkpoint: string | null;
  /** JSON, of other artifacts by name. */
  artifacts: string | null;
  /** JSON, of an `evaluate` trial. */
  final: string | null;
  attempts: number;
  fence: number;
  reason: string | null;
  /** Checksum of this row and of its `reports`. */
  checksum: string;
}

/** A point of a trial's curve; the trial's checksum covers it. */
export interface ReportRow {
  purpose: Purpose;
  trial: number;
  step: number;
  metrics: string;
  seconds: number;
  spent: string | null;
  /** JSON, of a supernet: its mixture weights and guards. */
  mixture: string | null;
}

/** `position`: from 0, in the order in which the strategy got the results. */
export interface EarlierRow {
  position: number;
  study: string;
  trial: number;
  architecture: string;
  metrics: string;
  costs: string;
  seconds: number;
  checksum: string;
}

/** As SQLite keeps it: a file with any other text has not been made by this version. */
export const TABLES: Readonly<Record<keyof Tables, string>> = {
  study:
    'CREATE TABLE study (name TEXT NOT NULL, created_at INTEGER NOT NULL, settings TEXT NOT NULL, earlier INTEGER NOT NULL, checksum TEXT NOT NULL, writer INTEGER) STRICT',
  strategy: 'CREATE TABLE strategy (revision INTEGER NOT NULL, state TEXT NOT NULL, checksum TEXT NOT NULL) STRICT',
  progress:
    'CREATE TABLE progress (search_trials INTEGER NOT NULL, confirm_trials INTEGER NOT NULL, supernet_trials INTEGER NOT NULL, evaluate_trials INTEGER NOT NULL, search_seconds REAL NOT NULL, worker_seconds REAL NOT NULL, checksum TEXT NOT NULL) STRICT',
  trials:
    'CREATE TABLE trials (purpose TEXT NOT NULL, trial INTEGER NOT NULL, repeats INTEGER, repeat_index INTEGER, state TEXT NOT NULL, architecture TEXT NOT NULL, fidelity INTEGER NOT NULL, start TEXT NOT NULL, origin TEXT NOT NULL, metrics TEXT NOT NULL, costs TEXT NOT NULL, seconds REAL NOT NULL, started_at INTEGER, ended_at INTEGER, checkpoint TEXT, artifacts TEXT, final TEXT, attempts INTEGER NOT NULL, fence INTEGER NOT NULL, reason TEXT, checksum TEXT NOT NULL, PRIMARY KEY (purpose, trial)) STRICT',
  reports:
    'CREATE TABLE reports (purpose TEXT NOT NULL, trial INTEGER NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL, seconds REAL NOT NULL, spent TEXT, mixture TEXT, PRIMARY KEY (purpose, trial, step)) STRICT',
  earlier_trials:
    'CREATE TABLE earlier_trials (position INTEGER PRIMARY KEY, study TEXT NOT NULL, trial INTEGER NOT NULL, architecture TEXT NOT NULL, metrics TEXT NOT NULL, costs TEXT NOT NULL, seconds REAL NOT NULL, checksum TEXT NOT NULL) STRICT',
};
