import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../common/errors.ts';
import type { Artefacts } from '../../estimate/estimator.ts';
import { folderOf, readPlain, UNFINISHED, writeWhole } from './files.node.ts';

/**
 * Artefacts as files `<folder>/<sha256>`, in the folder of a study. Any process may put and get: a file is there whole
 * or not at all, and nothing but its content decides its name.
 */
export function fileArtefacts(folder: string): Artefacts {
  return {
    async put(bytes) {
      const hash = sha256(bytes);
      const path = join(folderOf(dirname(folder), basename(folder)), hash);
      if (isIntact(path, hash)) touch(path);
      else writeWhole(path, bytes);
      return hash;
    },
    async get(hash) {
      if (!isHash(hash)) throw new Error(`artefact "${hash}" cannot be read: its name is no SHA-256`);
      const path = join(folder, hash);
      let bytes: Uint8Array | undefined;
      try {
        bytes = readPlain(path, Number.POSITIVE_INFINITY);
      } catch (error) {
        throw new Error(`artefact ${hash} cannot be read: ${messageOf(error)}`, { cause: error });
      }
      if (bytes === undefined) throw new Error(`artefact ${hash} cannot be read: there is no ${path}`);
      if (sha256(bytes) !== hash) throw new Error(`artefact ${hash} is damaged: ${path} has another hash`);
      return bytes;
    },
  };
}

/** Removes the artefacts that `needed` does not name, and unfinished files, if older than `graceMs`. */
export function sweepFiles(folder: string, needed: ReadonlySet<string>, graceMs: number): void {
  // Not through a link: those files would be somebody else's.
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  for (const name of readdirSync(folder)) {
    const ours = name.endsWith(UNFINISHED) || isHash(name);
    if (!ours || needed.has(name)) continue;
    const path = join(folder, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isFile() && Date.now() - found.mtimeMs >= graceMs) rmSync(path, { force: true });
  }
}

function isHash(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

function isIntact(path: string, hash: string): boolean {
  if (!existsSync(path) || !statSync(path).isFile()) return false;
  const bytes = readPlain(path, Number.POSITIVE_INFINITY);
  return bytes !== undefined && sha256(bytes) === hash;
}

/** An artefact that is put again is young again: see the sweep's grace. */
function touch(path: string): void {
  const now = new Date();
  utimesSync(path, now, now);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
