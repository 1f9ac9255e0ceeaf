import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Kysely, type SqliteDatabase, SqliteDialect, type Transaction } from 'kysely';
import { parseJson } from '../../common/json.ts';
import { fileArtifacts, removeFiles, sweepFiles } from './artifacts.node.ts';
import { earlierSum, progressSum, strategySum, studySum, trialSum, type Unsigned } from './checksums.node.ts';
import { damaged, guarded } from './errors.ts';
import { removeTrialFiles, writeMissingTrialFiles, writeTrialFiles } from './files.node.ts';
import { earlierOf, progressOf, recordOf, reportOf, reportRow, strategyOf, trialOf, trialRow } from './rows.ts';
import type { ProgressRow, ReportRow, Tables, TrialRow } from './schema.ts';
import { PURPOSES, SCHEMA, type Store, type StrategyState, type Trial, type TrialKey } from './store.ts';
import {
  begun,
  checkRevision,
  compareKeys,
  finished,
  forgotten,
  nameOf,
  released,
  reported,
  retried,
} from './transitions.ts';

type Db = Kysely<Tables> | Transaction<Tables>;

export interface SqliteStoreOptions {
  /** Called before each write: throws where it would go to a file that is no longer the study's. */
  readonly checkPlace?: () => void;
}

/** A study in the folder `study`, over an open database with our tables (see `../study.node.ts`, which checks them). */
export function sqliteStore(
  database: DatabaseSync,
  study: string,
  { checkPlace = () => {} }: SqliteStoreOptions = {},
): Store {
  const kysely = kyselyOver(database, study);
  const read = reader(study);
  const artifactFolder = join(study, 'artefacts');
  const transaction = <T>(body: (db: Db) => Promise<T>): Promise<T> => kysely.transaction().execute(body);
  const write = <T>(body: (db: Db) => Promise<T>): Promise<T> =>
    transaction((db) => {
      checkPlace();
      return body(db);
    });
  /** Reads a trial, applies a transition, writes it back. */
  const change = (key: TrialKey, transition: (trial: Trial) => Trial, next?: StrategyState): Promise<Trial> =>
    write(async (db) => {
      const trial = transition(await read.requireTrial(db, key));
      await saveTrial(db, trial);
      if (next) await read.advance(db, next);
      return trial;
    });

  const neededArtifacts = async (): Promise<ReadonlySet<string>> => {
    checkPlace();
    const rows = await kysely
      .selectFrom('trials')
      .select(['checkpoint', 'artifacts'])
      .where((is) => is.or([is('checkpoint', 'is not', null), is('artifacts', 'is not', null)]))
      .execute();
    return new Set(
      rows.flatMap(({ checkpoint, artifacts }) => [checkpoint ?? [], artifactNames(artifacts, placeOf(study))].flat()),
    );
  };

  /** As it is in the database; undefined: not read yet. No other process writes while this store does. */
  let progress: Unsigned<ProgressRow> | undefined;
  const advanceProgress = async (
    body: (db: Db, now: Unsigned<ProgressRow>) => Promise<Unsigned<ProgressRow>>,
  ): Promise<void> => {
    try {
      await write(async (db) => {
        const next = await body(db, progress ?? (await read.progress(db)));
        await db
          .updateTable('progress')
          .set({ ...next, checksum: progressSum(next) })
          .execute();
        progress = next;
      });
    } catch (error) {
      progress = undefined;
      throw error;
    }
  };

  return {
    artifacts: fileArtifacts(artifactFolder),
    async study() {
      const { name, createdAt, settings } = await read.record(kysely);
      return { schema: SCHEMA, name, createdAt, settings };
    },
    revise: (settings) =>
      write(async (db) => {
        const { name, createdAt, earlier } = await read.record(db);
        const row = { name, created_at: createdAt, settings: JSON.stringify(settings), earlier };
        await db
          .updateTable('study')
          .set({ ...row, checksum: studySum(row) })
          .execute();
      }),
    strategyState: () => read.strategyState(kysely),
    trials: (purpose) => transaction((db) => read.trials(db, purpose)),
    trial: (key) => transaction((db) => read.trial(db, key)),
    earlier: () => transaction((db) => read.earlier(db)),
    propose: (trials, next) =>
      advanceProgress(async (db, now) => {
        const counts = { ...now };
        for (const trial of trials) {
          if (await read.trial(db, trial)) throw new Error(`${nameOf(trial)} exists already`);
          await db.insertInto('trials').values(signed(trial)).execute();
          counts[`${trial.purpose}_trials`]++;
        }
        if (next) await read.advance(db, next);
        return counts;
      }),
    begin: (key, costs) => change(key, (trial) => begun(trial, Date.now(), costs)),
    report: (key, fence, report, checkpoint) =>
      write(async (db) => {
        const trial = reported(await read.requireTrial(db, key), fence, report, checkpoint);
        await saveTrial(db, trial);
        await reportsOf(db, key).where('step', '>=', report.step).execute();
        const point = trial.curve.at(-1);
        if (point) await db.insertInto('reports').values(reportRow(key, point)).execute();
        return trial;
      }),
    async finish(key, fence, end, next) {
      const trial = await change(key, (running) => finished(running, fence, end, Date.now()), next);
      writeTrialFiles(study, trial);
      return trial;
    },
    release: (key) => change(key, released),
    async clock() {
      const { search_seconds, worker_seconds } = await read.progress(kysely);
      return { searchSeconds: search_seconds, workerSeconds: worker_seconds };
    },
    recordClock: ({ searchSeconds, workerSeconds }) =>
      advanceProgress(async (_, now) => ({ ...now, search_seconds: searchSeconds, worker_seconds: workerSeconds })),
    forget: (keys) =>
      write(async (db) => {
        const trials: Trial[] = [];
        for (const key of keys) trials.push(forgotten(await read.requireTrial(db, key)));
        for (const trial of trials) await saveTrial(db, trial);
        return trials;
      }),
    async retry(keys) {
      const retriedTrials = await write(async (db) => {
        const trials: Trial[] = [];
        for (const key of keys) trials.push(retried(await read.requireTrial(db, key)));
        for (const trial of trials) {
          await saveTrial(db, trial);
          await reportsOf(db, trial).execute();
        }
        return trials;
      });
      for (const trial of retriedTrials) removeTrialFiles(study, trial);
      return retriedTrials;
    },
    async discard(hashes) {
      if (hashes.length === 0) return;
      const needed = await neededArtifacts();
      removeFiles(
        artifactFolder,
        hashes.filter((hash) => !needed.has(hash)),
      );
    },
    sweep: async () => sweepFiles(artifactFolder, await neededArtifacts()),
    async close() {
      await kysely.destroy();
      if (database.isOpen) database.close();
    },
  };
}

