import { constants, type Stats } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gunzipSync, constants as zlib } from 'node:zlib';
import { invalid, messageOf } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import { thousands } from '../split.ts';

/** Bytes of a file, unpacked where it is gzipped, that are read: a small gzip file may stand for any number. */
export const MAX_UNPACKED = 2 ** 30;

/** The data path that a request must give. Throws UserError without one, or when it is not what `kind` says. */
export async function existing(place: string, path: string | undefined, kind: 'folder' | 'file'): Promise<string> {
  if (path === undefined || path === '') throw invalid(place, 'no data path is given', `it must name a ${kind}`);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? undefined : messageOf(error),
  );
  const right = typeof found === 'object' && (kind === 'folder' ? found.isDirectory() : found.isFile());
  if (!right) {
    const what =
      found === undefined ? 'it does not exist' : typeof found === 'string' ? found : `it is ${kindOf(found)}`;
    throw invalid(`${place}, "${printable(path)}"`, printable(what), `the data path must be an existing ${kind}`);
  }
  return path;
}

/** `a folder`, `a named pipe`: what a path leads to. */
export function kindOf(found: Pick<Stats, 'isDirectory' | 'isFile' | 'isFIFO' | 'isSocket'>): string {
  if (found.isDirectory()) return 'a folder';
  if (found.isFile()) return 'a file';
  return found.isFIFO() ? 'a named pipe' : found.isSocket() ? 'a socket' : 'a device';
}

/** The folder that holds the files: `dir` itself, or `dir/inner`, as an archive unpacks to. */
export async function folderWith(dir: string, inner: string, file: RegExp): Promise<string> {
  const holds = async (folder: string) => (await readdir(folder).catch(() => [])).some((name) => file.test(name));
  return !(await holds(dir)) && (await holds(join(dir, inner))) ? join(dir, inner) : dir;
}

/** The names in a folder. Throws UserError when it cannot be read. */
export async function namesIn(dir: string): Promise<string[]> {
  return readdir(dir).catch((error: unknown) => {
    throw invalid(`folder "${printable(dir)}"`, printable(messageOf(error)), 'it must be readable');
  });
}

/**
 * All bytes of a file. Throws Error, which does not name it, for one that cannot be read, is longer than `limit`, or is no
 * file: opening a named pipe would wait forever.
 */
export async function readRegular(path: string, limit: number): Promise<Uint8Array> {
  await using handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const found = await handle.stat();
  if (!found.isFile()) throw new Error(`it is ${kindOf(found)}, not a file`);
  if (found.size > limit) throw new Error(tooLong(found.size, limit));
  const bytes = await handle.readFile();
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Bytes of a file from `start`, at most `length`, and its size. Throws Error as readRegular does. */
export async function readPart(
  path: string,
  start: number,
  length: number,
): Promise<{ bytes: Uint8Array; size: number }> {
  await using handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const found = await handle.stat();
  if (!found.isFile()) throw new Error(`it is ${kindOf(found)}, not a file`);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, start);
  return { bytes: new Uint8Array(buffer.buffer, buffer.byteOffset, bytesRead), size: found.size };
}

function tooLong(bytes: number, limit: number): string {
  return `it has ${thousands(bytes)} bytes; the limit is ${thousands(limit)}`;
}

/**
 * All bytes of a file, unpacked where it is gzipped (by its first two bytes, whatever its name). At most `limit` are read,
 * or, with `expected`, what that makes of the first bytes (unpacked) where it is less; one byte more shows that there are more.
 * Throws UserError for a file that cannot be read, is cut short or corrupt, or longer than the limit.
 */
export async function readUnpacked(
  path: string,
  { limit = MAX_UNPACKED, expected }: { readonly limit?: number; expected?(first: Uint8Array): number } = {},
): Promise<Uint8Array> {
  const place = `file "${printable(path)}"`;
  const raw = await readRegular(path, limit).catch((error: unknown) => {
    throw invalid(place, printable(messageOf(error)), 'it must be readable');
  });
  if (raw[0] !== 0x1f || raw[1] !== 0x8b) return raw;
  const needed = Math.max(expected?.(unpackedStart(raw)) ?? limit, 0);
  const bytes = await promisify(gunzip)(raw, { maxOutputLength: Math.min(limit, needed + 1) }).catch((error) => {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      const more = (most: number) => `it unpacks to more than ${thousands(most)} bytes`;
      throw needed < limit
        ? invalid(place, more(needed), 'it has more data than its header says')
        : invalid(place, more(limit), 'that is the limit');
    }
    if (messageOf(error) === 'unexpected end of file') {
      const end = `${place}, byte offset ${thousands(raw.length)}`;
      throw invalid(end, 'the gzip data ends early', 'the file is truncated; download it again');
    }
    throw invalid(place, `its gzip data is corrupt (${messageOf(error)})`, 'download it again');
  });
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What the first bytes of a gzip file unpack to; nothing where they are corrupt. */
function unpackedStart(raw: Uint8Array): Uint8Array {
  try {
    return gunzipSync(raw.subarray(0, 512), { finishFlush: zlib.Z_SYNC_FLUSH });
  } catch {
    return new Uint8Array(0);
  }
}
