// `glob` by way of the module: Node 20 has none, and must get as far as the sentence that says so (common/node-version.ts).
import * as files from 'node:fs/promises';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf } from '../common/errors.ts';

/** A file to predict, or why what was named is none. */
export type Named = { readonly file: string } | { readonly file: string; readonly error: string };

/** Names of tables. */
export const TABLE_NAME = /\.(csv|tsv)(\.gz)?$/i;

/** Folders that the system creates: resource forks of macOS, thumbnails of Synology's. */
const IGNORED = new Set(['__MACOSX', '@eaDir']);
const PATTERN = /[*?[\]{}]/;

/**
 * The files that `names` stand for, in order: a file itself, of a folder those below it whose names match `wanted`, and of a
 * pattern such as `photos/*.jpg` what matches it (cmd.exe hands patterns on). Hidden files in folders are left out, and links to
 * folders not followed. A name that matches no file gives a separate error.
 */
export async function* namedFiles(names: readonly string[], wanted: RegExp): AsyncGenerator<Named> {
  for (const name of names) {
    const found = await kindOf(name);
    if (found === 'absent' && PATTERN.test(name)) yield* matching(name, wanted);
    else yield* one(name, found, wanted);
  }
}

type Kind = 'file' | 'folder' | 'absent' | 'other' | { readonly unreadable: string };

async function kindOf(path: string): Promise<Kind> {
  try {
    const found = await stat(path);
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'absent' : { unreadable: String(code ?? messageOf(error)) };
  }
}

async function* one(name: string, kind: Kind, wanted: RegExp): AsyncGenerator<Named> {
  if (kind === 'file') yield { file: name };
  else if (kind === 'absent') yield { file: name, error: 'file not found' };
  else if (kind === 'other') yield { file: name, error: 'it is neither a file nor a folder' };
  else if (kind !== 'folder') yield { file: name, error: `it cannot be read (${kind.unreadable})` };
  else {
    let count = 0;
    for await (const below of filesBelow(name, wanted)) {
      count++;
      yield below;
    }
    if (count === 0) yield { file: name, error: 'the folder has no file that the model can read' };
  }
}

async function* matching(pattern: string, wanted: RegExp): AsyncGenerator<Named> {
  const matches: string[] = [];
  for await (const match of files.glob(pattern)) matches.push(match);
  if (matches.length === 0) yield { file: pattern, error: 'no file matches this pattern' };
  for (const match of matches.sort()) yield* one(match, await kindOf(match), wanted);
}

async function* filesBelow(folder: string, wanted: RegExp): AsyncGenerator<Named> {
  let entries: Awaited<ReturnType<typeof entriesOf>>;
  try {
    entries = await entriesOf(folder);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
    yield { file: folder, error: `the folder cannot be read (${code})` };
    return;
  }
  for (const entry of entries) {
    if (entry.name.startsWith('.') || IGNORED.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path, wanted);
    else if (wanted.test(basename(path)) && (await kindOf(path)) === 'file') yield { file: path };
  }
}

async function entriesOf(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What was read, or the reason why not, without the file's name. */
export async function attempt<T>(file: string, read: () => Promise<T>): Promise<T | string> {
  try {
    return await read();
  } catch (error) {
    const reason = messageOf(error).replaceAll(/\s+/g, ' ');
    return reason
      .replace(/^table row[,:]? */, '')
      .replace(/^(image|csv file|file) "/, '"')
      .replace(`"${file}"`, '')
      .replace(/^[:,]? */, '');
  }
}
