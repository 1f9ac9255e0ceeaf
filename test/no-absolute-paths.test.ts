/** What is handed to others (reports, cards, models, tables) says nothing of where its maker keeps files. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { json, refusedIn } from './support/netsmith.ts';

let home = '';
before(async () => {
  home = await mkdtemp(join(tmpdir(), "Ann O'Smith "));
  await mkdir(join(home, 'data'));
  const rows = Array.from({ length: 48 }, (_, i) => `${i % 7},${(i * 5) % 11},${i % 2 === 0 ? 'even' : 'odd'}`);
  await writeFile(join(home, 'data', 'table.csv'), `a,b,label\n${rows.join('\n')}\n`);
});
after(() => rm(home, { recursive: true, force: true }));

test('report, card, model and comparison of a study name no folder; a changed model is noticed', async () => {
  const [dir, other, out] = ['first', 'second', 'compared'].map((name) => join(home, name));
  assert.ok(dir && other && out);
  const settings = ['--data', 'csv', '--data-dir', join(home, 'data', 'table.csv'), '--space', 'mlp', '--epochs', '1'];
  await json('search', ...settings, '--trials', '1', '--out', dir);
  await json('search', ...settings, '--trials', '1', '--prior', dir, '--out', other, '--seed', '1');
  for (const study of [dir, other]) {
    await json('evaluate', study, '--seeds', '1', '--no-baselines');
    await json('export', study);
    await json('report', study);
  }
  await json('compare', dir, other, '--out', out);
  const shared = /\.(html|md|onnx|json|csv|svg)$/i;
  const files = (await readdir(home, { recursive: true })).filter(
    (name) => shared.test(name) && !name.startsWith('data'),
  );
  for (const expected of [
    'report.html',
    'MODEL_CARD.md',
    'model.onnx',
    'evaluation.json',
    'comparison.html',
    'comparison.csv',
  ])
    assert.ok(
      files.some((name) => name.endsWith(expected)),
      expected,
    );
  for (const name of files) {
    const text = await readFile(join(home, name), 'latin1');
    for (const folder of ['Smith', tmpdir(), process.cwd()]) assert.ok(!text.includes(folder), `${folder} in ${name}`);
  }
  const report = await readFile(join(other, 'report.html'), 'utf8');
  for (const name of ['table.csv', 'second', 'first']) assert.ok(report.includes(name), `${name} goes by its name`);

  const model = join(dir, 'best', 'model.onnx');
  const rows = join(home, 'data', 'table.csv');
  assert.equal((await json('predict', model, rows)).length, 48);
  const bytes = await readFile(model);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(model, bytes);
  await refusedIn(home, /model ".*model\.onnx": .*checksum differs; the file is damaged/, 'predict', model, rows);
});
