import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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
      if (!existsSync(path) || sha256(readFileSync(path)) !== hash) writeWhole(path, bytes);
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

const IS_ARTEFACT = /^[0-9a-f]{64}$/;

/** Removes the artefacts that `needed` does not name, and unfinished files. */
export function sweepFiles(folder: string, needed: ReadonlySet<string>): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder))
    if (name.endsWith(UNFINISHED) || (IS_ARTEFACT.test(name) && !needed.has(name)))
      rmSync(join(folder, name), { force: true });
}

/** Removes these artefacts. */
export function removeFiles(folder: string, hashes: readonly string[]): void {
  for (const hash of hashes) if (IS_ARTEFACT.test(hash)) rmSync(join(folder, hash), { force: true });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
