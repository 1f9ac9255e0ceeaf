import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readEvaluation } from '../../src/app/evaluation/evaluation.ts';
import { type Rng, rng } from '../../src/common/random.ts';
import { openStudyStore } from '../../src/study/study.node.ts';
import { sign } from './edit.ts';
import { netsmith } from './netsmith.ts';

/** Damage to a study that is not running, in place. Returns what was done; what could not be done is left out. */
type Kind = (dir: string, random: Rng) => string | undefined;

/**
 * Damages the closed study in `dir`, and says how: the same seed and the same study give the same damage. What
 * begins with `signed` has its checksums recomputed, as an attacker would do: its values may differ. Of
 * everything else, a reader must find what was written, or refuse.
 */
export function damage(dir: string, seed: number): string {
  for (let attempt = 0; ; attempt++) {
    const random = rng('damage', seed, attempt);
    const [name, kind] = random.pick(Object.entries(KINDS));
    const done = kind(dir, random);
    if (done !== undefined) return `${name}: ${done}`;
  }
}

/**
 * Everything that the commands read of a study, and its evaluation, as text without the folder's name; `refused: ` with
 * the message where one of them refuses. Throws AssertionError where one ends in any other way.
 */
export async function readingOf(dir: string): Promise<string> {
  const read: string[] = [];
  for (const [name = '', ...rest] of [['status'], ['trials', '--all'], ['best'], ['show']]) {
    const { code, out, err } = await netsmith(name, dir, ...rest, '--json');
    assert.doesNotMatch(err, /\n\s+at /, `${name}: a stack`);
    if (code !== 0) {
      assert.equal(code, 2, `${name}: ${err}`);
      return `refused: ${err}`;
    }
    read.push(out);
  }
  try {
    read.push(JSON.stringify(readEvaluation(dir) ?? 'no evaluation'));
  } catch (error) {
    assert.ok(error instanceof Error && error.name === 'UserError', String(error));
    return `refused: ${error.message}`;
  }
  return read.join('\n').replaceAll(dir, 'DIR');
}

/** Opens a damaged study for writing and closes it. Throws where that ends otherwise than well or with a UserError. */
export async function settle(dir: string): Promise<void> {
  try {
    await (await openStudyStore(dir, 'write')).close();
  } catch (error) {
    assert.ok(error instanceof Error && error.name === 'UserError', error instanceof Error ? error.stack : 'no error');
  }
}

const KINDS: Readonly<Record<string, Kind>> = {
  'flipped bit': (dir, random) =>
    change(dir, random, (bytes) => {
      const at = random.int(bytes.length);
      const bit = random.int(8);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      return `bit ${bit} of byte ${at}`;
    }),
  'flipped bit of the database': (dir, random) =>
    inFile(join(dir, 'study.db'), (bytes) => {
      const at = random.int(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8));
      return `byte ${at}`;
    }),
  'other bytes': (dir, random) =>
    change(dir, random, (bytes) => {
      const at = random.int(bytes.length);
      const length = 1 + random.int(Math.min(600, bytes.length - at));
      for (let i = 0; i < length; i++) bytes[at + i] = random.int(256);
      return `${length} from byte ${at}`;
    }),
  zeros: (dir, random) =>
    change(dir, random, (bytes) => {
      const at = random.int(bytes.length);
      const end = Math.min(bytes.length, at + 1 + random.int(5000));
      bytes.fill(0, at, end);
      return `from byte ${at} to ${end}`;
    }),
  truncation: (dir, random) => {
    const path = pickFile(dir, random);
    const { size } = lstatSync(path);
    const left = random.int(size + 1);
    truncateSync(path, left);
    return `${path} after ${left} of ${size} bytes`;
  },
  'bytes after the end': (dir, random) => {
    const path = pickFile(dir, random);
    const length = 1 + random.int(5000);
    appendFileSync(
      path,
      Uint8Array.from({ length }, () => random.int(256)),
    );
    return `${length} in ${path}`;
  },
  'file gone': (dir, random) => {
    const path = pickFile(dir, random);
    rmSync(path);
    return path;
  },
  'something else in its place': (dir, random) => {
    const path = pickFile(dir, random);
    const what = random.pick(['folder', 'link', 'pipe', 'empty file'] as const);
    rmSync(path);
    if (what === 'folder') mkdirSync(path);
    else if (what === 'link') symlinkSync(join(dir, '..', 'victim'), path);
    else if (what === 'pipe') execFileSync('mkfifo', [path]);
    else writeFileSync(path, '');
    return `${what} as ${path}`;
  },
  'link in place of a folder': (dir, random) => {
    const name = random.pick(['trials', 'artefacts', 'best']);
    rmSync(join(dir, name), { recursive: true, force: true });
    symlinkSync(join(dir, '..', 'victim'), join(dir, name));
    return name;
  },
  'edited JSON file': (dir, random) => {
    const files = filesIn(dir).filter((path) => path.endsWith('.json'));
    if (files.length === 0) return undefined;
    const path = random.pick(files);
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const edit = editJson(value, random);
    writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
    return `${edit} of ${path}`;
  },
  'edited row': (dir, random) => editRow(dir, random, false),
  'signed edited row': (dir, random) => editRow(dir, random, true),
  'row gone': (dir, random) =>
    inDatabase(dir, (database) => {
      const table = random.pick(TABLES);
      const { changes } = database
        .prepare(`DELETE FROM ${table} WHERE rowid = (SELECT rowid FROM ${table} ORDER BY rowid LIMIT 1 OFFSET ?)`)
        .run(random.int(4));
      return Number(changes) === 0 ? undefined : `from ${table}`;
    }),
  'row twice': (dir, random) =>
    inDatabase(dir, (database) => {
      const table = random.pick(['study', 'strategy', 'progress']);
      database.exec(`INSERT INTO ${table} SELECT * FROM ${table}`);
      return `in ${table}`;
    }),
  'foreign schema': (dir, random) =>
    inDatabase(dir, (database) => {
      const sql = random.pick([
        'CREATE TRIGGER t AFTER UPDATE ON progress BEGIN DELETE FROM trials; END',
        'CREATE VIEW v AS SELECT * FROM trials',
        'ALTER TABLE trials ADD COLUMN more TEXT',
        'ALTER TABLE trials RENAME TO trails',
        'PRAGMA user_version = 0',
        'PRAGMA user_version = 3',
        'PRAGMA user_version = 99',
        'PRAGMA application_id = 1',
        'DROP TABLE earlier_trials',
        'CREATE INDEX i ON trials (state)',
      ]);
      database.exec(sql);
      return sql;
    }),
};

