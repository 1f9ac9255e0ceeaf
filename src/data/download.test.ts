import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import test, { type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { create } from 'tar';
import { DATASETS, type DatasetEntry, type DatasetFile } from './catalog.ts';
import { type DownloadProgress, downloadDataset, downloadFiles } from './download.node.ts';
import { assertRefused, tempFolder } from './testing/helpers.ts';

const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) % 256));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const file = (url: string, more: Partial<DatasetFile> = {}): DatasetFile => ({
  name: 'file.bin',
  urls: [url],
  bytes: content.length,
  sha256: sha256(content),
  ...more,
});
/** Has local servers, which speak http, answer addresses of https. */
const local: typeof fetch = (input, init) => fetch(String(input).replace(/^https:/, 'http:'), init);
const get = (entry: DatasetFile, dir: string, options = {}) =>
  downloadFiles({ folder: 'set', files: [entry] }, dir, { fetch: local, ...options });

/** A local server; `asked` lists the Range header of each request. */
async function serve(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.range);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`, asked };
}

/** Answers ranges as a good server does; with `cut`, the connection breaks after that many bytes, once some of them are in the file. */
function ranged(
  bytes: Uint8Array,
  cut: () => { readonly bytes: number; readonly file: string } | undefined = () => undefined,
) {
  return (request: IncomingMessage, response: ServerResponse) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
      return;
    }
    const range = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': bytes.length - from, ...(from > 0 && range) });
    const after = cut();
    if (after === undefined) {
      response.end(bytes.subarray(from));
      return;
    }
    response.write(bytes.subarray(from, from + after.bytes));
    sizeReached(after.file).then(() => response.destroy());
  };
}

/** Waits until the file is there and not empty. */
async function sizeReached(path: string): Promise<void> {
  while (((await stat(path).catch(() => undefined))?.size ?? 0) === 0) await turn();
}

test('a file is fetched with progress, and not fetched again', async (t) => {
  const dir = await tempFolder(t);
  const { url, asked } = await serve(t, ranged(content));
  const progress: DownloadProgress[] = [];
  const folder = await get(file(url), dir, { onProgress: (p: DownloadProgress) => progress.push(p) });
  assert.deepEqual(await readFile(join(folder, 'file.bin')), content);
  assert.deepEqual(progress.at(-1), { file: 'file.bin', received: content.length, total: content.length });
  assert.deepEqual(await readdir(folder), ['file.bin']);
  await get(file(url), dir);
  assert.equal(asked.length, 1);
});

test('an interrupted download is kept apart and continues where it stopped', async (t) => {
  const dir = await tempFolder(t);
  const folder = join(dir, 'set');
  let cut: { readonly bytes: number; readonly file: string } | undefined = {
    bytes: 100_000,
    file: join(folder, 'file.bin.part'),
  };
  const { url, asked } = await serve(
    t,
    ranged(content, () => cut),
  );
  await assertRefused(get(file(url), dir), 'file.bin', 'bytes are kept', 'run the command again');
  assert.deepEqual(await readdir(folder), ['file.bin.part']);
  const kept = (await readFile(join(folder, 'file.bin.part'))).length;
  assert.ok(kept > 0 && kept <= 100_000);
  cut = undefined;
  const received: number[] = [];
  await get(file(url), dir, { onProgress: (p: DownloadProgress) => received.push(p.received) });
  assert.deepEqual(asked, [undefined, `bytes=${kept}-`]);
  assert.ok((received[0] ?? 0) > kept);
  assert.deepEqual(await readFile(join(folder, 'file.bin')), content);
  assert.deepEqual(await readdir(folder), ['file.bin']);
});

test('a server that knows no ranges sends the whole again', async (t) => {
  const dir = await tempFolder(t);
  await mkdir(join(dir, 'set'));
  await writeFile(join(dir, 'set', 'file.bin.part'), 'the first part');
  const { url, asked } = await serve(t, (_, response) => response.end(content));
  await get(file(url), dir);
  assert.deepEqual(asked, ['bytes=14-']);
  assert.deepEqual(await readFile(join(dir, 'set', 'file.bin')), content);
});

test('a part that is complete, or longer than the file, is not asked for beyond its end', async (t) => {
  const { url } = await serve(t, ranged(content));
  for (const part of [content, Buffer.concat([content, content])]) {
    const dir = await tempFolder(t);
    await mkdir(join(dir, 'set'));
    await writeFile(join(dir, 'set', 'file.bin.part'), part);
    await get(file(url), dir);
    assert.deepEqual(await readFile(join(dir, 'set', 'file.bin')), content);
  }
});

test('a wrong checksum is refused, and what was received is removed', async (t) => {
  const dir = await tempFolder(t);
  const { url } = await serve(t, ranged(Buffer.from('<html>moved</html>')));
  await assertRefused(get(file(url), dir), 'file.bin', sha256(content), 'removed');
  assert.deepEqual(await readdir(join(dir, 'set')), []);
});

test('addresses are tried in turn; the last word has the reason of each', async (t) => {
  const dir = await tempFolder(t);
  const gone = await serve(t, (_, response) => response.writeHead(404).end());
  const good = await serve(t, ranged(content));
  await assertRefused(get(file(gone.url), dir), gone.url, '404');
  await get(file(gone.url, { urls: [gone.url, good.url] }), dir);
  assert.deepEqual(await readFile(join(dir, 'set', 'file.bin')), content);
});

test('an abort ends the download with its reason and keeps the part', async (t) => {
  const dir = await tempFolder(t);
  const { url } = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 1000));
  });
  const abort = new AbortController();
  const reason = new Error('enough');
  const onProgress = () => abort.abort(reason);
  await assert.rejects(get(file(url), dir, { signal: abort.signal, onProgress }), reason);
  assert.deepEqual(await readdir(join(dir, 'set')), ['file.bin.part']);
});

test('an archive is unpacked: the expected files alone, and the archive is removed', async (t) => {
  const source = await tempFolder(t);
  await mkdir(join(source, 'inner'));
  for (const name of ['a.bin', 'b.bin', 'readme.html']) await writeFile(join(source, 'inner', name), name);
  await create({ gzip: true, file: join(source, 'x.tar.gz'), cwd: source }, ['inner']);
  const archive = await readFile(join(source, 'x.tar.gz'));
  const { url, asked } = await serve(t, ranged(archive));
  const entry = file(url, { name: 'x.tar.gz', sha256: sha256(archive), unpack: ['a.bin', 'b.bin'] });
  const dir = await tempFolder(t);
  const folder = await get(entry, dir);
  assert.deepEqual((await readdir(folder)).sort(), ['a.bin', 'b.bin']);
  assert.equal(await readFile(join(folder, 'b.bin'), 'utf8'), 'b.bin');
  await get(entry, dir);
  assert.equal(asked.length, 1);
  await assertRefused(get({ ...entry, unpack: ['a.bin', 'c.bin'] }, dir), 'does not contain c.bin');
});

test('only https is spoken, by those referred to as well', async (t) => {
  const dir = await tempFolder(t);
  const good = await serve(t, ranged(content));
  const plain = good.url.replace('https:', 'http:');
  await assertRefused(get(file(plain), dir), 'http: is not secure');
  const insecure = await serve(t, (_, response) => response.writeHead(302, { location: plain }).end());
  await assertRefused(get(file(insecure.url), dir), 'http: is not secure');
  assert.equal(good.asked.length, 0);
  const circle = await serve(t, (_, response) => response.writeHead(302, { location: '/file.bin' }).end());
  await assertRefused(get(file(circle.url), dir), 'too many redirects');
  const secure = await serve(t, (_, response) => response.writeHead(301, { location: good.url }).end());
  await get(file(secure.url), dir);
  assert.deepEqual(await readFile(join(dir, 'set', 'file.bin')), content);
});

test('a file that is longer than it must be is not received to its end', async (t) => {
  for (const says of [true, false]) {
    const dir = await tempFolder(t);
    let sent = 0;
    const { url } = await serve(t, async (_, response) => {
      response.writeHead(200, says ? { 'content-length': 100 * content.length } : {});
      const pieces = function* () {
        for (; sent < 100; sent++) yield content;
      };
      await pipeline(Readable.from(pieces()), response).catch(() => {});
    });
    await assertRefused(get(file(url), dir), 'longer than the expected 300,000 bytes');
    assert.ok(sent < 100, `${sent} pieces were sent`);
    assert.deepEqual(await readdir(join(dir, 'set')), []);
  }
});

test('links, and files outside the folder of an archive, are not unpacked', async (t) => {
  const source = await tempFolder(t);
  await mkdir(join(source, 'inner', 'deep'), { recursive: true });
  await writeFile(join(source, 'victim'), 'secret');
  await symlink(join(source, 'victim'), join(source, 'inner', 'a.bin'));
  await writeFile(join(source, 'inner', 'deep', 'b.bin'), 'b');
  await create({ gzip: true, file: join(source, 'x.tar.gz'), cwd: source }, ['inner']);
  const archive = await readFile(join(source, 'x.tar.gz'));
  const { url } = await serve(t, ranged(archive));
  const dir = await tempFolder(t);
  for (const name of ['a.bin', 'b.bin']) {
    const entry = file(url, { name: 'x.tar.gz', bytes: archive.length, sha256: sha256(archive), unpack: [name] });
    await assertRefused(get(entry, dir), `the archive does not contain ${name}`);
  }
  assert.deepEqual(await readdir(join(dir, 'set')), ['x.tar.gz']);
});

test('only what is fetched can be asked for; the catalog gives every file a checksum and a secure address', async (t) => {
  const dir = await tempFolder(t);
  await assertRefused(downloadDataset('digits', dir), '"digits" cannot be downloaded', 'cifar-10, cifar-100, mnist');
  await assertRefused(downloadDataset('imagenet', dir), 'unknown data set "imagenet"', 'must be one of');
  await assertRefused(downloadDataset('cifar10', dir), 'did you mean "cifar-10"?');
  await writeFile(join(dir, 'blocked'), '');
  await assertRefused(downloadDataset('mnist', join(dir, 'blocked')), join(dir, 'blocked'));
  const asked: string[] = [];
  const refuse: typeof fetch = async (input) => {
    asked.push(String(input));
    return new Response(null, { status: 503 });
  };
  await assertRefused(downloadDataset('mnist', dir, { fetch: refuse }), 'train-images-idx3-ubyte.gz', '503');
  assert.equal(asked.length, 2);
  const entries: readonly DatasetEntry[] = Object.values(DATASETS);
  const files = entries.flatMap(({ origin }) => (origin.kind === 'download' ? origin.files : []));
  assert.equal(files.length, 10);
  for (const { name, urls, sha256: sum } of files) {
    assert.match(sum, /^[0-9a-f]{64}$/);
    assert.ok(
      urls.every((url) => url.startsWith('https://') && url.endsWith(`/${name}`)),
      name,
    );
  }
});
