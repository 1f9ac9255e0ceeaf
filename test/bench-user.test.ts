import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { imageFiles } from '../bench/user/data.ts';
import { imageScore } from '../bench/user/score.ts';
import { TASKS } from '../bench/user/tasks.ts';
import { json } from './support/netsmith.ts';

const folder = mkdtempSync(join(tmpdir(), 'netsmith-bench-user-test-'));
after(() => rmSync(folder, { recursive: true }));
const results = join(folder, 'results.jsonl');

/** A Python whose scripts print this. */
function python(says: string): string {
  const file = join(folder, 'python');
  writeFileSync(file, `#!/bin/sh\n${says}\n`, { mode: 0o755 });
  return file;
}

function bench(...args: readonly string[]) {
  const file = join(import.meta.dirname, '../bench/user/run.ts');
  const common = ['--results', results, '--files', join(folder, 'files'), '--cores', '0', '--json'];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=netsmith-source', file, ...common, ...args],
    { encoding: 'utf8' },
  );
  return { status, stderr, rows: status === 0 ? (JSON.parse(stdout) as Record<string, unknown>[]) : [] };
}

const FIELDS = ['task', 'contestant', 'seed', 'seconds', 'metric', 'test', 'params', 'peakMiB', 'exported'];

test('bench:user: the value of an exported network on the files of the bench is that of its own test split', async () => {
  const task = TASKS.find(({ name }) => name === 'digits');
  assert.ok(task?.kind === 'images');
  const seed = 1;
  const settings =
    '--space mlp --trials 1 --epochs 3 --confirm 0 --seeds 1 --no-baselines --no-samples --train-samples 400'.split(
      ' ',
    );
  const out = join(folder, 'study');
  const run = await json('run', ...settings, '--seed', String(seed), '--workers', '1', '--out', out);
  const sources = { shared: '', fashionMnist: '' };
  const files = await imageFiles(task, seed, sources, join(folder, 'digits'));
  assert.deepEqual([files.trainCount, files.testCount, files.shape], [1438, 359, [1, 8, 8]]);
  assert.equal(await imageScore(join(out, 'best/model.onnx'), files), run.export.test.accuracy);
  const other = await imageFiles(task, 2, sources, join(folder, 'digits-2'));
  assert.notEqual(await imageScore(join(out, 'best/model.onnx'), other), run.export.test.accuracy);
});

test('bench:user runs a contestant and reads what it prints', { skip: absent() }, () => {
  const peer = python(`echo 'RESULT {"test": 0.5, "params": 7}'`);
  const { rows, stderr } = bench('--only', 'digits,SVC', '--short', '--python', peer);
  const [row] = rows;
  assert.deepEqual(Object.keys(row ?? {}).sort(), [...FIELDS, 'budget', 'cpuSeconds'].sort(), stderr);
  assert.deepEqual(
    [rows.length, row?.test, row?.params, row?.exported, row?.metric, row?.budget],
    [1, 0.5, 7, false, 'accuracy', 12],
  );
});

test('bench:user --resume holds only contests without a row, --retry-failed also those that failed', {
  skip: absent(),
}, () => {
  rmSync(results, { force: true });
  const only = ['--only', 'digits,SVC', '--peer-seeds', '2', '--time-scale', '0.02'];
  const [failed] = bench(...only, '--peer-seeds', '1', '--python', python('echo no scikit >&2; exit 3')).rows;
  assert.deepEqual([failed?.test, failed?.reason], [null, 'exit code 3: no scikit; no RESULT was printed']);

  const good = python(`echo 'RESULT {"test": 0.9}'`);
  assert.equal(bench(...only, '--python', good).status, 2);
  const tests = (rows: readonly Record<string, unknown>[]) => rows.map(({ seed, test }) => [seed, test]);
  assert.deepEqual(tests(bench(...only, '--resume', '--python', good).rows), [
    [0, null],
    [1, 0.9],
  ]);
  const better = python(`echo 'RESULT {"test": 0.95}'`);
  assert.deepEqual(tests(bench(...only, '--resume', '--retry-failed', '--python', better).rows), [
    [1, 0.9],
    [0, 0.95],
  ]);
  assert.equal(readFileSync(results, 'utf8').trim().split('\n').length, 2);
});

test('bench:user refuses a name that it does not know', { skip: absent() }, () => {
  const { status, stderr } = bench('--only', 'nothing');
  assert.equal(status, 2);
  assert.match(stderr, /--only nothing: it must be one of fashion-mnist; cifar-10; /);
});

function absent(): string | false {
  return process.platform !== 'linux' || !existsSync('/usr/bin/taskset') ? 'needs Linux with taskset' : false;
}
