import { type Kysely, sql } from 'kysely';

/**
 * The tables of a study, schema 3. JSON columns hold text. The version stands in `PRAGMA user_version`, where it can be
 * read whatever the tables of a later version look like.
 */
export interface Tables {
  study: StudyRow;
  trials: TrialRow;
  reports: ReportRow;
  /** Since schema 3; not there where an older study is only read. */
  earlier_trials: EarlierRow;
}

/** One row: what the study is, and how far it has come. */
export interface StudyRow {
  name: string;
  created_at: number;
  settings: string;
  revision: number;
  strategy_state: string;
  search_seconds: number;
  /** Since schema 2, as in `Clock`; undefined where an older study is only read. */
  worker_seconds: number | undefined;
  /** Process id of the last writer. */
  writer: number | null;
}

export interface TrialRow {
  purpose: 'search' | 'confirm';
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
  attempts: number;
  fence: number;
  reason: string | null;
}

export interface ReportRow {
  purpose: 'search' | 'confirm';
  trial: number;
  step: number;
  metrics: string;
  seconds: number;
  /** Since schema 2; undefined where an older study is only read. */
  spent: string | null | undefined;
}

/** `position`: from 0, in the order in which the strategy was told. */
export interface EarlierRow {
  position: number;
  study: string;
  trial: number;
  architecture: string;
  metrics: string;
  costs: string;
  seconds: number;
}

export const EARLIER_TRIALS =
  'CREATE TABLE earlier_trials (position integer PRIMARY KEY, study text NOT NULL, trial integer NOT NULL, architecture text NOT NULL, metrics text NOT NULL, costs text NOT NULL, seconds real NOT NULL)';

export async function createTables(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable('study')
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('created_at', 'integer', (c) => c.notNull())
    .addColumn('settings', 'text', (c) => c.notNull())
    .addColumn('revision', 'integer', (c) => c.notNull())
    .addColumn('strategy_state', 'text', (c) => c.notNull())
    .addColumn('search_seconds', 'real', (c) => c.notNull())
    .addColumn('worker_seconds', 'real', (c) => c.notNull())
    .addColumn('writer', 'integer')
    .execute();
  await db.schema
    .createTable('trials')
    .addColumn('purpose', 'text', (c) => c.notNull())
    .addColumn('trial', 'integer', (c) => c.notNull())
    .addColumn('repeats', 'integer')
    .addColumn('repeat_index', 'integer')
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('architecture', 'text', (c) => c.notNull())
    .addColumn('fidelity', 'integer', (c) => c.notNull())
    .addColumn('start', 'text', (c) => c.notNull())
    .addColumn('origin', 'text', (c) => c.notNull())
    .addColumn('metrics', 'text', (c) => c.notNull())
    .addColumn('costs', 'text', (c) => c.notNull())
    .addColumn('seconds', 'real', (c) => c.notNull())
    .addColumn('started_at', 'integer')
    .addColumn('ended_at', 'integer')
    .addColumn('checkpoint', 'text')
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('fence', 'integer', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addPrimaryKeyConstraint('trials_key', ['purpose', 'trial'])
    .execute();
  await db.schema
    .createTable('reports')
    .addColumn('purpose', 'text', (c) => c.notNull())
    .addColumn('trial', 'integer', (c) => c.notNull())
    .addColumn('step', 'integer', (c) => c.notNull())
    .addColumn('metrics', 'text', (c) => c.notNull())
    .addColumn('seconds', 'real', (c) => c.notNull())
    .addColumn('spent', 'text')
    .addPrimaryKeyConstraint('reports_key', ['purpose', 'trial', 'step'])
    .execute();
  await sql.raw(EARLIER_TRIALS).execute(db);
}
