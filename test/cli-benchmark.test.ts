import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openNasBench201 } from '../src/estimate/tabular/nas-bench-201.node.ts';
import { first, formatArchitecture, successor } from '../src/space/index.ts';
import { editStudy } from './support/edit.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-benchmark-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const refused = (expected: RegExp, ...args: string[]) => refusedIn(folder, expected, ...args);

const EVOLUTION = ['--strategy', 'aging-evolution', '--strategy-options', 'population=5,sample=3'];
const search = (...more: string[]) => ['search', '--benchmark', 'nas-bench-201', ...EVOLUTION, ...more];

test('a study on a table finds what the simulation of the same seed finds; test value, report, no model', async () => {
  const dir = join(folder, 'study');
  const found = await json(...search('--time', '3000s', '--seed', '3', '--out', dir));
  const compared = await json(
    ...['compare', '--benchmark', 'nas-bench-201', '--strategies', 'aging-evolution:population=5:sample=3'],
    ...['--time', '3000s', '--seed', '3', '--seeds', '1', '--out', join(folder, 'compared')],
  );
  const simulated = compared.competitors.find(({ name }: { name: string }) => name !== 'random');
  const status = await json('status', dir);
  // The trial that the end of the time cut short waits.
  assert.deepEqual(status.states, { complete: simulated.evaluations.mean, waiting: 1 });
  assert.equal(found.best.metrics.accuracy, simulated.valid.mean);
  assert.ok(Math.abs(status.searchSeconds - 3000) < 1e-3);
  assert.deepEqual(status.budget, { trials: null, seconds: 3000, until: null });

  const { test: tested, valid, gap, epochs, seeds } = await json('evaluate', dir);
  assert.equal(tested.accuracy.mean, simulated.test.mean);
  assert.ok(Math.abs(gap.accuracy - simulated.gap.mean) < 1e-12 && valid.accuracy === simulated.valid.mean);
  assert.deepEqual([epochs, seeds], [200, [0]]);
  const html = readFileSync((await json('report', dir)).file, 'utf8');
  for (const part of [/from the table/, /looked up in the table/, /search time \(/, /netsmith evaluate/])
    assert.match(html, part);
  assert.doesNotMatch(html, /stopped early|netsmith export|0 training|NaN/);
  await refused(/searched the table nas-bench-201; a tabular benchmark has no network to export/, 'export', dir);
  await refused(/searched the table nas-bench-201; .*compare --benchmark/, 'compare', dir);
  await refused(/--seeds: 2; has no effect on a tabular benchmark/, 'evaluate', dir, '--seeds', '2');
  await refused(/--workers: 2; has no effect on a tabular benchmark/, 'resume', dir, '--workers', '2');
});

test('resumed with more time, also when the clock was not written down, it is the longer search', async () => {
  const [long, short] = [join(folder, 'long'), join(folder, 'short')];
  await json(...search('--time', '4000s', '--out', long));
  await json(...search('--time', '1500s', '--out', short));
  editStudy(short, 'UPDATE progress SET search_seconds = 7');
  await json('resume', short, '--time', '4000s');
  const complete = async (dir: string) =>
    (await json('trials', dir)).filter(({ state }: { state: string }) => state === 'complete');
  assert.deepEqual(await complete(short), await complete(long));
  assert.ok(Math.abs((await json('status', short)).searchSeconds - 4000) < 1e-3);
});

test('a data set without seconds has a budget in evaluations; limits and several objectives', async () => {
  const found = await json(
    ...search('--data', 'cifar-100', '--trials', '10', '--max-params', '500000', '--out', join(folder, 'limited')),
  );
  assert.equal(found.trials, 10);
  assert.ok(found.best.costs.params <= 500_000);
  const html = readFileSync((await json('report', join(folder, 'limited'))).file, 'utf8');
  assert.doesNotMatch(html, /search time|0\.0 s|–\s*of training/);
  assert.match((await netsmith('status', join(folder, 'limited'))).out, /10 complete; stops at 10 trials/);
  const front = await json(
    ...['search', '--benchmark', 'nas-bench-201', '--strategy', 'nsga2', '--objective', 'accuracy,flops'],
    ...['--trials', '12', '--out', join(folder, 'front')],
  );
  assert.ok(Array.isArray(front.best));
});

test('latencies of a CSV are an objective; cells that were not measured fail', async () => {
  const [file, dir] = [join(folder, 'latency.csv'), join(folder, 'latency')];
  const { space } = await openNasBench201();
  const rows: string[] = [];
  for (let one = first(space); one !== undefined && rows.length < 20; one = successor(space, one) ?? one)
    rows.push(`${rows.length},${formatArchitecture(space, one)},${30 - rows.length},${rows.length}`);
  writeFileSync(file, ['index,arch,mine_ms,raspi4_ms', ...rows].join('\n'));
  const table = ['search', '--benchmark', 'nas-bench-201', '--objective', 'accuracy,latency'];
  const found = [...table, '--strategy', 'exhaustive', '--trials', '22', '--latencies'];
  const { best } = await json(...found, `${file}:mine_ms`, '--out', dir);
  const latencies = best.map(({ metrics }: { metrics: { latency: number } }) => metrics.latency);
  assert.ok(latencies.includes(11) && latencies.every((value: number) => value < 30));
  // The first row reads below 0.2 ms on the Raspberry Pi: it is disconnected.
  assert.deepEqual((await json('status', dir)).states, { failed: 3, complete: 19 });
  assert.match((await netsmith('best', dir)).out, /latency \(ms\)/);
  assert.match(readFileSync((await json('report', dir)).file, 'utf8'), /Accuracy against latency \(ms\)/);
  const never = ['--out', join(folder, 'never')];
  await refused(/--objective: "latency"; .*--latencies FILE:COLUMN adds latency/, ...table, ...never);
  await refused(/--latencies: .*needs --benchmark/, 'search', '--latencies', `${file}:mine_ms`, ...never);
  await refused(/--latencies: "x"; must be FILE:COLUMN/, ...table, '--latencies', 'x', ...never);
  await refused(/no column "yours_ms"; the columns are index/, ...table, '--latencies', `${file}:yours_ms`, ...never);
  await refused(/does not exist/, ...table, '--latencies', `${file}x:mine_ms`, ...never);
});

test('refuses what a table does not have', async () => {
  const never = ['--out', join(folder, 'never')];
  await refused(/--benchmark: "x"; it must be one of nas-bench-201/, 'search', '--benchmark', 'x', ...never);
  await refused(/--data: "digits"; it must be one of cifar-10/, ...search('--data', 'digits', ...never));
  await refused(/--epochs: 3; has no effect on a tabular benchmark/, ...search('--epochs', '3', ...never));
  await refused(/--space: "mlp"; has no effect on a tabular benchmark/, ...search('--space', 'mlp', ...never));
  await refused(
    /--estimator: "proxies"; has no effect on a tabular benchmark/,
    ...search('--estimator', 'proxies', ...never),
  );
  await refused(
    /--time: 9s; .* no training times for cifar-100/,
    ...search('--data', 'cifar-100', '--time', '9s', ...never),
  );
  await refused(
    /--objective: "loss"; nas-bench-201 has accuracy, params, flops/,
    ...search('--objective', 'loss', ...never),
  );
  await refused(
    /--benchmark: "nas-bench-201"; a tabular benchmark has no network to train/,
    'run',
    '--benchmark',
    'nas-bench-201',
    ...never,
  );
});
