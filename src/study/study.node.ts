import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { invalid, messageOf, StudyStopped, UserError } from '../common/errors.ts';
import { printable } from '../common/text.ts';
import { DatabaseSync } from './store/database.node.ts';
import { damaged, guarded, translated } from './store/errors.ts';
import { checkWritable } from './store/files.node.ts';
import { takeLock } from './store/lock.node.ts';
import { type NewStudy, SCHEMA, type Store } from './store/store.ts';
import { APPLICATION_ID, checkTables, fill, readOld, upgrade } from './store/upgrade.node.ts';

/** What a study keeps in its folder; a new study wants none of them there. */
const CONTENTS = ['study.db', 'trials', 'artefacts'];

/** How long a reader or writer waits for another's short transaction. */
const PATIENCE_MS = 10_000;

/**
 * Throws UserError, and changes nothing, when a study cannot be created in `dir`: it is a study already (or holds files
 * of those names), or it cannot be written to.
 */
export function checkNewStudy(dir: string): void {
  const taken = CONTENTS.find((name) => existsSync(join(dir, name)));
  if (taken === 'study.db') throw isStudyAlready(dir);
  if (taken) throw invalid(`folder "${dir}"`, `already contains "${taken}"`, 'choose another folder for a new study');
  removeEmpty(probe(dir));
}

function isStudyAlready(dir: string): UserError {
  return invalid(
    `folder "${dir}"`,
    'already contains a study',
    'choose another folder (--out), or continue the study with netsmith resume',
  );
}

/**
 * Creates a study in `dir` (made if it is not there) and opens it for writing. Throws UserError as `checkNewStudy`. A
 * process that is killed meanwhile leaves no `study.db`; of several that create a study in one folder at once, one does
 * and the others are refused.
 */
