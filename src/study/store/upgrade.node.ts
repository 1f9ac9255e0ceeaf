import type { DatabaseSync } from 'node:sqlite';
import type { Report } from '../../estimate/estimator.ts';
import { earlierSum, progressSum, strategySum, studySum, trialSum } from './checksums.node.ts';
import { damaged } from './errors.ts';
import {
  earlierOf,
  earlierRow,
  progressOf,
  recordOf,
  reportOf,
  reportRow,
  strategyOf,
  trialOf,
  trialRow,
} from './rows.ts';
import { TABLES, type Tables, type TrialRow } from './schema.ts';
import { type EarlierTrial, type Purpose, SCHEMA, type StrategyState, type Trial } from './store.ts';

/** Marks a file as a study of Netsmith ("NSMT"); SQLite keeps it in the file's header. */
export const APPLICATION_ID = 0x4e534d54;

/** Everything in a study's database. */
export interface Contents {
  readonly name: string;
  readonly createdAt: number;
  readonly settings: unknown;
  readonly strategy: StrategyState;
  readonly clock: { readonly searchSeconds: number; readonly workerSeconds: number };
  readonly trials: readonly Trial[];
  readonly earlier: readonly EarlierTrial[];
}

type Column = string | number | null;

/** Makes the tables of this schema in a database that has none of these names, and fills them. In a transaction of the caller's. */
export function fill(database: DatabaseSync, contents: Contents): void {
  for (const sql of Object.values(TABLES)) database.exec(sql);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA}`);
  const insert = (table: keyof Tables, row: Readonly<Record<string, Column>>) => {
    const names = Object.keys(row);
    const places = names.map(() => '?').join(', ');
    database.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`).run(...Object.values(row));
  };
  const { name, createdAt, settings, strategy, clock, trials, earlier } = contents;
  const study = { name, created_at: createdAt, settings: JSON.stringify(settings), earlier: earlier.length };
  insert('study', { ...study, checksum: studySum(study), writer: null });
  const state = { revision: strategy.revision, state: JSON.stringify(strategy.state) };
  insert('strategy', { ...state, checksum: strategySum(state) });
  const countOf = (purpose: Purpose) => trials.filter((trial) => trial.purpose === purpose).length;
  const progress = {
    search_trials: countOf('search'),
    confirm_trials: countOf('confirm'),
    supernet_trials: countOf('supernet'),
    evaluate_trials: countOf('evaluate'),
    search_seconds: clock.searchSeconds,
    worker_seconds: clock.workerSeconds,
  };
  insert('progress', { ...progress, checksum: progressSum(progress) });
  for (const trial of trials) {
    const row = trialRow(trial);
    const curve = trial.curve.map((report) => reportRow(trial, report));
    insert('trials', { ...row, checksum: trialSum(row, curve) });
    for (const point of curve) insert('reports', { ...point });
  }
  for (const [position, trial] of earlier.entries()) {
    const row = earlierRow(trial, position);
    insert('earlier_trials', { ...row, checksum: earlierSum(row) });
  }
}

/** The columns of the schemas before 4: what each has that the one before had not. */
const OLD_COLUMNS: Readonly<Record<string, readonly (readonly [since: number, names: string])[]>> = {
  study: [
    [1, 'name created_at settings revision strategy_state search_seconds writer'],
    [2, 'worker_seconds'],
  ],
  trials: [
    [
      1,
      'purpose trial repeats repeat_index state architecture fidelity start origin metrics costs seconds started_at ended_at checkpoint attempts fence reason',
    ],
  ],
  reports: [
    [1, 'purpose trial step metrics seconds'],
    [2, 'spent'],
  ],
  earlier_trials: [[3, 'position study trial architecture metrics costs seconds']],
};

/** Schema 4 has moved columns to tables of their own, and added checksums. */
const COLUMNS_OF_4: Readonly<Record<string, string>> = {
  study: 'name created_at settings earlier checksum writer',
  strategy: 'revision state checksum',
  progress: 'search_trials confirm_trials search_seconds worker_seconds checksum',
  trials: `${OLD_COLUMNS.trials?.[0]?.[1]} checksum`,
  reports: 'purpose trial step metrics seconds spent',
  earlier_trials: 'position study trial architecture metrics costs seconds checksum',
};

function oldColumns(version: number): ReadonlyMap<string, ReadonlySet<string>> {
  if (version === 4)
    return new Map(Object.entries(COLUMNS_OF_4).map(([table, names]) => [table, new Set(names.split(' '))]));
  const tables = Object.entries(OLD_COLUMNS).map(([table, parts]) => {
    const names = parts.flatMap(([since, names]) => (since <= version ? names.split(' ') : []));
    return [table, new Set(names)] as const;
  });
  return new Map(tables.filter(([, names]) => names.size > 0));
}

