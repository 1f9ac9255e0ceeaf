import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely, type SqliteDatabase, SqliteDialect, type Transaction } from 'kysely';
import type { Json } from '../../common/json.ts';
import { fileArtefacts, removeFiles, sweepFiles } from './artefacts.node.ts';
import { removeTrialFiles, writeMissingTrialFiles, writeTrialFiles } from './files.node.ts';
import { earlierOf, earlierRow, reportOf, reportRow, trialOf, trialRow } from './rows.ts';
import { createTables, EARLIER_TRIALS, type Tables } from './schema.ts';
import { type NewStudy, SCHEMA, type Store, type StrategyState, type Trial, type TrialKey } from './store.ts';
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

/** Marks a file as a study of ours ("NSMT"); SQLite keeps it in the file's header. */
export const APPLICATION_ID = 0x4e534d54;

/** Fills an empty database with the tables and the study's record, in one transaction. */
export async function initialise(database: DatabaseSync, study: NewStudy, now: number): Promise<void> {
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  database.exec(`PRAGMA user_version = ${SCHEMA}`);
  await kyselyOver(database)
    .transaction()
    .execute(async (db) => {
      await createTables(db);
      await db
        .insertInto('study')
        .values({
          name: study.name,
          created_at: now,
          settings: JSON.stringify(study.settings),
          revision: 0,
          strategy_state: JSON.stringify(study.state),
          search_seconds: 0,
          worker_seconds: 0,
          writer: null,
        })
        .execute();
      for (const [position, trial] of (study.earlier ?? []).entries())
        await db.insertInto('earlier_trials').values(earlierRow(trial, position)).execute();
    });
}

/** A study in the folder `study`, over an open database with our tables (see `../study.node.ts`, which checks them). */
export function sqliteStore(database: DatabaseSync, study: string): Store {
  const kysely = kyselyOver(database);
  const artefactFolder = join(study, 'artefacts');
  const transaction = <T>(body: (db: Db) => Promise<T>): Promise<T> => kysely.transaction().execute(body);
  /** Reads a trial, applies a transition, writes it back. */
  const change = (key: TrialKey, transition: (trial: Trial) => Trial, next?: StrategyState): Promise<Trial> =>
    transaction(async (db) => {
      const trial = transition(await requireTrial(db, key));
      await saveTrial(db, trial);
      if (next) await advance(db, next);
      return trial;
    });

  const neededArtefacts = async (): Promise<ReadonlySet<string>> => {
    const rows = await kysely.selectFrom('trials').select('checkpoint').where('checkpoint', 'is not', null).execute();
    return new Set(rows.flatMap(({ checkpoint }) => checkpoint ?? []));
  };

  return {
    artefacts: fileArtefacts(artefactFolder),
    async study() {
      const row = await kysely.selectFrom('study').selectAll().executeTakeFirstOrThrow();
      const settings = JSON.parse(row.settings) as Json;
      return { schema: SCHEMA, name: row.name, createdAt: row.created_at, settings };
    },
    async revise(settings) {
      await kysely
        .updateTable('study')
        .set({ settings: JSON.stringify(settings) })
        .execute();
    },
    async strategyState() {
      const row = await kysely.selectFrom('study').select(['revision', 'strategy_state']).executeTakeFirstOrThrow();
      return { revision: row.revision, state: JSON.parse(row.strategy_state) as Json };
    },
    trials: (purpose) => transaction((db) => readTrials(db, purpose)),
    trial: (key) => transaction((db) => readTrial(db, key)),
    async earlier() {
      const isThere = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'earlier_trials'").get() !== undefined;
      if (!isThere) return [];
      return (await kysely.selectFrom('earlier_trials').selectAll().orderBy('position').execute()).map(earlierOf);
    },
    propose: (trials, next) =>
      transaction(async (db) => {
        for (const trial of trials) {
          if (await readTrial(db, trial)) throw new Error(`${nameOf(trial)} exists already`);
          await db.insertInto('trials').values(trialRow(trial)).execute();
        }
        if (next) await advance(db, next);
      }),
    begin: (key) => change(key, (trial) => begun(trial, Date.now())),
    report: (key, fence, report, checkpoint) =>
      transaction(async (db) => {
        const trial = reported(await requireTrial(db, key), fence, report, checkpoint);
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
      const row = await kysely.selectFrom('study').selectAll().executeTakeFirstOrThrow();
      return { searchSeconds: row.search_seconds, workerSeconds: row.worker_seconds ?? 0 };
    },
    async recordClock({ searchSeconds, workerSeconds }) {
      await kysely.updateTable('study').set({ search_seconds: searchSeconds, worker_seconds: workerSeconds }).execute();
    },
    forget: (keys) =>
      transaction(async (db) => {
        const trials: Trial[] = [];
        for (const key of keys) trials.push(forgotten(await requireTrial(db, key)));
        for (const trial of trials) await saveTrial(db, trial);
        return trials;
      }),
    async retry(keys) {
      const retriedTrials = await transaction(async (db) => {
        const trials: Trial[] = [];
        for (const key of keys) trials.push(retried(await requireTrial(db, key)));
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
      const needed = await neededArtefacts();
      removeFiles(
        artefactFolder,
        hashes.filter((hash) => !needed.has(hash)),
      );
    },
    sweep: async () => sweepFiles(artefactFolder, await neededArtefacts()),
    async close() {
      await kysely.destroy();
      if (database.isOpen) database.close();
    },
  };
}

/** What each schema has that the one before had not. */
const ADDED: Readonly<Record<number, readonly string[]>> = {
  2: [
    'ALTER TABLE study ADD COLUMN worker_seconds real NOT NULL DEFAULT 0',
    'ALTER TABLE reports ADD COLUMN spent text',
  ],
  3: [EARLIER_TRIALS],
};

/** Brings a study of an older version up to date, all of it or nothing. */
function upgrade(database: DatabaseSync): void {
  const { user_version: found } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  const steps = Array.from({ length: SCHEMA - found }, (_, i) => ADDED[found + 1 + i] ?? []).flat();
  if (steps.length === 0) return;
  database.exec(['BEGIN', ...steps, `PRAGMA user_version = ${SCHEMA}`, 'COMMIT'].join('; '));
}

/**
 * What a writer puts right when it opens a study: an older schema, its process id for those it keeps out, and copies
 * never written.
 */
export async function settleIn(database: DatabaseSync, study: string): Promise<void> {
  upgrade(database);
  database.prepare('UPDATE study SET writer = ?').run(process.pid);
  writeMissingTrialFiles(study, await readTrials(kyselyOver(database)));
}

/** Kysely's own SQLite dialect, over Node's database. It never closes the database unless told to. */
function kyselyOver(database: DatabaseSync): Kysely<Tables> {
  const adapter: SqliteDatabase = {
    close: () => database.close(),
    prepare(sql) {
      // After an error such as a full disk SQLite has rolled back by itself; Kysely's own attempt would hide the error.
      const isDone = sql === 'rollback' && !database.isTransaction;
      const statement = database.prepare(isDone ? 'SELECT 1' : sql);
      const values = (parameters: readonly unknown[]) => parameters as (string | number | null)[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)),
        run: (parameters) => statement.run(...values(parameters)),
        iterate: (parameters) => statement.iterate(...values(parameters)),
      };
    },
  };
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database: adapter }) });
}

