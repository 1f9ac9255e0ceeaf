import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { invalid, messageOf, UserError } from '../../common/errors.ts';
import type { Artifacts } from '../../estimate/estimator.ts';
import { folderOf, readPlain, UNFINISHED, writeWhole } from './files.node.ts';

/**
 * Artifacts as files `<folder>/<sha256>`, in the folder of a study. Any process may put and get: a file is there whole
 * or not at all, and nothing but its content decides its name.
 */
export function fileArtifacts(folder: string): Artifacts {
  return {
    async put(bytes) {
      const hash = sha256(bytes);
      const path = join(folderOf(dirname(folder), basename(folder)), hash);
      if (!isIntact(path, hash)) writeWhole(path, bytes);
      return hash;
    },
    async get(hash) {
      const place = `artifact "${join(folder, hash)}"`;
      const rule = 'it must be the file that the study has written';
      if (!isHash(hash)) throw invalid(place, 'cannot be read: its name is no SHA-256', rule);
      const path = join(folder, hash);
      let bytes: Uint8Array | undefined;
      try {
        bytes = readPlain(path, Number.POSITIVE_INFINITY);
      } catch (error) {
        throw new UserError(`${place}: cannot be read (${messageOf(error)}); ${rule}`, { cause: error });
      }
      if (bytes === undefined) throw invalid(place, 'cannot be read: there is no such file', rule);
      if (sha256(bytes) !== hash) throw invalid(place, 'is damaged: its content has another hash', rule);
      return bytes;
    },
  };
}

/** Removes the artifacts that `needed` does not name, and unfinished files. */
export function sweepFiles(folder: string, needed: ReadonlySet<string>): void {
  if (!isPlainFolder(folder)) return;
  removeFiles(
    folder,
    readdirSync(folder).filter((name) => !needed.has(name)),
  );
}

/** Removes these artifacts and unfinished files; none of any other name. */
export function removeFiles(folder: string, names: readonly string[]): void {
  if (!isPlainFolder(folder)) return;
  for (const name of names) {
    const path = join(folder, name);
    const isOurs = name === basename(path) && (name.endsWith(UNFINISHED) || isHash(name));
    if (isOurs && lstatSync(path, { throwIfNoEntry: false })?.isFile()) rmSync(path, { force: true });
  }
}

/** Not a link: the files in it would not belong to the study. */
function isPlainFolder(folder: string): boolean {
  return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isHash(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

function isIntact(path: string, hash: string): boolean {
  if (!existsSync(path) || !statSync(path).isFile()) return false;
  const bytes = readPlain(path, Number.POSITIVE_INFINITY);
  return bytes !== undefined && sha256(bytes) === hash;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
