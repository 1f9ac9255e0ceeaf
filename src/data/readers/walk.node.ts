import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { invalid, messageOf } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import { thousands } from '../split.ts';
import { kindOf } from './files.node.ts';

/** Counts of the files that are not read, by a name to show (`.txt`, `a named pipe`). */
export type Tally = Map<string, number>;

/** What operating systems, archives and network drives put beside images; hidden names are passed over, too. */
const LITTER =
  /^(\..*|__macosx|@eadir|#recycle|#snapshot|\$recycle\.bin|system volume information|lost\+found|thumbs\.db|ehthumbs\.db|desktop\.ini|icon\r|__pycache__)$/i;

/** Files that a reader reads. */
export interface FileKind {
  /** The name of the dataset. */
  readonly data: string;
  /** What a file is, for people: `image`, `an image`, `images`. */
  readonly one: string;
  readonly a: string;
  readonly many: string;
  /** Names of such files. */
  readonly name: RegExp;
}

/** What is counted in the place of a file's extension. */
export const outside = ({ a }: FileKind): string => `${a} outside the class folders`;

/** A folder of a folder, and what it holds. */
export interface Folder {
  /** As in the file system. */
  readonly name: string;
  /** As people see it: a name typed on a Mac and one typed elsewhere are the same (Unicode's form NFC). */
  readonly label: string;
}

/**
 * The folders of a folder in the order of their names, links to folders among them; what else it holds is counted in
 * `unread`. A link to a folder that contains it is no folder of its own. Throws UserError when it cannot be read.
 */
export async function foldersIn(dir: string, unread: Tally, files: FileKind): Promise<Folder[]> {
  const found: Folder[] = [];
  for (const entry of await entriesOf(dir)) {
    const path = join(dir, entry.name);
    const isFolder = entry.isSymbolicLink() ? await leadsToFolder(path) : entry.isDirectory();
    if (!isFolder) count(unread, files.name.test(entry.name) ? outside(files) : await kind(entry, path));
    else if (entry.isSymbolicLink() && (await leadsUp(path, dir))) count(unread, 'a link to a folder that contains it');
    else found.push({ name: entry.name, label: entry.name.normalize('NFC') });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The files of a kind below a folder, as paths within it with `/`, in order. Links to files are followed; links to folders are
 * not, so no link can lead in a circle or out of the folder. What is not read is counted in `unread`.
 * Throws UserError for a folder that cannot be read, or a file that is a link to nothing.
 */
export async function filesBelow(
  dir: string,
  { name: wanted }: Pick<FileKind, 'name'>,
  unread: Tally,
): Promise<string[]> {
  const found: string[] = [];
  const walk = async (inner: string): Promise<void> => {
    for (const entry of await entriesOf(join(dir, inner))) {
      const name = inner === '' ? entry.name : `${inner}/${entry.name}`;
      if (entry.isDirectory()) await walk(name);
      else if (wanted.test(entry.name) && (await isFile(entry, join(dir, name)))) found.push(name);
      else count(unread, await kind(entry, join(dir, name)));
    }
  };
  await walk('');
  return found.sort(byName);
}

/** Order of paths by their NFC form, so that it is the same wherever the files lie. */
export function byName(a: string, b: string): number {
  const [left, right] = [a.normalize('NFC'), b.normalize('NFC')];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** `28 files were not read: 20 .bmp, 8 .txt.`; nothing where all were. */
export function unreadNotes(unread: Tally): string[] {
  const total = [...unread.values()].reduce((sum, n) => sum + n, 0);
  if (total === 0) return [];
  const parts = [...unread].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const named = parts.slice(0, 8).map(([what, n]) => `${thousands(n)} ${printable(what)}`);
  const more = parts.length > 8 ? ', and others' : '';
  return [`${thousands(total)} ${total === 1 ? 'file was' : 'files were'} not read: ${named.join(', ')}${more}.`];
}

async function entriesOf(dir: string): Promise<Dirent[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: unknown) => {
    throw invalid(`folder "${printable(dir)}"`, printable(messageOf(error)), 'it must be readable');
  });
  return entries.filter(({ name }) => !LITTER.test(name));
}

async function isFile(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  const found = await stat(path).catch((error: unknown) => {
    const rule = 'it must be a file, or a link to one';
    throw invalid(`file "${printable(path)}"`, `it is a broken link (${printable(messageOf(error))})`, rule);
  });
  return found.isFile();
}

async function leadsToFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}

async function leadsUp(path: string, dir: string): Promise<boolean> {
  const [there, here] = [await realpath(path), await realpath(dir)];
  return here === there || here.startsWith(there.endsWith(sep) ? there : there + sep);
}

/** What is counted: the extension of a file, or what it is if it is none. */
async function kind(entry: Dirent, path: string): Promise<string> {
  if (entry.isSymbolicLink()) {
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) return found === undefined ? 'a broken link' : `a link to ${kindOf(found)}`;
  } else if (!entry.isFile()) return kindOf(entry);
  return extname(entry.name).toLowerCase() || 'without an extension';
}

function count(tally: Tally, what: string): void {
  tally.set(what, (tally.get(what) ?? 0) + 1);
}
