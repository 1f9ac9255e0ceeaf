import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { invalid, messageOf, UserError } from '../common/errors.ts';
import { checkWritable } from './store/files.node.ts';
import { takeLock } from './store/lock.node.ts';
import { APPLICATION_ID, initialise, settleIn, sqliteStore } from './store/sqlite.node.ts';
import { type NewStudy, SCHEMA, type Store } from './store/store.ts';

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
  if (taken) throw invalid(`folder "${dir}"`, `has "${taken}" in it`, 'a new study wants a folder without');
  removeEmpty(probe(dir));
}

function isStudyAlready(dir: string): UserError {
  return invalid(
    `folder "${dir}"`,
    'is a study already',
    'a new study wants a folder of its own (netsmith resume goes on)',
  );
}

/**
 * Creates a study in `dir` (made if it is not there) and opens it for writing. Throws UserError as `checkNewStudy`. A
 * process that is killed meanwhile leaves no `study.db`; of several that create a study in one folder at once, one does
 * and the others are refused.
 */
export async function createStudy(dir: string, study: NewStudy): Promise<Store> {
  checkNewStudy(dir);
  const path = join(dir, 'study.db');
  const unfinished = `${path}.${randomUUID()}.unfinished`;
  writeEmpty(unfinished);
  try {
    const database = new DatabaseSync(unfinished);
    try {
      await initialise(database, study, Date.now());
    } finally {
      if (database.isOpen) database.close();
    }
    if (!publish(unfinished, path)) throw isStudyAlready(dir);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return openStudy(dir, 'write');
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

/**
 * Opens the study in `dir`. One process may hold it for writing: another is refused, with the first one's process id.
 * Readers are always welcome. Throws UserError also when there is no study, when `study.db` is not ours, and when a newer
 * version of Netsmith wrote it.
 */
export async function openStudy(dir: string, access: 'read' | 'write'): Promise<Store> {
  const path = join(dir, 'study.db');
  if (!existsSync(path))
    throw invalid(`folder "${dir}"`, 'has no study.db', 'a study is a folder that netsmith search made');
  checkOurs(path);
  if (access === 'read') return sqliteStore(open(path, true), dir);

  checkWritable(dir);
  const lock = takeLock(dir);
  if (!lock)
    throw new UserError(`study "${dir}": ${writerOf(path)} is writing to it; a study has one writer at a time`);
  try {
    const database = open(path, false);
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = FULL');
    await settleIn(database, dir);
    const store = sqliteStore(database, dir);
    return {
      ...store,
      async close() {
        leaveLog(database);
        await store.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function open(path: string, readOnly: boolean): DatabaseSync {
  return new DatabaseSync(path, { readOnly, timeout: PATIENCE_MS });
}

/**
 * Puts everything into `study.db` itself, so that reading the study later leaves no files beside it. Not while somebody
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
  const foreign = (found: string) => invalid(`file "${path}"`, found, 'a study is a database that Netsmith made');
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0') throw foreign('is not a database');
  if (header.readUInt32BE(68) !== APPLICATION_ID) throw foreign('is a database of another program');
  const version = header.readUInt32BE(60);
  if (version > SCHEMA)
    throw invalid(
      `study "${dirname(path)}"`,
      `schema ${version}`,
      `this version of Netsmith reads schema ${SCHEMA} and older`,
    );
}

/** `process 4711` */
function writerOf(path: string): string {
  const database = open(path, true);
  try {
    const writer = database.prepare('SELECT writer FROM study').get()?.writer;
    return typeof writer === 'number' ? `process ${writer}` : 'another process';
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
    throw invalid(`folder "${dir}"`, messageOf(error), 'a study wants a folder that can be written to');
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
