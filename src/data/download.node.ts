import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, type Stats } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ReadEntry } from 'tar';
import { unknownName } from '../common/closest.ts';
import { invalid, messageOf, UserError } from '../common/errors.ts';
import { DATASETS, type DatasetEntry, type DatasetFile } from './catalog.ts';
import { thousands } from './split.ts';

export interface DownloadProgress {
  readonly file: string;
  /** Bytes on disk so far, those of an earlier attempt among them. */
  readonly received: number;
  readonly total: number;
}

export interface DownloadOptions {
  onProgress?(progress: DownloadProgress): void;
  readonly signal?: AbortSignal | undefined;
  readonly fetch?: typeof fetch;
}

/**
 * Fetches the official files of a dataset of the catalog into its own folder below `targetDir`, and returns that
 * folder: what `openDataset` takes as `dir`. Existing files are not fetched again, an interrupted download continues where
 * it stopped, and nothing stands under its final name before its checksum agrees.
 * Throws UserError for a dataset that is not fetched, a server that refuses, an interruption, or a wrong checksum; rejects
 * with the signal's reason when aborted.
 */
export async function downloadDataset(name: string, targetDir: string, options: DownloadOptions = {}): Promise<string> {
  const entry: DatasetEntry | undefined = Object.hasOwn(DATASETS, name)
    ? DATASETS[name as keyof typeof DATASETS]
    : undefined;
  if (entry?.origin.kind !== 'download') {
    const fetched = Object.entries(DATASETS).flatMap(([known, { origin }]) =>
      origin.kind === 'download' ? known : [],
    );
    if (entry === undefined) throw unknownName('data get: unknown data set', name, fetched);
    throw invalid('data get', `"${name}" cannot be downloaded`, `it must be one of ${fetched.join(', ')}`);
  }
  return downloadFiles(entry.origin, targetDir, options);
}

/** Fetches (and unpacks) the files into `targetDir/folder`, and returns that. */
export async function downloadFiles(
  { folder, files }: { readonly folder: string; readonly files: readonly DatasetFile[] },
  targetDir: string,
  options: DownloadOptions,
): Promise<string> {
  const target = join(targetDir, folder);
  await mkdir(target, { recursive: true }).catch((error: unknown) => {
    throw invalid(`folder "${target}"`, messageOf(error), 'the folder must be writable');
  });
  for (const file of files) {
    const path = join(target, file.name);
    if (file.unpack && (await allThere(target, file.unpack))) continue;
    await downloadFile(file, path, options);
    if (file.unpack) await unpack(path, file.unpack, target);
  }
  return target;
}

/** Fetches one file to `path`, by way of `path.part`. */
async function downloadFile(file: DatasetFile, path: string, options: DownloadOptions): Promise<void> {
  if ((await sizeOf(path)) > 0 && (await sha256Of(path)) === file.sha256) return;
  const part = `${path}.part`;
  const failures: string[] = [];
  for (const url of file.urls) {
    try {
      await fetchPart(file, url, part, options);
      const sha256 = await sha256Of(part);
      if (sha256 !== file.sha256) {
        await rm(part, { force: true });
        throw new Error(`its SHA-256 is ${sha256} instead of ${file.sha256}; the received data was removed`);
      }
      return await rename(part, path);
    } catch (error) {
      options.signal?.throwIfAborted();
      failures.push(`${url}: ${reasonOf(error)}`);
    }
  }
  const kept = await sizeOf(part);
  const rule =
    kept > 0 ? `${thousands(kept)} bytes are kept: run the command again to continue` : 'run the command again later';
  throw new UserError(`download of ${file.name}: ${failures.join('; ')}; ${rule}`);
}

const MOST_REDIRECTS = 5;

/** Fetches an address and follows its redirects, over `https:` only, so that the answer cannot be read or changed on its way. */
async function getSecurely(url: string, init: RequestInit, get: typeof fetch): Promise<Response> {
  let address = new URL(url);
  for (let left = MOST_REDIRECTS; ; left--) {
    if (address.protocol !== 'https:') throw new Error(`${address.protocol} is not secure; the address must be https:`);
    const response = await get(address.href, { ...init, redirect: 'manual' });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) return response;
    await response.body?.cancel();
    if (left === 0) throw new Error('too many redirects');
    address = new URL(location, address);
  }
}

/** Brings `part` to its full length, from where it is if the server can do that. */
async function fetchPart(file: DatasetFile, url: string, part: string, options: DownloadOptions): Promise<void> {
  const { signal = null } = options;
  const have = await sizeOf(part);
  // Without `identity`, fetch would unpack a file that a server sends with Content-Encoding: gzip.
  const headers = { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) };
  const response = await getSecurely(url, { headers, signal }, options.fetch ?? fetch);
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  if (response.status === 416) {
    await response.body?.cancel();
    if (Number(range?.[2]) === have) return; // nothing was missing
    await rm(part, { force: true });
    return fetchPart(file, url, part, options);
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`HTTP status ${response.status}`);
  }
  const goesOn = response.status === 206 && Number(range?.[1]) === have;
  if (response.status === 206 && !goesOn) throw new Error('the server sent a different range than requested');
  let received = goesOn ? have : 0;
  const length = response.headers.get('content-length');
  const total = length === null ? file.bytes : received + Number(length);
  const tooLong = `it is longer than the expected ${thousands(file.bytes)} bytes; the received data was removed`;
  if (total > file.bytes) {
    await response.body.cancel();
    await rm(part, { force: true });
    throw new Error(tooLong);
  }
  const count = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      received += chunk.length;
      if (received > file.bytes) throw new Error(tooLong);
      options.onProgress?.({ file: file.name, received, total });
      yield chunk;
    }
  };
  try {
    await pipeline(response.body, count, createWriteStream(part, { flags: goesOn ? 'a' : 'w' }));
  } catch (error) {
    if (received > file.bytes) await rm(part, { force: true });
    throw error;
  }
  if (length !== null && received < total)
    throw new Error(`the download ended after ${thousands(received)} of ${thousands(total)} bytes`);
}

/** Files of an archive together are never larger: those of CIFAR have 184 MB. */
const MAX_UNPACKED = 2 ** 30;

/**
 * Moves the named files of an archive into `target`, each in one step, and removes the archive. Official archives hold one folder
 * with the files; only plain files of the expected names are taken from it, no links, and nothing outside that folder.
 */
async function unpack(archive: string, names: readonly string[], target: string): Promise<void> {
  const { extract } = await import('tar');
  const staging = await mkdtemp(join(target, '.unpack-'));
  try {
    const wanted = new Set(names);
    let unpacked = 0;
    const filter = (path: string, entry: Stats | ReadEntry) => {
      const isFile = 'type' in entry && entry.type === 'File';
      if (!isFile || path.split('/').length !== 2 || !wanted.has(basename(path))) return false;
      unpacked += entry.size;
      return unpacked <= MAX_UNPACKED;
    };
    await extract({ file: archive, cwd: staging, strip: 1, strict: true, filter });
    for (const name of names) {
      if ((await sizeOf(join(staging, name))) === 0)
        throw invalid(`archive "${archive}"`, `the archive does not contain ${name}`, 'it must');
      await rename(join(staging, name), join(target, name));
    }
    await rm(archive);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function allThere(folder: string, names: readonly string[]): Promise<boolean> {
  const sizes = await Promise.all(names.map((name) => sizeOf(join(folder, name))));
  return sizes.every((size) => size > 0);
}

/** Bytes of a file; 0 without one. */
async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** fetch hides what went wrong in `cause`. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${messageOf(error.cause)})` : '';
  return messageOf(error) + cause;
}