export async function createStudyStore(dir: string, study: NewStudy): Promise<Store> {
  checkNewStudy(dir);
  const path = join(dir, 'study.db');
  const unfinished = `${path}.${randomUUID()}.unfinished`;
  guarded(`study "${dir}"`, () => writeEmpty(unfinished));
  try {
    guarded(`study "${dir}"`, () => initialize(unfinished, study));
    if (!publish(unfinished, path)) throw isStudyAlready(dir);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return openStudyStore(dir, 'write');
}

/** Fills an empty file with the tables and the study's record, in one transaction. */
function initialize(path: string, { name, settings, state, earlier = [] }: NewStudy): void {
  const database = new DatabaseSync(path);
  try {
    database.exec('BEGIN');
    fill(database, {
      ...{ name, settings, earlier },
      createdAt: Date.now(),
      strategy: { revision: 0, state },
      clock: { searchSeconds: 0, workerSeconds: 0 },
      trials: [],
    });
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}

/** Gives the file its name, unless another has that name: then returns false. */
function publish(unfinished: string, path: string): boolean {
  try {
    linkSync(unfinished, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    if (!hasCode(error, 'EPERM', 'ENOTSUP')) throw error;
    // A file system without hard links: a rename would replace a study made since this look.
    if (existsSync(path)) return false;
    renameSync(unfinished, path);
    return true;
  }
}

const MOST_NAMED = 5;

/** `; studies in runs: a, b`: what may have been meant; empty where there are none. */
function studiesBeside(dir: string): string {
  const parent = dirname(dir);
  if (!statSync(parent, { throwIfNoEntry: false })?.isDirectory()) return '';
  const names = readdirSync(parent).filter((name) => existsSync(join(parent, name, 'study.db')));
  if (names.length === 0) return '';
  const named = names.sort().slice(0, MOST_NAMED).map(printable).join(', ');
  return `; studies in ${printable(parent)}: ${named}${names.length > MOST_NAMED ? ', ...' : ''}`;
}

/**
 * Opens the study in `dir`. One process may hold it for writing: another is refused, with the first one's process id.
 * Readers are always welcome, also to a study of an older schema, which a writer brings up to date. Throws UserError also
 * when there is no study, when `study.db` is not ours or is damaged, and when a newer version of Netsmith wrote it.
 */
export async function openStudyStore(dir: string, access: 'read' | 'write'): Promise<Store> {
  const path = join(dir, 'study.db');
  const place = `study "${dir}": study.db`;
  if (!existsSync(path))
    throw invalid(
      `folder "${dir}"`,
      'is not the folder of a study (no study.db)',
      `create one with netsmith search or netsmith run${studiesBeside(dir)}`,
    );
  checkFiles(dir);
  checkOurs(path);
  // Worker processes know this file, but open no study: they start without Kysely's 262 modules.
  const { settleIn, sqliteStore } = await import('./store/sqlite.node.ts');
  if (access === 'read') return guarded(place, () => sqliteStore(openToRead(path, place), dir));

  checkWritable(dir);
  const lock = guarded(`study "${dir}": writer.lock`, () => takeLock(dir));
  if (!lock)
    throw new UserError(`study "${dir}": ${writerOf(path)} is writing to it; a study has one writer at a time`);
  let database: DatabaseSync | undefined;
  try {
    const opened = openToWrite(path, place);
    database = opened;
    await settleIn(opened, dir);
    const store = sqliteStore(opened, dir, { checkPlace: placeChecker(dir, path) });
    return {
      ...store,
      async close() {
        leaveLog(opened);
        await store.close();
        lock.release();
      },
    };
  } catch (error) {
    if (database?.isOpen) database.close();
    lock.release();
    throw translated(error, place);
  }
}

/** A study of an older schema is read from a copy in memory, with the tables of today. */
function openToRead(path: string, place: string): DatabaseSync {
  const database = open(path, true);
  try {
    const version = versionOf(database);
    checkTables(database, version, place);
    if (version === SCHEMA) return database;
    const copy = new DatabaseSync(':memory:');
    fill(copy, readOld(database, version, place));
    copy.exec('PRAGMA query_only = TRUE');
    database.close();
    return copy;
  } catch (error) {
    database.close();
    throw error;
  }
}

function openToWrite(path: string, place: string): DatabaseSync {
  const database = open(path, false);
  try {
    const version = versionOf(database);
    checkTables(database, version, place);
    const [found] = database.prepare('PRAGMA integrity_check(1)').all();
    if (found?.integrity_check !== 'ok') throw damaged(place, String(found?.integrity_check));
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = FULL');
    if (version !== SCHEMA) upgrade(database, version, place);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version);
}

/** Notices a deleted, moved or replaced database: a writer would otherwise continue for hours in a file that cannot be opened again. */
function placeChecker(dir: string, path: string): () => void {
  const absolute = resolve(path);
  const identity = () => {
    const found = statSync(absolute, { bigint: true, throwIfNoEntry: false });
    return found && `${found.dev} ${found.ino}`;
  };
  const opened = identity();
  return () => {
    const now = identity();
    if (now === opened) return;
    const what = now === undefined ? 'was deleted or moved' : 'was replaced by another file';
    throw new StudyStopped(
      `study "${dir}": study.db ${what} while the study was running. If it was moved, resume it there; it contains all results reported so far.`,
    );
  };
}

function open(path: string, readOnly: boolean): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly, timeout: PATIENCE_MS, defensive: true });
  // No function and no virtual table that a file names runs because it is read.
  database.exec('PRAGMA trusted_schema = OFF');
  return database;
}

/**
 * Throws UserError where a file that SQLite would open is a link, a pipe or a folder: a study from an untrusted source could
 * lead writes to any place with it, or make Netsmith wait forever.
 */