const TABLES = ['study', 'strategy', 'progress', 'trials', 'reports', 'earlier_trials'] as const;

/** What no reader expects. */
const ODD: readonly (string | number | null)[] = [
  ...['', 'x', '../../victim', '/etc/passwd', '\u001b[2J\u202e', '{}', '[]', 'null', '1e999', '{"__proto__":{"a":1}}'],
  ...['{', `${'['.repeat(1000)}${']'.repeat(1000)}`, '{"constructor":0}', '"text"', 'complete', 'running'],
  ...[-1, 0, 1, 7, 0.5, 1e300, 2 ** 53, Number.POSITIVE_INFINITY, -0.25, 123456789],
  null,
];

function editRow(dir: string, random: Rng, signed: boolean): string | undefined {
  return inDatabase(dir, (database) => {
    const table = random.pick(TABLES);
    const rows = database.prepare(`SELECT rowid, * FROM ${table}`).all();
    if (rows.length === 0) return undefined;
    const row = random.pick(rows);
    const column = random.pick(Object.keys(row).filter((name) => !['rowid', 'checksum', 'writer'].includes(name)));
    const found = row[column];
    let value = random.pick(ODD);
    // JSON is edited inside as often as it is replaced.
    if (typeof found === 'string' && /^[[{]/.test(found) && random.int(3) > 0) {
      const json: unknown = JSON.parse(found);
      editJson(json, random);
      value = JSON.stringify(json);
    }
    if (value === found) return undefined;
    try {
      database.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`).run(value, row.rowid ?? 0);
    } catch {
      return undefined; // The strict table has refused it.
    }
    try {
      if (signed) sign(database);
    } catch (error) {
      // A number that JavaScript cannot hold cannot be signed either.
      assert.ok(error instanceof RangeError, String(error));
    }
    const shown = JSON.stringify(value) ?? '';
    return `${column} of ${table} is ${shown.length > 80 ? `${shown.slice(0, 80)}...` : shown}`;
  });
}

/** Replaces, removes or adds one thing somewhere inside. */
function editJson(value: unknown, random: Rng): string {
  if (value === null || typeof value !== 'object') return 'nothing';
  const keys = Object.keys(value);
  const inside = keys.filter((key) => {
    const child: unknown = Reflect.get(value, key);
    return child !== null && typeof child === 'object' && Object.keys(child).length > 0;
  });
  if (inside.length > 0 && random.int(4) > 0) {
    const key = random.pick(inside);
    return `${key}.${editJson(Reflect.get(value, key), random)}`;
  }
  const key = keys.length > 0 && random.int(5) > 0 ? random.pick(keys) : 'more';
  if (random.int(4) === 0) Reflect.deleteProperty(value, key);
  else Reflect.set(value, key, random.pick([...ODD, [], {}, true, 'x'.repeat(3000), 3, 64]));
  return key;
}

function inDatabase(dir: string, edit: (database: DatabaseSync) => string | undefined): string | undefined {
  const database = new DatabaseSync(join(dir, 'study.db'));
  try {
    return edit(database);
  } finally {
    database.close();
  }
}

function change(dir: string, random: Rng, edit: (bytes: Uint8Array) => string): string | undefined {
  return inFile(pickFile(dir, random), edit);
}

function inFile(path: string, edit: (bytes: Uint8Array) => string): string | undefined {
  const bytes = readFileSync(path);
  if (bytes.length === 0) return undefined;
  const edited = edit(bytes);
  writeFileSync(path, bytes);
  return `${edited} in ${path}`;
}

function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The database every other time: the study is there. */
function pickFile(dir: string, random: Rng): string {
  return random.int(2) === 0 ? join(dir, 'study.db') : random.pick(filesIn(dir));
}
