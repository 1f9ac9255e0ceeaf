import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar';
import { invalid, messageOf, UserError } from '../common/errors.ts';
import { DATASETS, type DatasetEntry, type DatasetFile } from './catalogue.ts';
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
 * Fetches the official files of a dataset of the catalogue into a folder of its own below `targetDir`, and returns that
 * folder: what `openDataset` takes as `dir`. What is there already is not fetched again, an interrupted file goes on where
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
    throw invalid(
      'download',
      `"${name}" ${entry ? 'is not fetched' : 'is unknown'}`,
      `it must be one of ${fetched.join(', ')}`,
    );
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
    throw invalid(`folder "${target}"`, messageOf(error), 'it must be possible to write there');
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
  if ((await sizeOf(path)) > 0 && (await md5Of(path)) === file.md5) return;
  const part = `${path}.part`;
  const failures: string[] = [];
  for (const url of file.urls) {
    try {
      await fetchPart(file, url, part, options);
      const md5 = await md5Of(part);
      if (md5 !== file.md5) {
        await rm(part, { force: true });
        throw new Error(`its MD5 is ${md5}, it must be ${file.md5}; what was received is removed`);
      }
      return await rename(part, path);
    } catch (error) {
      options.signal?.throwIfAborted();
      failures.push(`${url}: ${reasonOf(error)}`);
    }
  }
  const kept = await sizeOf(part);
  const rule = kept > 0 ? `${thousands(kept)} bytes are kept: run it again to go on from there` : 'run it again later';
  throw new UserError(`download of ${file.name}: ${failures.join('; ')}; ${rule}`);
}

/** Brings `part` to its full length, from where it is if the server can do that. */
async function fetchPart(file: DatasetFile, url: string, part: string, options: DownloadOptions): Promise<void> {
  const { signal = null } = options;
  const get = options.fetch ?? fetch;
  const have = await sizeOf(part);
  // Without `identity`, fetch would unpack a file that a server sends with Content-Encoding: gzip.
  const headers = { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) };
  const response = await get(url, { headers, signal });
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
  if (response.status === 206 && !goesOn) throw new Error('the server sent another range than was asked for');
  let received = goesOn ? have : 0;
  const length = response.headers.get('content-length');
  const total = length === null ? file.bytes : received + Number(length);
  const count = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      received += chunk.length;
      options.onProgress?.({ file: file.name, received, total });
      yield chunk;
    }
  };
  await pipeline(response.body, count, createWriteStream(part, { flags: goesOn ? 'a' : 'w' }));
  if (length !== null && received < total)
    throw new Error(`it ended after ${thousands(received)} of ${thousands(total)} bytes`);
}

/** Moves the named files of an archive into `target`, each in one step, and removes the archive. */
async function unpack(archive: string, names: readonly string[], target: string): Promise<void> {
  const staging = await mkdtemp(join(target, '.unpack-'));
  try {
    const wanted = new Set(names);
    // Official archives hold one folder with the files; only plain files of the expected names are taken from it.
    const filter = (path: string) => wanted.has(basename(path));
    await extract({ file: archive, cwd: staging, strip: 1, strict: true, filter });
    for (const name of names) {
      if ((await sizeOf(join(staging, name))) === 0)
        throw invalid(`archive "${archive}"`, `it holds no ${name}`, 'it must');
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

async function md5Of(path: string): Promise<string> {
  const hash = createHash('md5');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** fetch hides what went wrong in `cause`. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${messageOf(error.cause)})` : '';
  return messageOf(error) + cause;
}
