import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Turns a closed study of schema 5 into one of an older schema, with the columns that those versions made. */
export function makeOlder(dir: string, schema: 1 | 2 | 3 | 4): void {
  const database = new DatabaseSync(join(dir, 'study.db'));
  if (schema === 4) {
    // Its checksums are those of schema 5 where the columns that are dropped hold nothing.
    database.exec(`
      ALTER TABLE progress DROP COLUMN supernet_trials; ALTER TABLE progress DROP COLUMN evaluate_trials;
      ALTER TABLE trials DROP COLUMN artifacts; ALTER TABLE trials DROP COLUMN final;
      ALTER TABLE reports DROP COLUMN mixture;
      PRAGMA user_version = 4`);
    database.close();
    return;
  }
  const since = (version: number, text: string) => (schema >= version ? text : '');
  database.exec(`
    ALTER TABLE study RENAME TO new_study;
    ALTER TABLE trials RENAME TO new_trials;
    ALTER TABLE reports RENAME TO new_reports;
    ALTER TABLE earlier_trials RENAME TO new_earlier;
    CREATE TABLE "study" ("name" text not null, "created_at" integer not null, "settings" text not null, "revision" integer not null, "strategy_state" text not null, "search_seconds" real not null, ${since(2, '"worker_seconds" real not null, ')}"writer" integer);
    CREATE TABLE "trials" ("purpose" text not null, "trial" integer not null, "repeats" integer, "repeat_index" integer, "state" text not null, "architecture" text not null, "fidelity" integer not null, "start" text not null, "origin" text not null, "metrics" text not null, "costs" text not null, "seconds" real not null, "started_at" integer, "ended_at" integer, "checkpoint" text, "attempts" integer not null, "fence" integer not null, "reason" text, constraint "trials_key" primary key ("purpose", "trial"));
    CREATE TABLE "reports" ("purpose" text not null, "trial" integer not null, "step" integer not null, "metrics" text not null, "seconds" real not null${since(2, ', "spent" text')}, constraint "reports_key" primary key ("purpose", "trial", "step"));
    INSERT INTO study SELECT name, created_at, settings, revision, state, search_seconds, ${since(2, 'worker_seconds, ')}writer FROM new_study, strategy, progress;
    INSERT INTO trials SELECT purpose, trial, repeats, repeat_index, state, architecture, fidelity, start, origin, metrics, costs, seconds, started_at, ended_at, checkpoint, attempts, fence, reason FROM new_trials;
    INSERT INTO reports SELECT purpose, trial, step, metrics, seconds${since(2, ', spent')} FROM new_reports;
    ${since(
      3,
      `CREATE TABLE earlier_trials (position integer PRIMARY KEY, study text NOT NULL, trial integer NOT NULL, architecture text NOT NULL, metrics text NOT NULL, costs text NOT NULL, seconds real NOT NULL);
    INSERT INTO earlier_trials SELECT position, study, trial, architecture, metrics, costs, seconds FROM new_earlier;`,
    )}
    DROP TABLE new_study; DROP TABLE new_trials; DROP TABLE new_reports; DROP TABLE new_earlier; DROP TABLE strategy; DROP TABLE progress;
    PRAGMA user_version = ${schema}`);
  database.close();
}
