import { createHash } from 'node:crypto';
import { invalid } from '../../common/errors.ts';
import { deepFreeze } from '../../common/json.ts';
import { inParts } from '../assemble.ts';
import { TEXT_NAME } from '../catalog.ts';
import { tidy } from '../cells.ts';
import type { DataRequest, Dataset } from '../dataset.ts';
import { thousands } from '../split.ts';
import { fitTexts, textInfo, textSource } from '../text/labeled.ts';
import { checksumsOf, classFolders, type Listing } from './class-folders.node.ts';
import { MAX_UNPACKED } from './files.node.ts';
import { readText } from './text-bytes.node.ts';
import type { FileKind } from './walk.node.ts';

const TEXTS: FileKind = { data: 'text-folder', one: 'text', a: 'a text', many: 'texts', name: TEXT_NAME };

/** Files that are read at a time. */
const TOGETHER = 32;
/** Characters of all files together: texts are held in memory until they are tokens. */
const MOST_CHARACTERS = MAX_UNPACKED;

/**
 * Class folders of text files, with or without folders for the parts: `classFolders`. A file is one text. All of them are read at once;
 * those of a test folder a second time when the test part is opened.
 *
 * Throws UserError, with the file and the line, for a file that is empty, is no text or cannot be read; and for more than 1 Gi characters.
 */
export async function openTextFolder(request: DataRequest): Promise<Dataset> {
  const found = await classFolders(TEXTS, request);
  const { place, labels, parts, used } = found;
  const { pool, valid, test } = found.listings;
  const read = (list: Listing) => textsOf(place, list.files);
  const [train, held, tested] = [await read(used.train), await read(used.valid), await read(used.test)];
  const fitted = fitTexts(place, train, request);
  // By number in the pool; excluded files have no text.
  const texts = new Array<string>(pool.files.length).fill('');
  const put = (indices: Int32Array, from: readonly string[]) =>
    indices.forEach((index, i) => {
      texts[index] = from[i] ?? '';
    });
  put(parts.train, train);
  if (valid === undefined) put(parts.valid, held);
  if (test === undefined) put(parts.test, tested);
  const hashes = request.checked === true ? [] : [...train, ...held, ...tested].map(hashOf);
  const openTest = async () => textSource(await read(used.test), used.test.targets, fitted);
  return inParts(
    {
      info: deepFreeze({
        name: 'text-folder',
        outputs: labels.length,
        labels,
        ...textInfo(fitted),
        checksums: checksumsOf(found, hashes, request.checked === true),
      }),
      pool: textSource(texts, pool.targets, fitted),
      valid: valid && textSource(held, used.valid.targets, fitted),
      test: test && { count: used.test.files.length, open: openTest },
      notes: [...found.notes, ...fitted.notes],
    },
    parts,
  );
}

const hashOf = (text: string): Uint8Array => createHash('sha256').update(text).digest();

/** The texts of files, in order, TOGETHER at a time. */
async function textsOf(place: string, files: readonly string[]): Promise<readonly string[]> {
  const texts: string[] = [];
  let characters = 0;
  for (let from = 0; from < files.length; from += TOGETHER) {
    const some = await Promise.all(files.slice(from, from + TOGETHER).map(readText));
    texts.push(...some.map(tidy));
    characters += some.reduce((sum, { length }) => sum + length, 0);
    if (characters > MOST_CHARACTERS)
      throw invalid(
        place,
        `the texts have more than ${thousands(MOST_CHARACTERS)} characters`,
        'that is the limit of what is held in memory',
      );
  }
  return texts;
}
