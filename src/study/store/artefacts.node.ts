import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../common/errors.ts';
import type { Artefacts } from '../../estimate/estimator.ts';
import { UNFINISHED, writeWhole } from './files.node.ts';

/**
 * Artefacts as files `<folder>/<sha256>`. Any process may put and get: a file is there whole or not at all, and nothing
 * but its content decides its name.
 */
export function fileArtefacts(folder: string): Artefacts {
  return {
    async put(bytes) {
      const hash = sha256(bytes);
      const path = join(folder, hash);
      if (existsSync(path) && sha256(readFileSync(path)) === hash) touch(path);
      else writeWhole(path, bytes);
      return hash;
    },
    async get(hash) {
      const path = join(folder, hash);
      let bytes: Uint8Array;
      try {
        bytes = readFileSync(path);
      } catch (error) {
        throw new Error(`artefact ${hash} cannot be read: ${messageOf(error)}`);
      }
      if (sha256(bytes) !== hash) throw new Error(`artefact ${hash} is damaged: ${path} has another hash`);
      return bytes;
    },
  };
}

/** Removes the artefacts that `needed` does not name, and unfinished files, if older than `graceMs`. */
export function sweepFiles(folder: string, needed: ReadonlySet<string>, graceMs: number): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const ours = name.endsWith(UNFINISHED) || /^[0-9a-f]{64}$/.test(name);
    if (!ours || needed.has(name)) continue;
    const path = join(folder, name);
    const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (modified !== undefined && Date.now() - modified >= graceMs) rmSync(path, { force: true });
  }
}

/** An artefact that is put again is young again: see the sweep's grace. */
function touch(path: string): void {
  const now = new Date();
  utimesSync(path, now, now);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