/**
 * Throws UserError where the tables are not those that Netsmith makes: a view or a trigger in their place would run
 * whenever they are read or written.
 */
export function checkTables(database: DatabaseSync, version: number, place: string): void {
  const foreign = (found: string) => damaged(place, `${found} does not fit a study of schema ${version}`);
  const old = oldColumns(version);
  const tables = new Set(version === SCHEMA ? Object.keys(TABLES) : old.keys());
  const missing = new Set(tables);
  const found = database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_master').all();
  for (const { type, name, tbl_name: table, sql } of found) {
    const shown = `${String(type)} "${String(name)}"`;
    if (type === 'index') {
      // Only those that SQLite makes itself, for primary keys.
      if (sql !== null || !tables.has(String(table))) throw foreign(shown);
      continue;
    }
    if (type !== 'table' || !missing.delete(String(name))) throw foreign(shown);
    if (version === SCHEMA) {
      if (sql !== TABLES[name as keyof Tables]) throw foreign(shown);
      continue;
    }
    const columns = database.prepare(`SELECT name, hidden FROM pragma_table_xinfo(?)`).all(String(name));
    const names = columns.map((column) => (column.hidden === 0 ? String(column.name) : ''));
    const expected = old.get(String(name));
    if (names.length !== expected?.size || !names.every((one) => expected.has(one))) throw foreign(shown);
  }
  for (const table of missing) throw damaged(place, `table "${table}" is missing`);
}

/** What a study of an older schema holds. Its rows are checked as those of today are; those before schema 4 have no checksums. */
export function readOld(database: DatabaseSync, version: number, place: string): Contents {
  const rows = (table: string, order: string) => database.prepare(`SELECT * FROM ${table} ORDER BY ${order}`).all();
  const only = (table: string) => {
    const [row, ...more] = rows(table, 'rowid');
    if (row === undefined || more.length > 0) throw damaged(place, `table "${table}" does not have exactly one row`);
    return row;
  };
  const verified = <T extends object>(row: object, at: string, sum: (row: T) => string): T => {
    if (version >= 4 && Reflect.get(row, 'checksum') !== sum(row as T))
      throw damaged(at, 'has changed since it was written (its checksum differs)');
    return row as T;
  };
  const study = verified(only('study'), `${place}: the study's record`, studySum);
  const { earlier: _, ...record } = recordOf(version >= 4 ? study : { ...study, earlier: 0 }, place);
  const known = { search_trials: 0, confirm_trials: 0, supernet_trials: 0, evaluate_trials: 0, worker_seconds: 0 };
  const strategy = version >= 4 ? verified(only('strategy'), `${place}: the strategy's state`, strategySum) : study;
  const row = version >= 4 ? only('progress') : study;
  const progress = progressOf({ ...known, ...row }, place);
  if (version >= 4) verified({ ...progress, checksum: Reflect.get(row, 'checksum') }, place, progressSum);
  const state = 'state' in strategy ? strategy.state : Reflect.get(study, 'strategy_state');
  const points = rows('reports', 'step').map(
    ({ purpose, trial, step, metrics, seconds, spent = null, mixture = null }) => ({
      purpose,
      trial,
      step,
      metrics,
      seconds,
      spent,
      mixture,
    }),
  );
  const curves = Map.groupBy(points, (point) => `${point.purpose} ${point.trial}`);
  const trials = rows('trials', 'purpose DESC, trial').map((found): Trial => {
    const at = `${place}: ${found.purpose} trial ${found.trial}`;
    const curve = curves.get(`${found.purpose} ${found.trial}`) ?? [];
    const full = { artifacts: null, final: null, ...found };
    verified(full, at, (trial: TrialRow) => trialSum(trial, curve));
    return trialOf(
      full,
      curve.map((point): Report => reportOf(point, at)),
      at,
    );
  });
  return {
    ...record,
    strategy: strategyOf({ revision: Reflect.get(strategy, 'revision'), state }, place),
    clock: { searchSeconds: progress.search_seconds, workerSeconds: progress.worker_seconds },
    trials,
    earlier:
      version < 3
        ? []
        : rows('earlier_trials', 'position').map((found) => {
            const at = `${place}: earlier trial ${found.position}`;
            return earlierOf(verified(found, at, earlierSum), at);
          }),
  };
}

/** Brings a study of an older version up to date, all of it or nothing. */
export function upgrade(database: DatabaseSync, version: number, place: string): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const contents = readOld(database, version, place);
    for (const table of oldColumns(version).keys()) database.exec(`DROP TABLE ${table}`);
    fill(database, contents);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