/** What a writer puts right when it opens a study: its process id for those it keeps out, and copies never written. */
export async function settleIn(database: DatabaseSync, study: string): Promise<void> {
  const trials = await reader(study).trials(kyselyOver(database, study));
  guarded(placeOf(study), () => database.prepare('UPDATE study SET writer = ?').run(process.pid));
  writeMissingTrialFiles(study, trials);
}

const placeOf = (study: string) => `study "${study}": study.db`;

/** Kysely's own SQLite dialect, over Node's database. It closes the database only when asked to. */
function kyselyOver(database: DatabaseSync, study: string): Kysely<Tables> {
  const place = placeOf(study);
  /** Statements are few and come again and again. */
  const prepared = new Map<string, StatementSync>();
  const prepare = (text: string): StatementSync => {
    const known = prepared.get(text);
    if (known !== undefined) return known;
    const statement = guarded(place, () => database.prepare(text));
    prepared.set(text, statement);
    return statement;
  };
  const adapter: SqliteDatabase = {
    close: () => database.close(),
    prepare(sql) {
      // After some errors (a full disk) SQLite has already rolled back; rolling back again would hide the cause.
      if (sql === 'rollback' && !database.isTransaction) return NOTHING;
      const statement = prepare(sql);
      const values = (parameters: readonly unknown[]) => parameters as (string | number | null)[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => guarded(place, () => statement.all(...values(parameters))),
        run: (parameters) => guarded(place, () => statement.run(...values(parameters))),
        iterate: (parameters) => guarded(place, () => statement.iterate(...values(parameters))),
      };
    },
  };
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database: adapter }) });
}

const NOTHING: ReturnType<SqliteDatabase['prepare']> = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [][Symbol.iterator](),
};