async function readTrials(db: Db, purpose?: Trial['purpose']): Promise<readonly Trial[]> {
  const rows = await db
    .selectFrom('trials')
    .selectAll()
    .$if(purpose !== undefined, (query) => query.where('purpose', '=', purpose ?? 'search'))
    .execute();
  const points = await db.selectFrom('reports').selectAll().orderBy('step').execute();
  const curves = Map.groupBy(points, ({ purpose, trial }) => `${purpose} ${trial}`);
  return rows
    .map((row) => trialOf(row, (curves.get(`${row.purpose} ${row.trial}`) ?? []).map(reportOf)))
    .sort(compareKeys);
}

async function readTrial(db: Db, { purpose, trial }: TrialKey): Promise<Trial | undefined> {
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
  return trialOf(row, points.map(reportOf));
}

async function requireTrial(db: Db, key: TrialKey): Promise<Trial> {
  const trial = await readTrial(db, key);
  if (!trial) throw new Error(`there is no ${nameOf(key)}`);
  return trial;
}

/** Everything but the curve, of which only `report` writes. */
async function saveTrial(db: Db, trial: Trial): Promise<void> {
  await db
    .updateTable('trials')
    .set(trialRow(trial))
    .where('purpose', '=', trial.purpose)
    .where('trial', '=', trial.trial)
    .execute();
}

function reportsOf(db: Db, { purpose, trial }: TrialKey) {
  return db.deleteFrom('reports').where('purpose', '=', purpose).where('trial', '=', trial);
}

async function advance(db: Db, next: StrategyState): Promise<void> {
  const { revision } = await db.selectFrom('study').select('revision').executeTakeFirstOrThrow();
  checkRevision(revision, next);
  await db
    .updateTable('study')
    .set({ revision: next.revision, strategy_state: JSON.stringify(next.state) })
    .execute();
}
