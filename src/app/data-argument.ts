import { statSync } from 'node:fs';
import { unknownName } from '../common/closest.ts';
import { invalid } from '../common/errors.ts';
import { DATASETS, TEXT_NAME } from '../data/catalog.ts';
import { isOwnFile, type StudySettings } from '../study/spec.ts';

/**
 * The settings that a command's first argument stands for: a dataset by its name, a folder of images, a table, a text, or a `.ts` or `.js` file that
 * exports a data set. Throws UserError where it is none of these.
 */
export function dataOf(argument: string): Partial<StudySettings> {
  if (Object.hasOwn(DATASETS, argument)) return { data: argument };
  const found = statSync(argument, { throwIfNoEntry: false });
  if (found?.isDirectory()) return { data: 'image-folder', dataDir: argument };
  if (found?.isFile() && isOwnFile(argument)) return { data: argument };
  if (found?.isFile()) return { data: TEXT_NAME.test(argument) ? 'text' : 'csv', dataDir: argument };
  if (/[\\/]|\.\w+$/.test(argument)) throw invalid('data', `"${argument}"`, 'there is no such file or folder');
  const others = 'a folder of images, a CSV file, a text file, or a .ts or .js file that exports a data set';
  throw unknownName('data:', argument, Object.keys(DATASETS), others);
}
