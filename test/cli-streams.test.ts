import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { json } from './support/netsmith.ts';
import { start } from './support/process.ts';

const SMALL = '--space mlp --train-samples 100 --epochs 1 --seed 5'.split(' ');

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-streams-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function errorsOf(child: ChildProcess): Promise<string> {
  let err = '';
  child.stderr?.on('data', (text: string) => {
    err += text;
  });
  await once(child, 'close');
  return err;
}

test('a reader that is gone (| head -1) is no error for a command that prints', async () => {
  for (const args of [
    ['--help'],
    ['spaces', '--schema'],
    ['show', '--space', 'darts', '--arch', 'DARTS_V2', '--json'],
  ]) {
    const child = start(...args);
    child.stdout?.destroy();
    assert.equal(await errorsOf(child), '', args.join(' '));
    assert.equal(child.exitCode, 0, args.join(' '));
  }
});

test('a search whose output is no longer read (2>&1 | head -1) runs to its end', async () => {
  const dir = join(folder, 'unread');
  const child = start('search', ...SMALL, '--trials', '3', '--out', dir);
  child.stderr?.once('data', () => {
    child.stderr?.destroy();
    child.stdout?.destroy();
  });
  await once(child, 'exit');
  assert.equal(child.exitCode, 0);
  assert.deepEqual((await json('status', dir)).states, { complete: 3 });
});

for (const signal of ['SIGHUP', 'SIGTERM'] as const)
  test(`${signal} stops a search as Ctrl-C does: its trials are kept, and the exit code names the signal`, async () => {
    const dir = join(folder, signal);
    const child = start('search', ...SMALL, '--trials', '1000', '--out', dir);
    let [err, sent] = ['', false];
    child.stderr?.on('data', (text: string) => {
      err += text;
      if (!sent && err.includes('[1 of 1000]')) sent = child.kill(signal);
    });
    await once(child, 'close');
    assert.equal(child.exitCode, 128 + constants.signals[signal], err);
    assert.match(err, new RegExp(`Resume with: (npx netsmith|node \\S+) resume ${dir}\n`));
    const { states } = await json('status', dir);
    assert.ok(
      states.complete >= 1 && states.running === undefined && states.failed === undefined,
      JSON.stringify(states),
    );
  });
