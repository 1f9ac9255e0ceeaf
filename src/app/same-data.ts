import { isDeepStrictEqual } from 'node:util';
import { invalid } from '../common/errors.ts';
import { printable } from '../common/text.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import { factsOf } from '../task/index.ts';
import { commandName } from './invocation.ts';

const PARTS = { train: 'training', valid: 'validation', test: 'test' } as const;

/**
 * Throws UserError, which says what differs, unless a study's data are what they were. What one of them does not know (checksums
 * of an earlier version) is not compared, nor are the notes. With `without`, images are left out that were not before: contents
 * and counts may then differ, but the set of file names may not, as the division depends on them.
 */
export function requireSameData(place: string, then: DatasetInfo, now: DatasetInfo, without: boolean): void {
  const differences = without ? differencesWithout(then, now) : differencesOf(then, now);
  if (differences.length === 0) return;
  const found = `the data have changed since the study was created: ${differences.join(', ')}`;
  const fewer = sum(now) < sum(then) && now.name === 'image-folder' && !without;
  const way = fewer ? `; if an image had to be removed: ${commandName()} resume DIR --without FILE` : '';
  throw invalid(place, found, `a study can only be resumed with the same files${way}`);
}

function differencesOf(then: DatasetInfo, now: DatasetInfo): string[] {
  const found = [...structure(then, now), ...counts(then, now)];
  const [old = {}, fresh = {}] = [then.checksums, now.checksums];
  const differs = (name: keyof typeof old) =>
    old[name] !== undefined && fresh[name] !== undefined && old[name] !== fresh[name];
  if (found.length === 0 && differs('files')) found.push('file names differ');
  if (found.length === 0 && differs('search')) found.push('a training or validation sample has changed');
  if (found.length === 0 && differs('test')) found.push('a test sample has changed');
  if (found.length === 0 && then.kind !== now.kind)
    found.push(`the task is now ${printable(now.kind)} instead of ${printable(then.kind)}`);
  if (found.length === 0 && !isDeepStrictEqual(plain(then.ownTask), plain(now.ownTask)))
    found.push(`the task ${printable(now.kind)} has changed`);
  if (found.length === 0 && !isDeepStrictEqual(rest(then, now), rest(now, then)))
    found.push('the statistics of the data have changed');
  return found;
}

function differencesWithout(then: DatasetInfo, now: DatasetInfo): string[] {
  const found = structure(then, now);
  const [before, after] = [then.checksums?.files, now.checksums?.files];
  if (before !== undefined && before !== after) {
    found.push('files were added, or files other than the skipped ones are missing');
  }
  for (const part of ['train', 'valid', 'test'] as const) {
    if (now.counts[part] > then.counts[part]) found.push(...counts(then, now));
  }
  return [...new Set(found)];
}

function structure(then: DatasetInfo, now: DatasetInfo): string[] {
  const shape = (list: readonly number[]) => `[${list.join(', ')}]`;
  return [
    ...(isDeepStrictEqual(then.labels, now.labels)
      ? []
      : [`the ${factsOf(then).outputsName.many} are now ${named(now)} instead of ${named(then)}`]),
    ...(isDeepStrictEqual(then.input, now.input)
      ? []
      : [`the sample shape is now ${shape(now.input)} instead of ${shape(then.input)}`]),
  ];
}

function named({ labels }: DatasetInfo): string {
  const shown = labels.slice(0, 10).map(printable).join(', ');
  return labels.length > 10 ? `${shown}, ... (${labels.length})` : shown;
}

function counts(then: DatasetInfo, now: DatasetInfo): string[] {
  return (['train', 'valid', 'test'] as const).flatMap((part) =>
    then.counts[part] === now.counts[part]
      ? []
      : [`${now.counts[part]} ${PARTS[part]} samples instead of ${then.counts[part]}`],
  );
}

/** All fields except those that are compared separately, and quantiles where the `other` lacks them, as studies of earlier versions do. */
function rest({ notes, checksums, quantiles, ...info }: DatasetInfo, other: DatasetInfo): unknown {
  return plain({ ...info, ...(other.quantiles && { quantiles }) });
}

/** As it is when it comes out of a store. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function sum({ counts: { train, valid, test } }: DatasetInfo): number {
  return train + valid + test;
}
