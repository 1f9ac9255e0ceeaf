import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, messageOf } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import { assembleClasses } from '../assemble.ts';
import { CIFAR_10_CLASSES, CIFAR_100_CLASSES } from '../class-names.ts';
import type { DataRequest, Dataset } from '../dataset.ts';
import { memorySource, type Source } from '../samples.ts';
import { thousands } from '../split.ts';
import { existing, folderWith, kindOf, MAX_UNPACKED, namesIn, readRegular } from './files.node.ts';

/** The official binary format: records of label bytes and 3,072 pixel bytes (red, green, blue planes, row-major). */
interface Format {
  readonly name: 'cifar-10' | 'cifar-100';
  readonly folder: string;
  readonly train: readonly string[];
  readonly test: string;
  readonly namesFile: string;
  readonly names: readonly string[];
  /** Bytes before the pixels; the last of them is the class (CIFAR-100: coarse, then fine). */
  readonly labelBytes: number;
}

const PIXELS = 3 * 32 * 32;
const MAX_NAMES_BYTES = 2 ** 20;

const CIFAR_10: Format = {
  name: 'cifar-10',
  folder: 'cifar-10-batches-bin',
  train: [1, 2, 3, 4, 5].map((k) => `data_batch_${k}.bin`),
  test: 'test_batch.bin',
  namesFile: 'batches.meta.txt',
  names: CIFAR_10_CLASSES,
  labelBytes: 1,
};

const CIFAR_100: Format = {
  name: 'cifar-100',
  folder: 'cifar-100-binary',
  train: ['train.bin'],
  test: 'test.bin',
  namesFile: 'fine_label_names.txt',
  names: CIFAR_100_CLASSES,
  labelBytes: 2,
};

/** CIFAR-10 from the official binary files (Krizhevsky 2009); whichever training batches are present are used. */
export function openCifar10(request: DataRequest): Promise<Dataset> {
  return openCifar(CIFAR_10, request);
}

/** CIFAR-100 with its 100 fine classes, from the official binary files (Krizhevsky 2009). */
export function openCifar100(request: DataRequest): Promise<Dataset> {
  return openCifar(CIFAR_100, request);
}

/**
 * Throws UserError for a missing folder, no training file, a file that is not whole records or a label that is no class
 * (with its byte offset).
 */
async function openCifar(format: Format, request: DataRequest): Promise<Dataset> {
  const { name } = format;
  const wanted = new RegExp(`^(${[...format.train, format.test].join('|')})$`);
  const dir = await folderWith(await existing(name, request.dir, 'folder'), format.folder, wanted);
  const place = `${name}, folder "${dir}"`;
  const files = new Set(await namesIn(dir));
  const present = format.train.filter((file) => files.has(file));
  if (present.length === 0) {
    throw invalid(place, 'no training file found', `at least one of ${format.train.join(', ')} is needed`);
  }
  const absent = format.train.filter((file) => !files.has(file));
  const labels = await classNames(format, files.has(format.namesFile) ? join(dir, format.namesFile) : undefined);
  const pool = await readRecords(
    format,
    present.map((file) => join(dir, file)),
    labels.length,
  );
  const readTest = () => readRecords(format, [join(dir, format.test)], labels.length);
  // The test file is checked now, so that a damaged one is not found out after the search; it is not kept.
  const test = files.has(format.test) ? { count: (await readTest()).count, open: readTest } : undefined;
  return assembleClasses(
    place,
    {
      info: { name, kind: 'classification', input: [3, 32, 32], outputs: labels.length, labels, range: [0, 255] },
      pool,
      test,
      notes: [
        `${thousands(pool.count)} images from ${present.join(', ')}${absent.length > 0 ? ` (absent: ${absent.join(', ')})` : ''}.`,
        test
          ? `${thousands(test.count)} test images in ${format.test}.`
          : `The official test file ${format.test} is missing.`,
      ],
    },
    request,
  );
}

async function classNames(format: Format, path: string | undefined): Promise<readonly string[]> {
  if (path === undefined) return format.names;
  const text = await readRegular(path, MAX_NAMES_BYTES).then(
    (bytes) => Buffer.from(bytes).toString('utf8'),
    (error: unknown) => {
      throw invalid(`file "${printable(path)}"`, printable(messageOf(error)), 'it must list the class names');
    },
  );
  const names = text.split('\n').flatMap((line) => line.trim() || []);
  if (names.length !== format.names.length || new Set(names).size !== names.length) {
    const rule = `it must list the ${format.names.length} different class names, one per line`;
    throw invalid(`file "${path}"`, `${names.length} names, ${new Set(names).size} of them different`, rule);
  }
  return names;
}

/** All records of the files, read into one block of memory and used where they lie. */
async function readRecords(format: Format, paths: readonly string[], classes: number): Promise<Source> {
  const record = format.labelBytes + PIXELS;
  const files = await Promise.all(paths.map(async (path) => ({ path, size: await sizeOf(format, path) })));
  const together = files.reduce((sum, { size }) => sum + size, 0);
  if (together > MAX_UNPACKED) {
    const found = `the files have ${thousands(together)} bytes in total`;
    throw invalid(
      `${format.name} file "${printable(paths[0] ?? '')}"`,
      found,
      `the limit is ${thousands(MAX_UNPACKED)}`,
    );
  }
  for (const { path, size } of files) {
    if (size > 0 && size % record === 0) continue;
    const last = thousands(size - (size % record));
    const found = size === 0 ? 'the file is empty' : `the record is truncated (the file has ${thousands(size)} bytes)`;
    const rule = `every record has ${thousands(record)} bytes`;
    throw invalid(`${format.name} file "${path}", byte offset ${last}`, found, rule);
  }
  const values = new Uint8Array(together);
  const targets = new Float32Array(values.length / record);
  let start = 0;
  for (const { path, size } of files) {
    const bytes = values.subarray(start, start + size);
    await readInto(path, bytes);
    for (let offset = format.labelBytes - 1; offset < size; offset += record) {
      const label = bytes[offset] ?? Number.NaN;
      if (label >= classes) {
        const place = `${format.name} file "${path}", byte offset ${thousands(offset)}`;
        throw invalid(place, `label ${label}`, `a label is at most ${classes - 1}`);
      }
      targets[(start + offset - format.labelBytes + 1) / record] = label;
    }
    start += size;
  }
  return memorySource({ values, elements: PIXELS, offset: format.labelBytes, stride: record, targets });
}

/** Throws UserError for what is no file: reading a named pipe would wait forever. */
async function sizeOf(format: Format, path: string): Promise<number> {
  const found = await stat(path).catch((error: unknown) => messageOf(error));
  if (typeof found === 'object' && found.isFile()) return found.size;
  const what = typeof found === 'string' ? printable(found) : `it is ${kindOf(found)}`;
  throw invalid(`${format.name} file "${printable(path)}"`, what, 'it must be a readable file');
}

async function readInto(path: string, bytes: Uint8Array): Promise<void> {
  const place = `file "${printable(path)}"`;
  try {
    await using file = await open(path);
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, done);
      if (bytesRead === 0) throw new Error('the file was truncated while it was being read');
      done += bytesRead;
    }
  } catch (error) {
    throw invalid(place, printable(messageOf(error)), 'it must be a readable file');
  }
}
