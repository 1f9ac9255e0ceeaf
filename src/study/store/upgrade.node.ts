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
import { TABLES, TABLES_4, type Tables } from './schema.ts';
import { type EarlierTrial, SCHEMA, type StrategyState, type Trial } from './store.ts';

/** Marks a file as a study of ours ("NSMT"); SQLite keeps it in the file's header. */
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
  const insert = inserter(database);
  const { name, createdAt, settings, strategy, clock, trials, earlier } = contents;
  const study = { name, created_at: createdAt, settings: JSON.stringify(settings), earlier: earlier.length };
  insert('study', { ...study, checksum: studySum(study), writer: null });
  const state = { revision: strategy.revision, state: JSON.stringify(strategy.state) };
  insert('strategy', { ...state, checksum: strategySum(state) });
  const progress = {
    search_trials: trials.filter(({ purpose }) => purpose === 'search').length,
    confirm_trials: trials.filter(({ purpose }) => purpose === 'confirm').length,
    supernet_trials: trials.filter(({ purpose }) => purpose === 'supernet').length,
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

function inserter(database: DatabaseSync) {
  return (table: keyof Tables, row: Readonly<Record<string, Column>>): void => {
    const names = Object.keys(row);
    const places = names.map(() => '?').join(', ');
    database.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`).run(...Object.values(row));
  };
}

/** What the rows of schema 4 lack. */
const SINCE_5: Partial<Record<keyof Tables, Readonly<Record<string, Column>>>> = {
  progress: { supernet_trials: 0 },
  reports: { mixture: null },
};

/** Makes tables of today from those of schema 4, row by row with their checksums: whoever reads them checks them. */
function fromFour(from: DatabaseSync, to: DatabaseSync, tables: readonly (keyof Tables)[]): void {
  const insert = inserter(to);
  for (const table of tables) {
    const rows = from.prepare(`SELECT * FROM ${table}`).all() as Record<string, Column>[];
    if (from === to) to.exec(`DROP TABLE ${table}`);
    to.exec(TABLES[table]);
    for (const row of rows) insert(table, { ...row, ...SINCE_5[table] });
  }
  to.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA}`);
}

/** A copy, with the tables of today, of a study of an older schema. */
export function copyUpgraded(database: DatabaseSync, copy: DatabaseSync, version: number, place: string): void {
  if (version === 4) fromFour(database, copy, Object.keys(TABLES) as (keyof Tables)[]);
  else fill(copy, readOld(database, version, place));
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

function oldColumns(version: number): ReadonlyMap<string, ReadonlySet<string>> {
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
  const texts = version === SCHEMA ? TABLES : version === 4 ? TABLES_4 : undefined;
  const tables = new Set(texts === undefined ? old.keys() : Object.keys(texts));
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
    if (texts !== undefined) {
      if (sql !== texts[name as keyof Tables]) throw foreign(shown);
      continue;
    }
    const columns = database.prepare(`SELECT name, hidden FROM pragma_table_xinfo(?)`).all(String(name));
    const names = columns.map((column) => (column.hidden === 0 ? String(column.name) : ''));
    const expected = old.get(String(name));
    if (names.length !== expected?.size || !names.every((one) => expected.has(one))) throw foreign(shown);
  }
  for (const table of missing) throw damaged(place, `table "${table}" is missing`);
}

/** What a study of schema 1, 2 or 3 holds. Its rows have no checksums; they are checked as those of today are. */
function readOld(database: DatabaseSync, version: number, place: string): Contents {
  const rows = (table: string, order: string) => database.prepare(`SELECT * FROM ${table} ORDER BY ${order}`).all();
  const [study, ...more] = rows('study', 'rowid');
  if (study === undefined || more.length > 0) throw damaged(place, 'it does not have exactly one study record');
  const { earlier: _, ...record } = recordOf({ ...study, earlier: 0 }, place);
  const { worker_seconds = 0, strategy_state: state, revision, search_seconds } = study;
  const progress = progressOf(
    { search_trials: 0, confirm_trials: 0, supernet_trials: 0, search_seconds, worker_seconds },
    place,
  );
  const curves = Map.groupBy(rows('reports', 'step'), ({ purpose, trial }) => `${purpose} ${trial}`);
  return {
    ...record,
    strategy: strategyOf({ revision, state }, place),
    clock: { searchSeconds: progress.search_seconds, workerSeconds: progress.worker_seconds },
    trials: rows('trials', 'purpose DESC, trial').map((row): Trial => {
      const at = `${place}: ${row.purpose} trial ${row.trial}`;
      const points = curves.get(`${row.purpose} ${row.trial}`) ?? [];
      return trialOf(
        row,
        points.map((point): Report => reportOf({ spent: null, mixture: null, ...point }, at)),
        at,
      );
    }),
    earlier:
      version < 3
        ? []
        : rows('earlier_trials', 'position').map((row) => earlierOf(row, `${place}: earlier trial ${row.position}`)),
  };
}

/** Brings a study of an older version up to date, all of it or nothing. */
export function upgrade(database: DatabaseSync, version: number, place: string): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    if (version === 4) fromFour(database, database, ['progress', 'reports']);
    else {
      const contents = readOld(database, version, place);
      for (const table of oldColumns(version).keys()) database.exec(`DROP TABLE ${table}`);
      fill(database, contents);
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
