import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import sharp from 'sharp';
import { newTrial } from '../src/study/store/transitions.ts';
import { openStudyStore } from '../src/study/study.node.ts';
import { json, netsmith } from './support/netsmith.ts';

// Failures that no candidate causes: a worker that is killed, a full disk, a damaged file, a folder without access.

const BIN = join(import.meta.dirname, '../bin/netsmith.js');
// A trial takes longer than it takes to find its process and kill it. What it continues from has averages of the weights, too.
const SETTINGS =
  '--space nas-bench-201 --space-options cells=1,channels=4 --train-samples 200 --epochs 10 --weight-average 0.9 --seed 5 --trials 2'.split(
    ' ',
  );
let folder = '';
let done = '';
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-reliability-'));
  done = join(folder, 'done');
  await json('search', ...SETTINGS, '--out', done);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const timeless = (trials: readonly object[]) => trials.map((trial) => ({ ...trial, seconds: 0, spent: 0 }));
const trialsIn = async (dir: string) => timeless(await json('trials', dir));
const noStack = (text: string) => assert.doesNotMatch(text, /\n\s+at /);
const copy = (name: string) => {
  const dir = join(folder, name);
  cpSync(done, dir, { recursive: true });
  return dir;
};

/** Runs a command, killing the process behind it once each time that its output reaches one of the lines. */
async function killingWorkers(args: readonly string[], lines: readonly string[]) {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const waiting = [...lines];
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    if (waiting[0] === undefined || !err.includes(waiting[0])) return;
    waiting.shift();
    const worker = workerOf(child);
    if (worker !== undefined) process.kill(worker, 'SIGKILL');
  });
  const [code] = await once(child, 'close');
  return { code, err, left: waiting.length };
}

function workerOf({ pid }: ChildProcess): number | undefined {
  const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return first ? Number(first) : undefined;
}

const needsProc = existsSync(`/proc/self/task/${process.pid}/children`)
  ? false
  : 'only Linux lists child processes in /proc';

suite('a process that something kills', { skip: needsProc }, () => {
  test('costs a trial nothing: it continues in a new worker, with the same result', async () => {
    const dir = join(folder, 'killed');
    const { code, err, left } = await killingWorkers(['search', ...SETTINGS, '--out', dir], ['[1 of 2]']);
    assert.deepEqual([code, left], [0, 0], err);
    assert.match(err, /trial 1 \w+: the worker died: killed by SIGKILL/);
    assert.deepEqual(await trialsIn(dir), await trialsIn(done));
  });

  test('is replaced in an evaluation, which keeps the results of the seeds before', async () => {
    const args = ['--seeds', '2', '--no-baselines', '--epochs', '12'];
    const [dir, whole] = [copy('evaluated'), copy('whole')];
    const { code, err } = await killingWorkers(['evaluate', dir, ...args], ['seed 0: test']);
    assert.equal(code, 0, err);
    assert.match(err, /seed 1: the worker died: killed by SIGKILL.* continues in a new process/);
    assert.equal(err.match(/seed 0: test/g)?.length, 1);
    const { test: tested } = await json('evaluate', whole, ...args);
    const record = JSON.parse(readFileSync(join(dir, 'best/evaluation.json'), 'utf8'));
    const accuracies = record.metrics.map(({ accuracy }: { accuracy: number }) => accuracy);
    assert.deepEqual(accuracies, tested.accuracy.values);
  });
});

test('a folder that cannot be written to is noticed before anything is trained', async () => {
  const dir = copy('closed');
  writeFileSync(join(dir, 'best'), 'in the way');
  for (const args of [
    ['evaluate', dir],
    ['export', dir],
  ]) {
    const { code, err } = await netsmith(...args);
    assert.equal(code, 2, err);
    assert.match(err, /folder ".*best".*(must be writable|is not a folder)/);
    assert.doesNotMatch(err, /seed 0|Training it/);
  }
  const { code, err } = await netsmith('report', done, '--out', join(dir, 'best', 'report.html'));
  assert.equal(code, 2);
  noStack(err);
});

