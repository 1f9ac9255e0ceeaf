import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { unknownName } from '../common/closest.ts';
import { invalid } from '../common/errors.ts';
import { printable } from '../common/text.ts';
import { DATASETS, IMAGE_NAME, TABLE_NAME, TEXT_NAME } from '../data/catalog.ts';
import { type Role, roleOf } from '../data/readers/parts.ts';
import { thousands } from '../data/split.ts';
import { isOwnFile, type StudySettings } from '../study/spec.ts';

/**
 * The settings that a command's first argument stands for: a dataset by its name, a folder of images, texts or tables, a table, a text, or a `.ts`
 * or `.js` file that exports a data set. Throws UserError where it is none of these.
 */
export function dataOf(argument: string): Partial<StudySettings> {
  if (Object.hasOwn(DATASETS, argument)) return { data: argument };
  const found = statSync(argument, { throwIfNoEntry: false });
  if (found?.isDirectory()) return folderOf(argument);
  if (found?.isFile() && isOwnFile(argument)) return { data: argument };
  if (found?.isFile()) return { data: TEXT_NAME.test(argument) ? 'text' : 'csv', dataDir: argument };
  if (/[\\/]|\.\w+$/.test(argument)) throw invalid('data', `"${argument}"`, 'there is no such file or folder');
  const others =
    'a folder of images, texts or tables, a CSV file, a text file, or a .ts or .js file that exports a data set';
  throw unknownName('data:', argument, Object.keys(DATASETS), others);
}

/** Files of each folder that are looked at, and folders in all: there may be millions. */
const MOST_FILES = 100;
const MOST_FOLDERS = 200;
/** Above this share of texts, or of images, a folder has both. */
const FEW = 0.1;
/** Texts that lie beside data. */
const ABOUT = /^(readme|licen[cs]e|changelog|authors|notice|version|citation|requirements)\b/i;

/** Files found by their names: images; texts at the top of a folder or of its parts, and in class folders. */
interface Looked {
  images: number;
  top: number;
  texts: number;
  folders: number;
  /** At the top of the folder. */
  readonly tables: string[];
}

/**
 * What a folder holds, by the names of its first files: texts at the top, or in folders named like parts, are a text to continue (`text`);
 * texts in class folders are `text-folder`; tables alone are `csv`; all else is `image-folder`, which says what is wrong. Throws UserError for a
 * folder with images and texts, with texts at the top and in class folders or beside tables, or with several tables whose names do not say
 * what they are.
 */
function folderOf(dir: string): Partial<StudySettings> {
  const found: Looked = { images: 0, top: 0, texts: 0, folders: 0, tables: [] };
  look(dir, dir, found);
  const { images, top, texts, tables } = found;
  const place = `folder "${printable(dir)}"`;
  const naming = (...kinds: readonly string[]) =>
    `say which it is: ${kinds.map((kind) => `--data ${kind} --data-dir ${printable(dir)}`).join(', or ')}`;
  if (images > 0) {
    if (Math.min(texts, images) <= FEW * (texts + images))
      return { data: texts > images ? 'text-folder' : 'image-folder', dataDir: dir };
    throw invalid(
      place,
      `it has images and texts (of the files looked at, ${thousands(images)} and ${thousands(texts)})`,
      naming('image-folder', 'text-folder'),
    );
  }
  if (top > 0 && texts > 0)
    throw invalid(
      place,
      `it has text files at the top (${thousands(top)}) and in folders (${thousands(texts)} looked at)`,
      naming('text-folder', 'text'),
    );
  if (tables.length > 0 && top + texts === 0) return tablesOf(dir, tables.toSorted());
  if (tables.length > 0 && top > 0)
    throw invalid(
      place,
      `it has text files (${thousands(top)}) and tables (${thousands(tables.length)})`,
      `name the table: ${printable(join(dir, tables[0] ?? ''))}, or the texts: --data text --data-dir ${printable(dir)}`,
    );
  return { data: texts > 0 ? 'text-folder' : top > 0 ? 'text' : 'image-folder', dataDir: dir };
}

/**
 * A folder's tables: one alone, or those of the parts, by their names without the words that all share: `adult-train.csv` and
 * `adult-test.csv`. Throws UserError where they are something else.
 */
function tablesOf(dir: string, tables: readonly string[]): Partial<StudySettings> {
  const [only, ...more] = tables;
  if (only !== undefined && more.length === 0) return { data: 'csv', dataDir: join(dir, only) };
  const words = tables.map((name) => name.replace(TABLE_NAME, '').split(/[^\p{L}\p{N}]+/u));
  const own = words.map((some) => some.filter((word) => !words.every((others) => others.includes(word))).join(' '));
  const roles = own.map(roleOf);
  const fileOf = (role: Role) => {
    const at = roles.indexOf(role);
    return at < 0 ? undefined : join(dir, tables[at] ?? '');
  };
  const [dataDir, validData, testData] = [fileOf('train'), fileOf('valid'), fileOf('test')];
  const areParts = !roles.includes(undefined) && new Set(roles).size === roles.length;
  if (dataDir !== undefined && areParts)
    return { data: 'csv', dataDir, ...(validData && { validData }), ...(testData && { testData }) };
  const names = tables.map((name) => printable(name)).join(', ');
  throw invalid(
    `folder "${printable(dir)}"`,
    `it has the tables ${names}`,
    'name the file to learn from; --valid-data and --test-data may name others',
  );
}

/** `isTop`: this folder is the data (`root`), or a part of it. */
function look(dir: string, root: string, found: Looked, isTop = true): void {
  if (found.folders++ >= MOST_FOLDERS) return;
  const entries = entriesOf(dir).filter(({ name }) => !/^[._@]/.test(name));
  for (const { name } of entries.filter((entry) => !entry.isDirectory()).slice(0, MOST_FILES)) {
    if (IMAGE_NAME.test(name)) found.images++;
    if (dir === root && TABLE_NAME.test(name)) found.tables.push(name);
    if (!TEXT_NAME.test(name)) continue;
    if (!isTop) found.texts++;
    else if (!ABOUT.test(name)) found.top++;
  }
  const folders = entries.filter((entry) => entry.isDirectory());
  const areParts = isTop && folders.every(({ name }) => roleOf(name) !== undefined);
  for (const { name } of folders) look(join(dir, name), root, found, areParts);
}

/** What cannot be read is told by the reader. */
function entriesOf(dir: string): readonly Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch {
    return [];
  }
}
