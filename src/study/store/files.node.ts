import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { environmentFault, messageOf, stopped, UserError } from '../../common/errors.ts';
import type { Trial } from './store.ts';
import { hasEnded } from './transitions.ts';

/** Ends the names of files that are being written; nobody reads them, and a sweep removes what a crash has left. */
export const UNFINISHED = '.unfinished';

/**
 * Writes a file so that its name stands for the whole content or for nothing: a temporary file beside it, flushed to
 * the disk, then renamed. Its folder is made in a folder that is there. Throws StudyStopped for a disk that is full, broken or
 * read-only, and UserError for a place that cannot be written to; nothing is left there.
 */
export function writeWhole(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}${UNFINISHED}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = openSync(temporary, 'w');
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
    // Whatever kept it from being written is told.
  }
}

/** A place without permission is for whoever named it to mend; a full disk would keep any place from being written. */
function cannotWrite(error: unknown, place: string): unknown {
  const fault = environmentFault(error);
  const denied = error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
  if (!denied && fault !== undefined) return stopped(error, place);
  return new UserError(`${place}: ${fault ?? messageOf(error)}; it must be possible to write there`, { cause: error });
}

/**
 * The folder of a trial, `trials/12/` or `trials/confirm-0/`: copies for people and scripts, written when the trial
 * ends. The database is the truth; a copy that a crash prevented is written when the study is opened next.
 */
export function writeTrialFiles(study: string, trial: Trial): void {
  const folder = trialFolder(study, trial);
  const { state, reason, metrics, costs, seconds, curve } = trial;
  writeWhole(join(folder, 'architecture.json'), pretty(trial.architecture));
  writeWhole(join(folder, 'metrics.json'), pretty({ state, reason, metrics, costs, seconds, curve }));
}

/** Removes the copies of a trial that is to be done again. */
export function removeTrialFiles(study: string, trial: Trial): void {
  rmSync(trialFolder(study, trial), { recursive: true, force: true });
}

export function writeMissingTrialFiles(study: string, trials: readonly Trial[]): void {
  for (const trial of trials)
    if (hasEnded(trial) && !existsSync(join(trialFolder(study, trial), 'metrics.json'))) writeTrialFiles(study, trial);
}

function trialFolder(study: string, { purpose, trial }: Trial): string {
  return join(study, 'trials', purpose === 'search' ? `${trial}` : `confirm-${trial}`);
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
