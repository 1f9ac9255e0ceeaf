import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { json, netsmith, refusedIn } from './support/netsmith.ts';
import { start } from './support/process.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-hand-designed-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const SHORT = '--space residual-cnn --trials 3 --epochs 1 --train-samples 64 --workers 1'.split(' ');

test('the hand-designed networks that are named are the first trials, in their order', async () => {
  const dir = join(folder, 'named');
  await json('search', ...SHORT, '--hand-designed', 'resnet-14,resnet-8', '--out', dir);
  const trials: readonly { architecture: Record<string, number> }[] = await json('trials', dir);
  assert.deepEqual(
    trials.slice(0, 2).map(({ architecture }) => architecture.extraBlocks1),
    [1, 0],
  );
  assert.equal(trials.length, 3);
});

test('a name that no hand-designed network has is refused', async () => {
  const args = [...SHORT, '--hand-designed', 'resnet-9', '--out', join(folder, 'unknown')];
  await refusedIn(
    folder,
    /--hand-designed: "resnet-9"; must be all or among resnet-8, resnet-14, resnet-20/,
    'search',
    ...args,
  );
});

test('a search that began with hand-designed networks and was interrupted has a report', async () => {
  const dir = join(folder, 'interrupted');
  const space = SHORT.slice(0, 2);
  const more = ['--hand-designed', 'resnet-8', '--strategy', 'local-search', '--time', '10m', '--out', dir];
  const child = start('search', ...space, '--epochs', '1', '--train-samples', '64', '--workers', '1', ...more);
  child.stderr?.on('data', (text: string) => {
    if (text.includes('trial 1:')) child.kill('SIGINT');
  });
  await once(child, 'close');
  const { code, err } = await netsmith('report', dir);
  assert.equal(code, 0, err);
});