/** Reads rows, and lets none through that is not what was written: every row against its checksum and its types. */
function reader(study: string) {
  const place = placeOf(study);
  const verify = (at: string, row: { readonly checksum: string }, sum: string) => {
    if (row.checksum !== sum) throw damaged(at, 'has changed since it was written (its checksum differs)');
  };
  const only = <T>(table: string, rows: readonly T[]): T => {
    const [row] = rows;
    if (row === undefined || rows.length > 1) throw damaged(place, `table "${table}" has ${rows.length} rows`);
    return row;
  };
  const readRow = (row: TrialRow, points: readonly ReportRow[]): Trial => {
    const at = `study "${study}": ${nameOf(row)} in study.db`;
    verify(at, row, trialSum(row, points));
    return trialOf(
      row,
      points.map((point) => reportOf(point, at)),
      at,
    );
  };

  const found = {
    async record(db: Db) {
      const row = only('study', await db.selectFrom('study').selectAll().execute());
      verify(`${place}: the study's record`, row, studySum(row));
      return recordOf(row, `${place}: the study's record`);
    },
    async strategyState(db: Db): Promise<StrategyState> {
      const row = only('strategy', await db.selectFrom('strategy').selectAll().execute());
      verify(`${place}: the strategy's state`, row, strategySum(row));
      return strategyOf(row, `${place}: the strategy's state`);
    },
    async progress(db: Db): Promise<Unsigned<ProgressRow>> {
      const row = only('progress', await db.selectFrom('progress').selectAll().execute());
      verify(`${place}: the study's progress`, row, progressSum(row));
      return progressOf(row, `${place}: the study's progress`);
    },
    async trials(db: Db, purpose?: Trial['purpose']): Promise<readonly Trial[]> {
      const progress = await found.progress(db);
      const rows = await db
        .selectFrom('trials')
        .selectAll()
        .$if(purpose !== undefined, (query) => query.where('purpose', '=', purpose ?? 'search'))
        .execute();
      const points = await db.selectFrom('reports').selectAll().orderBy('step').execute();
      const curves = Map.groupBy(points, ({ purpose, trial }) => `${purpose} ${trial}`);
      const trials = rows.map((row) => readRow(row, curves.get(`${row.purpose} ${row.trial}`) ?? [])).sort(compareKeys);
      let first = 0;
      for (const one of PURPOSES) {
        if (purpose !== undefined && purpose !== one) continue;
        const { length } = trials.filter((trial) => trial.purpose === one);
        const wanted = progress[`${one}_trials`];
        if (length !== wanted) throw damaged(place, `it has only ${length} of ${wanted} ${one} trials`);
        for (let i = 0; i < length; i++)
          if (trials[first + i]?.trial !== i) throw damaged(place, `${nameOf({ purpose: one, trial: i })} is missing`);
        first += length;
      }
      return trials;
    },
    async trial(db: Db, { purpose, trial }: TrialKey): Promise<Trial | undefined> {
      const mine = db.selectFrom('trials').selectAll().where('purpose', '=', purpose).where('trial', '=', trial);
      const row = await mine.executeTakeFirst();
      if (!row) return undefined;
      const points = await db
        .selectFrom('reports')
        .selectAll()
        .where('purpose', '=', purpose)
        .where('trial', '=', trial)
        .orderBy('step')
        .execute();
      return readRow(row, points);
    },
    async requireTrial(db: Db, key: TrialKey): Promise<Trial> {
      const trial = await found.trial(db, key);
      if (!trial) throw damaged(place, `there is no ${nameOf(key)}`);
      return trial;
    },
    async earlier(db: Db) {
      const { earlier: wanted } = await found.record(db);
      const rows = await db.selectFrom('earlier_trials').selectAll().orderBy('position').execute();
      if (rows.length !== wanted)
        throw damaged(place, `it has only ${rows.length} of ${wanted} trials of earlier studies`);
      return rows.map((row) => {
        const at = `${place}: trial ${row.trial} of earlier study "${row.study}"`;
        verify(at, row, earlierSum(row));
        return earlierOf(row, at);
      });
    },
    async advance(db: Db, next: StrategyState): Promise<void> {
      const { revision } = await db.selectFrom('strategy').select('revision').executeTakeFirstOrThrow();
      checkRevision(revision, next);
      const row = { revision: next.revision, state: JSON.stringify(next.state) };
      await db
        .updateTable('strategy')
        .set({ ...row, checksum: strategySum(row) })
        .execute();
    },
  };
  return found;
}

/** The hashes in the column of a trial's row. Throws UserError where it is damaged. */
function artifactNames(text: string | null, place: string): readonly string[] {
  return text === null ? [] : Object.values(parseJson(text, `${place}: artifacts`) ?? {}).map(String);
}

function signed(trial: Trial): TrialRow {
  const row = trialRow(trial);
  const curve = trial.curve.map((report) => reportRow(trial, report));
  return { ...row, checksum: trialSum(row, curve) };
}

/** Everything but the curve, of which only `report` writes. */
async function saveTrial(db: Db, trial: Trial): Promise<void> {
  await db
    .updateTable('trials')
    .set(signed(trial))
    .where('purpose', '=', trial.purpose)
    .where('trial', '=', trial.trial)
    .execute();
}

function reportsOf(db: Db, { purpose, trial }: TrialKey) {
  return db.deleteFrom('reports').where('purpose', '=', purpose).where('trial', '=', trial);
}