function checkFiles(dir: string): void {
  for (const name of [
    'study.db',
    'study.db-wal',
    'study.db-shm',
    'study.db-journal',
    'writer.lock',
    'writer.lock-journal',
  ]) {
    const path = join(dir, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (!found.isFile())
      throw invalid(
        `file "${path}"`,
        found.isSymbolicLink() ? 'is a link' : 'is not a regular file',
        'a study keeps its files in its own folder',
      );
    if (name.startsWith('writer.lock') && found.size > 0)
      throw invalid(`file "${path}"`, 'is not empty', 'a lock is an empty file; delete it');
    if (name.endsWith('-journal') && namesAnother(path))
      throw invalid(`file "${path}"`, 'refers to a file elsewhere', 'no study has such a journal; delete it');
  }
}

/** Whether a journal ends with the name of another, which SQLite would delete (https://sqlite.org/fileformat2.html). */
function namesAnother(path: string): boolean {
  const { size } = statSync(path);
  if (size < 8) return false;
  const end = Buffer.alloc(8);
  const file = openSync(path, 'r');
  try {
    readSync(file, end, 0, 8, size - 8);
  } finally {
    closeSync(file);
  }
  return end.toString('hex') === 'd9d505f920a163d7';
}

/**
 * Puts everything into `study.db` itself, so that reading the study later leaves no files beside it. Not while another process
 * reads: then the log stays, and the next writer does this.
 */
function leaveLog(database: DatabaseSync): void {
  if (!database.isOpen) return;
  try {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE');
  } catch {
    // A reader has the log open.
  }
}

/**
 * Throws UserError for a file that is no study, or one of a newer schema. Reads the header of the file alone (SQLite's
 * documented format), since opening a database can leave files beside it.
 */
function checkOurs(path: string): void {
  const header = Buffer.alloc(100);
  const file = openSync(path, 'r');
  try {
    readSync(file, header);
  } finally {
    closeSync(file);
  }
  const foreign = (found: string) =>
    invalid(`file "${path}"`, found, 'it must be a study database written by Netsmith');
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0') throw foreign('is not a database');
  if (header.readUInt32BE(68) !== APPLICATION_ID) throw foreign('is a database of another program');
  const version = header.readUInt32BE(60);
  if (version < 1) throw foreign('has no schema');
  if (version > SCHEMA)
    throw invalid(
      `study "${dirname(path)}"`,
      `schema ${version}`,
      `this version of Netsmith supports schema ${SCHEMA} and older`,
    );
}

/** `process 4711` */
function writerOf(path: string): string {
  const database = guarded(`file "${path}"`, () => open(path, true));
  try {
    const writer = database.prepare('SELECT writer FROM study').get()?.writer;
    return typeof writer === 'number' ? `process ${writer}` : 'another process';
  } catch {
    return 'another process';
  } finally {
    database.close();
  }
}

/** Makes `dir` and writes a file in it; returns the folders that were not there before, the deepest first. */
function probe(dir: string): string[] {
  const made: string[] = [];
  try {
    const file = join(dir, `.netsmith-probe-${randomUUID()}`);
    made.push(...writeEmpty(file));
    rmSync(file);
  } catch (error) {
    throw invalid(`folder "${dir}"`, messageOf(error), 'the folder of a study must be writable');
  }
  return made;
}

/**
 * Writes an empty file and makes the folders for it; returns those that were not there before, the deepest first. Throws
 * what the system answers, and then leaves none of them.
 */
function writeEmpty(file: string): string[] {
  const made: string[] = [];
  for (let attempt = 1; ; attempt++) {
    try {
      made.unshift(...makeFolders(dirname(file)));
      writeFileSync(file, '', { flag: 'wx' });
      return made;
    } catch (error) {
      // Another process that looks at the same folder may have taken it away again while it was empty.
      if (hasCode(error, 'ENOENT') && attempt < 5) continue;
      removeEmpty(made);
      throw error;
    }
  }
}

/**
 * Makes `dir` and the folders above it; returns those that were not there before, the deepest first. One by one: Node's
 * recursive mkdir never returns where the system answers ENOENT, as it does below /proc.
 */
function makeFolders(dir: string): string[] {
  const missing: string[] = [];
  for (let at = resolve(dir); !statSync(at, { throwIfNoEntry: false }); at = dirname(at)) missing.push(at);
  const made: string[] = [];
  try {
    for (const folder of missing.toReversed()) {
      try {
        mkdirSync(folder);
        made.unshift(folder);
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error;
      }
    }
  } catch (error) {
    removeEmpty(made);
    throw error;
  }
  return made;
}

/** Removes the folders, in the order given, but for those that another process has begun to use or has removed. */
function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch (error) {
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
    }
  }
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => code === error.code);
}
