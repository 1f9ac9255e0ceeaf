import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from './database.node.ts';

/** A study's lock, held by the one process that may write to it. */
export interface Lock {
  release(): void;
}

/**
 * Takes the study's lock, or returns undefined when another process holds it. The lock is SQLite's own on an empty file
 * `writer.lock`: the operating system gives it back the moment its holder is gone, however it went (kill -9 included),
 * so that no lock is stale and no process id is mistaken for another. Worker processes do not inherit it.
 */
export function takeLock(study: string): Lock | undefined {
  const file = new DatabaseSync(join(study, 'writer.lock'), { timeout: 0 });
  try {
    file.exec('PRAGMA journal_mode = MEMORY');
    file.exec('BEGIN IMMEDIATE');
  } catch (error) {
    file.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  return { release: () => file.isOpen && file.close() };
}

/** Whether a process writes to the study at this moment. Nothing is created; false where that cannot be found out. */
export function isHeld(study: string): boolean {
  if (!existsSync(join(study, 'writer.lock'))) return false;
  try {
    const lock = takeLock(study);
    lock?.release();
    return lock === undefined;
  } catch {
    return false;
  }
}

function isBusy(error: unknown): boolean {
  const SQLITE_BUSY = 5;
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