test('a damaged checkpoint: the trial starts over, says so, and gives the same result', async () => {
  const [whole, damaged] = [copy('unbegun'), copy('damaged')];
  for (const dir of [whole, damaged]) {
    const store = await openStudyStore(dir, 'write');
    const { revision, state } = await store.strategyState();
    const { architecture, costs } = (await store.trials('search'))[0] ?? assert.fail();
    const key = { purpose: 'search', trial: 2 } as const;
    await store.propose([newTrial({ ...key, architecture, costs, fidelity: 0 })], { revision: revision + 1, state });
    if (dir === damaged) {
      const { fence } = await store.begin(key);
      const checkpoint = await store.artifacts.put(new Uint8Array(100));
      const report = { step: 2, metrics: { accuracy: 0.5 }, seconds: 1 };
      await store.report(key, fence, report, checkpoint);
      await store.release(key);
      writeFileSync(join(dir, 'artefacts', checkpoint), 'damaged');
    }
    await store.close();
  }
  const { code, err } = await netsmith('resume', damaged, '--trials', '3');
  assert.equal(code, 0, err);
  assert.match(err, /trial 2: a checkpoint cannot be read, so it starts over: artifact .* is damaged/);
  await json('resume', whole, '--trials', '3');
  assert.deepEqual(await trialsIn(damaged), await trialsIn(whole));
});

test('failed trials are trained again when that is asked for', async () => {
  const dir = join(folder, 'failed');
  const args = [...SETTINGS, '--learning-rate', '1e30', '--clip-norm', '1e6'];
  const first = await netsmith('search', ...args, '--out', dir);
  assert.equal(first.code, 1, first.err);
  const failed = (await json('trials', dir)) as { state: string }[];
  assert.deepEqual(
    failed.map(({ state }) => state),
    ['failed', 'failed'],
  );
  const plain = await netsmith('resume', dir);
  assert.doesNotMatch(plain.err, /\[\d of 2\]/);
  const again = await netsmith('resume', dir, '--retry-failed');
  assert.match(again.err, /Retrying: trial 0, trial 1\./);
  assert.equal(again.err.match(/ trial \d: failed/g)?.length, 2);
  const none = await netsmith('resume', done, '--retry-failed');
  assert.match(none.err, /No trial has failed/);
});

test('a damaged data file stops a study with the file’s name; once repaired, the study resumes', async () => {
  const photos = join(folder, 'photos');
  for (const [part, count] of [
    ['train', 8],
    ['valid', 4],
  ] as const) {
    for (const [label, level] of [
      ['dark', 20],
      ['light', 220],
    ] as const) {
      mkdirSync(join(photos, part, label), { recursive: true });
      for (let i = 0; i < count; i++) {
        const raw = Buffer.from(Array.from({ length: 16 * 16 * 3 }, (_, p) => level + ((p * 31 + i * 17) % 30)));
        const image = sharp(raw, { raw: { width: 16, height: 16, channels: 3 } });
        await image.png().toFile(join(photos, part, label, `${i}.png`));
      }
    }
  }
  const dir = join(folder, 'of-photos');
  const space = ['--space', 'nas-bench-201', '--space-options', 'cells=1,channels=4', '--epochs', '1'];
  const data = ['--data', 'image-folder', '--data-dir', photos, '--image-size', '16'];
  await json('search', ...data, ...space, '--trials', '1', '--out', dir);
  const file = join(photos, 'valid', 'light', '2.png');
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(0, whole.length - 60));
  const stopped = await netsmith('resume', dir, '--trials', '3');
  assert.equal(stopped.code, 2, stopped.err);
  assert.match(stopped.err, /2\.png/);
  noStack(stopped.err);
  writeFileSync(file, whole);
  const { trials } = await json('resume', dir, '--trials', '3');
  assert.equal(trials, 3);
  const states = ((await json('trials', dir)) as { state: string }[]).map(({ state }) => state);
  assert.deepEqual(states, ['complete', 'complete', 'complete']);
});

test('a full disk stops a search with one sentence; freed, it makes the trials that it would have made', (t) => {
  const bench = join(import.meta.dirname, '../bench/reliability/disk-full.ts');
  const args = ['--conditions=netsmith-source', bench, '--moments', '1', '--only', 'search', '--seed', '3', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status === 3) return t.skip(stderr.trim());
  assert.equal(status, 0, stderr);
  const [{ code, stack, equal }] = JSON.parse(stdout);
  assert.deepEqual({ code, stack, equal }, { code: 1, stack: false, equal: true });
  assert.match(stderr, /no space is left on the disk/);
});
