import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { environmentFault, invalid, messageOf, StudyStopped, UserError } from '../../common/errors.ts';
import { translated } from './errors.ts';
import type { Trial } from './store.ts';
import { hasEnded } from './transitions.ts';

/** Ends the names of files that are being written; they are never read, and a sweep removes what a crash has left. */
export const UNFINISHED = '.unfinished';

/**
 * Writes a file so that it has its whole content or does not exist: a temporary file beside it, flushed to
 * the disk, then renamed. Its folder is made in an existing folder. Throws StudyStopped for a disk that is full, broken or
 * read-only, and UserError for a place that cannot be written to; nothing is left there.
 */
export function writeWhole(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}${UNFINISHED}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    // 'wx': never through an existing link.
    const file = openSync(temporary, 'wx');
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw cannotWrite(error, `file "${path}"`);
  }
}

/** So much must fit on the disk before a training begins whose result is to be kept there. */
const PROBE_BYTES = 64 * 1024;

/** Throws UserError for a path that cannot be that of a file that is to be written: before the work whose result it is to hold. */
export function checkFile(path: string, flag: string): void {
  if (path === '') throw invalid(flag, '""', 'must be the path of a file');
  if (existsSync(path) && statSync(path).isDirectory()) throw invalid(flag, `"${path}" is a folder`, 'must be a file');
}

/** Throws as `writeWhole` unless a file can be written into this folder, which is there; leaves nothing. */
export function checkWritable(folder: string): void {
  const file = join(folder, `.netsmith-probe-${randomBytes(8).toString('hex')}${UNFINISHED}`);
  try {
    const probe = openSync(file, 'wx');
    try {
      writeFileSync(probe, new Uint8Array(PROBE_BYTES));
      fsyncSync(probe);
    } finally {
      closeSync(probe);
    }
  } catch (error) {
    throw cannotWrite(error, `folder "${folder}"`);
  } finally {
    removeQuietly(file);
  }
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The error says what kept it from being written.
  }
}

/** The user can choose another place if permission is missing; with a full disk, no place can be written. */
function cannotWrite(error: unknown, place: string): unknown {
  const known = translated(error, place);
  if (known !== error) return known;
  return new UserError(`${place}: ${environmentFault(error) ?? messageOf(error)}; the folder must be writable`, {
    cause: error,
  });
}

/**
 * The folder `name` of a study, made if it is not there. Throws UserError where a link or a file has its place: a study from
 * a study from an untrusted source could use it to write anywhere. Throws StudyStopped where the study itself is gone.
 */
export function folderOf(study: string, ...names: readonly string[]): string {
  if (!statSync(study, { throwIfNoEntry: false })?.isDirectory())
    throw new StudyStopped(
      `study "${study}": its folder no longer exists; if it was moved, resume it from its new place`,
    );
  let folder = study;
  for (const name of names) {
    folder = join(folder, name);
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined) makeFolder(folder);
    else if (!found.isDirectory()) throw isNoFolder(folder, found.isSymbolicLink());
  }
  return folder;
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process of this study has just made it.
    if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
    const known = translated(error, `folder "${folder}"`);
    throw known === error ? invalid(`folder "${folder}"`, messageOf(error), 'the folder must be creatable') : known;
  }
}

function isNoFolder(folder: string, isLink: boolean) {
  return invalid(
    `folder "${folder}"`,
    isLink ? 'is a link' : 'is not a folder',
    'a study only writes to its own folder: replace the link by a folder, or remove it',
  );
}

/** Writes `content` to a file of a study, as `writeWhole` and `folderOf` do. `path`: names below the study's folder. */
export function writeInStudy(
  study: string,
  path: readonly [...folders: string[], file: string],
  content: Uint8Array | string,
): void {
  writeWhole(join(folderOf(study, ...path.slice(0, -1)), path.at(-1) ?? ''), content);
}

/** The largest file that is read whole, artifacts and weights aside. */
const MOST_BYTES = 2 ** 28;

/**
 * The bytes of a file; undefined where there is none. Throws UserError for what is no plain file (a pipe would never
 * end), one of more than `most` bytes, and one that cannot be read.
 */
export function readPlain(path: string, most: number = MOST_BYTES): Uint8Array | undefined {
  const place = `file "${path}"`;
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (!found.isFile()) throw invalid(place, 'is not a regular file', 'a study only has regular files; delete it');
    if (found.size > most) throw invalid(place, `has ${found.size} bytes`, `at most ${most} are read`);
    return readFileSync(path);
  } catch (error) {
    const known = translated(error, place);
    if (known !== error || !(error instanceof Error && 'code' in error)) throw known;
    throw invalid(place, messageOf(error), 'it must be readable');
  }
}

/**
 * The folder of a trial, `trials/12/` or `trials/confirm-0/`: copies for reading and for scripts, written when the trial
 * ends. The database is the truth; a copy that a crash prevented is written when the study is opened next.
 */
export function writeTrialFiles(study: string, trial: Trial): void {
  const { state, reason, metrics, costs, seconds, curve } = trial;
  const folder = ['trials', nameOfFolder(trial)] as const;
  writeInStudy(study, [...folder, 'architecture.json'], pretty(trial.architecture));
  writeInStudy(study, [...folder, 'metrics.json'], pretty({ state, reason, metrics, costs, seconds, curve }));
}

/** Removes the copies of a trial that is to be done again. */
export function removeTrialFiles(study: string, trial: Trial): void {
  const trials = join(study, 'trials');
  // Not through a link: those files would not belong to the study.
  if (lstatSync(trials, { throwIfNoEntry: false })?.isDirectory())
    rmSync(join(trials, nameOfFolder(trial)), { recursive: true, force: true });
}

export function writeMissingTrialFiles(study: string, trials: readonly Trial[]): void {
  for (const trial of trials)
    if (hasEnded(trial) && !existsSync(join(study, 'trials', nameOfFolder(trial), 'metrics.json')))
      writeTrialFiles(study, trial);
}

/** The number becomes a path, so it is checked here again. */
function nameOfFolder({ purpose, trial }: Trial): string {
  if (!Number.isSafeInteger(trial) || trial < 0) throw new RangeError(`trial ${trial} has no folder`);
  return purpose === 'search' ? `${trial}` : `${purpose}-${trial}`;
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
