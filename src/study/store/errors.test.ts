import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { invalid } from '../../common/errors.ts';
import { createStudyStore } from '../study.node.ts';
import { translated } from './errors.ts';
import { sqliteStore } from './sqlite.node.ts';
import { newTrial } from './transitions.ts';

const root = mkdtempSync(join(tmpdir(), 'netsmith-errors-'));
after(() => rmSync(root, { recursive: true }));

/** As node:sqlite and node:fs throw them. */
const sqlite = (errcode: number, message = 'as SQLite says') =>
  Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode });
const system = (code: string) => Object.assign(new Error(`${code}: as the system says`), { code });

test('damage is a UserError; a failure of the machine stops the study; the rest is a bug', () => {
  const nameOf = (error: Error) => {
    const known = translated(error, 'study.db');
    assert.ok(known instanceof Error);
    if (known !== error) assert.match(known.message, /^study\.db: /);
    return known === error ? 'the same' : known.name;
  };
  // Extended codes have the primary one in their lowest byte.
  for (const errcode of [11, 267, 26]) assert.equal(nameOf(sqlite(errcode)), 'UserError');
  for (const errcode of [11, 18, 24, 26, 13, 5])
    assert.doesNotMatch(String(translated(sqlite(errcode), 'study.db')), /as SQLite says/);
  assert.equal(nameOf(sqlite(1, 'malformed database schema (trials)')), 'UserError');
  assert.equal(nameOf(system('ERR_OUT_OF_RANGE')), 'UserError');
  for (const errcode of [13, 10, 778, 8, 1032, 14, 5]) assert.equal(nameOf(sqlite(errcode)), 'StudyStopped');
  for (const code of ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS']) assert.equal(nameOf(system(code)), 'StudyStopped');
  for (const error of [sqlite(19), sqlite(1), system('EEXIST'), invalid('a', 'b', 'c'), new Error('ours')])
    assert.equal(nameOf(error), 'the same');
});

test('a disk that is full in the middle of a transaction is what is said, and nothing of it is kept', async () => {
  const dir = join(root, 'full');
  await (await createStudyStore(dir, { name: 'full', settings: {}, state: null })).close();
  const database = new DatabaseSync(join(dir, 'study.db'));
  const store = sqliteStore(database, dir);
  const [pages] = database.prepare('PRAGMA page_count').all();
  database.exec(`PRAGMA max_page_count = ${pages?.page_count}`);
  const trials = [0, 1].map((trial) =>
    newTrial({ purpose: 'search', trial, architecture: { k: 'x'.repeat(50_000) }, fidelity: 0 }),
  );
  await assert.rejects(store.propose(trials), {
    name: 'StudyStopped',
    message: /study\.db: no space is left on the disk/,
  });
  database.exec('PRAGMA max_page_count = 100000');
  assert.deepEqual(await store.trials(), []);
  await store.propose(trials);
  assert.equal((await store.trials()).length, 2);
  await store.close();
});
