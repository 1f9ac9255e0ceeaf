import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { invalid, messageOf } from '../../common/errors.ts';
import type { Trial } from './store.ts';
import { hasEnded } from './transitions.ts';

/** Ends the names of files that are being written; nobody reads them, and a sweep removes what a crash has left. */
export const UNFINISHED = '.unfinished';

/**
 * Writes a file so that its name stands for the whole content or for nothing: a temporary file beside it, flushed to
 * the disk, then renamed. Its folder is made in a folder that is there. Throws UserError where it cannot be written.
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
    rmSync(temporary, { force: true });
    throw invalid(`file "${path}"`, messageOf(error), 'it must be possible to write there');
  }
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
