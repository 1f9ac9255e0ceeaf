import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { earlierSum, progressSum, strategySum, studySum, trialSum } from '../../src/study/store/checksums.node.ts';

/** Changes the database of a closed study, with valid checksums. */
export function editStudy(dir: string, sql: string): void {
  const database = new DatabaseSync(join(dir, 'study.db'));
  database.exec(sql);
  for (const purpose of ['search', 'confirm', 'supernet', 'evaluate'])
    database
      .prepare(`UPDATE progress SET ${purpose}_trials = (SELECT count(*) FROM trials WHERE purpose = ?)`)
      .run(purpose);
  sign(database);
  database.close();
}

/** Recomputes all checksums, as an attacker would do. */
export function sign(database: DatabaseSync): void {
  // biome-ignore lint/suspicious/noExplicitAny: rows as they are, right or wrong
  const rows = (table: string): any[] => database.prepare(`SELECT rowid, * FROM ${table}`).all();
  const set = (table: string, rowid: number, sum: string) =>
    database.prepare(`UPDATE ${table} SET checksum = ? WHERE rowid = ?`).run(sum, rowid);
  for (const row of rows('study')) set('study', row.rowid, studySum(row));
  for (const row of rows('strategy')) set('strategy', row.rowid, strategySum(row));
  for (const row of rows('progress')) set('progress', row.rowid, progressSum(row));
  for (const row of rows('earlier_trials')) set('earlier_trials', row.rowid, earlierSum(row));
  const points = rows('reports').sort((a, b) => a.step - b.step);
  for (const row of rows('trials')) {
    const curve = points.filter(({ purpose, trial }) => purpose === row.purpose && trial === row.trial);
    set('trials', row.rowid, trialSum(row, curve));
  }
}
