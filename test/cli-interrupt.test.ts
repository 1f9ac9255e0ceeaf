import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { json } from './support/netsmith.ts';
import { start, startHeld } from './support/process.ts';

const SETTINGS = '--space mlp --train-samples 300 --epochs 3 --seed 5'.split(' ');

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-interrupt-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs to its end; `watch` sees standard error as it grows. */
async function finish(child: ChildProcess, watch: (err: string) => void = () => {}) {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (text: string) => {
    out += text;
  });
  child.stderr?.on('data', (text: string) => {
    err += text;
    watch(err);
  });
  const [code, signal] = await once(child, 'close');
  return { code, signal, out, err };
}

async function trialsOf(dir: string) {
  const timeless = ({ seconds: _, spent: __, ...rest }: { seconds: number; spent: object }) => rest;
  return (await json('trials', dir)).map(timeless);
}

test('Ctrl-C finishes cleanly and says how to resume; resume gives the result of an undisturbed search', async () => {
  const [stopped, undisturbed] = [join(folder, 'stopped'), join(folder, 'undisturbed')];
  const until = join(folder, 'interrupted');
  const child = startHeld(
    { text: '[3 of 4]', times: 1, until },
    'search',
    ...SETTINGS,
    '--trials',
    '4',
    '--out',
    stopped,
  );
  let sent = false;
  const ended = await finish(child, (err) => {
    if (sent || !err.includes('[1 of 4]')) return;
    sent = child.kill('SIGINT');
    writeFileSync(until, '');
  });
  assert.equal(ended.code, 130, ended.err);
  assert.match(ended.err, /netsmith(\.js)? resume .*stopped/);
  const done = (await trialsOf(stopped)).filter(({ state }: { state: string }) => state === 'complete');
  assert.ok(done.length >= 1 && done.length < 4, `${done.length} trials were done`);

  const resumed = await finish(start('resume', stopped, '--json'));
  assert.equal(resumed.code, 0, resumed.err);
  assert.equal(JSON.parse(resumed.out).trials, 4);
  assert.equal((await finish(start('search', ...SETTINGS, '--trials', '4', '--out', undisturbed))).code, 0);
  assert.deepEqual(await trialsOf(stopped), await trialsOf(undisturbed));
});

test('a second writer is refused with the process id of the first, while readers are welcome', async () => {
  const dir = join(folder, 'busy');
  const until = join(folder, 'looked');
  const hold = { text: '[5 of 50]', times: 1, until };
  const first = startHeld(hold, 'search', ...SETTINGS, '--trials', '50', '--out', dir);
  let looked: Promise<[{ code: number; err: string }, { code: number; out: string }]> | undefined;
  const ended = finish(first, (err) => {
    if (looked !== undefined || !err.includes('[1 of 50]')) return;
    looked = Promise.all([finish(start('resume', dir)), finish(start('status', dir, '--json'))]);
    looked.finally(() => {
      first.kill('SIGINT');
      writeFileSync(until, '');
    });
  });
  assert.equal((await ended).code, 130);
  const [second, reader] = (await looked) ?? [];
  assert.equal(second?.code, 2);
  assert.match(second?.err ?? '', new RegExp(`process ${first.pid} is writing`));
  assert.equal(reader?.code, 0);
  assert.ok(JSON.parse(reader?.out ?? '').trials >= 1);
});
