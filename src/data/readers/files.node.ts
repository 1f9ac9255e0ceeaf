import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { invalid, messageOf } from '../../common/errors.ts';
import { thousands } from '../split.ts';

/** The data path that a request must give. Throws UserError without one, or when it is not what `kind` says. */
export async function existing(place: string, path: string | undefined, kind: 'folder' | 'file'): Promise<string> {
  if (path === undefined || path === '') throw invalid(place, 'no data path is given', `it must name a ${kind}`);
  const found = await stat(path).catch(() => undefined);
  const what = !found ? 'there is none' : found.isDirectory() ? 'it is a folder' : 'it is a file';
  const right = kind === 'folder' ? found?.isDirectory() : found?.isFile();
  if (!right) throw invalid(`${place}, "${path}"`, what, `the data path must be an existing ${kind}`);
  return path;
}

/** The folder that holds the files: `dir` itself, or `dir/inner`, as an archive unpacks to. */
export async function folderWith(dir: string, inner: string, file: RegExp): Promise<string> {
  const holds = async (folder: string) => (await readdir(folder).catch(() => [])).some((name) => file.test(name));
  return !(await holds(dir)) && (await holds(join(dir, inner))) ? join(dir, inner) : dir;
}

/** All bytes of a file, unpacked where it is gzipped (by its first two bytes, whatever its name). */
export async function readUnpacked(path: string): Promise<Uint8Array> {
  const raw = await readFile(path).catch((error: unknown) => {
    throw invalid(`file "${path}"`, messageOf(error), 'it must be readable');
  });
  if (raw[0] !== 0x1f || raw[1] !== 0x8b) return new Uint8Array(raw.buffer, raw.byteOffset, raw.length);
  const bytes = await promisify(gunzip)(raw).catch((error: unknown) => {
    const place = `file "${path}", byte offset ${thousands(raw.length)}`;
    if (messageOf(error) === 'unexpected end of file') {
      throw invalid(place, 'the gzip data ends early', 'the file is cut short; fetch it again');
    }
    throw invalid(`file "${path}"`, `its gzip data is corrupt (${messageOf(error)})`, 'fetch it again');
  });
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
