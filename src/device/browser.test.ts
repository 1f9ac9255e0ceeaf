import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { messageOf, UserError } from '../common/errors.ts';
import { servePage } from './browser-server.node.ts';
import { targetOf } from './open.node.ts';
import type { OpenTarget } from './target.ts';
import { targetConformance } from './testing/conformance.ts';
import { chainModel } from './testing/models.ts';

const required = process.env.NETSMITH_REQUIRE_BROWSER === '1';
const REQUEST = { batch: 1, warmup: 0, runs: 1, seconds: 0 };

await targetConformance({ target: await targetOf('browser', { threads: 2 }), required });
// In software it is slow, so one test is enough: the page is the same.
const gpuRequired = required && process.env.NETSMITH_REQUIRE_WEBGPU === '1';

/** The processes that this one has started, as Linux lists them. */
function children(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(process.pid);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Undefined where the device is not there and need not be. */
async function opened(name: 'browser' | 'browser-webgpu', isRequired: boolean): Promise<OpenTarget | undefined> {
  try {
    return await (await targetOf(name)).open();
  } catch (error) {
    assert.ok(error instanceof UserError, messageOf(error));
    if (isRequired) throw error;
    return undefined;
  }
}

suite('browser', () => {
  test('a larger network takes longer; an abort ends a timing, the end of the browser is an error, and it is started again', async (t) => {
    const target = await opened('browser', required);
    if (target === undefined) return t.skip('there is no browser');
    try {
      const large = await target.time(chainModel(20, 200), { ...REQUEST, runs: 20 });
      const small = await target.time(chainModel(1, 8), { ...REQUEST, runs: 20 });
      assert.ok(Math.min(...large.milliseconds) > Math.min(...small.milliseconds));
      if (process.platform === 'linux') assert.ok((large.peakBytes ?? 0) > 10 * 2 ** 20, `${large.peakBytes}`);
      // The memory of the page is that of the larger one.
      assert.equal(small.peakBytes, undefined);
      assert.match(target.description, /^onnxruntime-web [\d.]+ in Chromium [\d.]+, WebAssembly, CPU .*, 1 thread$/);
      if (process.platform === 'linux') {
        const endless = target.time(chainModel(1, 8), { ...REQUEST, seconds: 1e6 });
        for (const pid of children()) process.kill(pid, 'SIGKILL');
        await assert.rejects(
          endless,
          (error) => error instanceof UserError && /the browser has ended/.test(error.message),
        );
      }
      const stop = new AbortController();
      const endless = target.time(chainModel(1, 8), { ...REQUEST, seconds: 1e6, signal: stop.signal });
      setImmediate(() => stop.abort(new Error('enough')));
      await assert.rejects(endless, /enough/);
    } finally {
      await target.close();
    }
  });

  test('with WebGPU it times, too, or says that there is no graphics card', async (t) => {
    const target = await opened('browser-webgpu', gpuRequired);
    if (target === undefined) return t.skip('there is no browser with WebGPU');
    try {
      assert.match(target.description, /WebGPU/);
      const { milliseconds } = await target.time(chainModel(1, 8), { ...REQUEST, batch: 2, runs: 2 });
      assert.ok(milliseconds.length === 2 && milliseconds.every((ms) => ms > 0));
    } finally {
      await target.close();
    }
  });

  test('a browser that is not there, or does not start, is refused with place, value and rule', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'netsmith-no-browser-'));
    const refused = async (browser: string, expected: RegExp) =>
      assert.rejects(
        async () => (await targetOf('browser', { browser, patience: 1 })).open(),
        (error) => {
          assert.ok(error instanceof UserError, messageOf(error));
          assert.match(error.message, expected);
          return true;
        },
      );
    try {
      await refused(join(folder, 'absent'), /^--browser: ".*absent"; must be the executable of Chromium/);
      await refused(folder, /must be the executable/);
      if (process.platform !== 'win32') {
        const broken = join(folder, 'broken');
        writeFileSync(broken, '#!/bin/sh\necho no display >&2\nexit 3\n');
        chmodSync(broken, 0o755);
        await refused(
          broken,
          /^device target "browser": ".*broken" does not start: .*must be a Chromium that runs here/,
        );
        writeFileSync(broken, '#!/bin/sh\nexec sleep 1000\n');
        await refused(broken, /does not start: .*1000 ?ms/i);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    await assert.rejects(targetOf('node', { browser: '/bin/true' }), /--browser: "\/bin\/true"; the target is node/);
  });
});

test('the server gives the page, its modules and the model, isolated, and only by its own name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-page-'));
  writeFileSync(join(folder, 'ort.wasm.min.mjs'), 'export {};');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  const server = await servePage(folder);
  try {
    server.give(new Uint8Array([1, 2, 3]));
    const get = (path: string) => fetch(`${server.origin}${path}`);
    const page = await get('/');
    assert.equal(page.headers.get('cross-origin-embedder-policy'), 'require-corp');
    assert.equal(page.headers.get('cross-origin-opener-policy'), 'same-origin');
    assert.match(await page.text(), /page\.js/);
    assert.match(await (await get('/page.js')).text(), /timeModel/);
    assert.equal(await (await get('/ort/ort.wasm.min.mjs')).text(), 'export {};');
    assert.deepEqual([...new Uint8Array(await (await get('/model')).arrayBuffer())], [1, 2, 3]);
    for (const path of ['/ort/secret.txt', '/ort/..%2Fsecret.txt', '/secret.txt', '/ort/'])
      assert.equal((await get(path)).status, 404, path);
    assert.equal(
      (await fetch(server.origin.replace('127.0.0.1', 'localhost')).catch(() => ({ status: 403 }))).status,
      403,
    );
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
