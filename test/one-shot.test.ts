import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { json, netsmith, refusedIn } from './support/netsmith.ts';
import { startHeld } from './support/process.ts';

let folder = '';
const space = ['--space', join(import.meta.dirname, 'support', 'two-blocks.ts')];
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-one-shot-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const SMALL = '--train-samples 96 --batch-size 16 --epochs 1 --supernet-epochs 3 --workers 1'.split(' ');

test('--strategy darts trains the architecture that the supernet derives', async () => {
  const dir = join(folder, 'darts');
  await json('search', ...space, ...SMALL, '--strategy', 'darts', '--out', dir);
  const { supernet } = await json('status', dir);
  const [trial, ...more] = await json('trials', dir);
  assert.deepEqual([supernet.state, supernet.epochs, supernet.of], ['complete', 3, 3]);
  const { weights, genotype } = supernet.curve.at(-1).mixture;
  assert.deepEqual([trial.architecture, more.length], [genotype, 0]);
  for (const row of Object.values<number[]>(weights))
    assert.ok(Math.abs(row.reduce((sum, share) => sum + share, 0) - 1) < 1e-5);
  const { code, out } = await netsmith('status', dir);
  assert.equal(code, 0);
  assert.match(out, /supernet: epoch 3 of 3, .*decided [▁▂▃▄▅▆▇█]{3} \d+ %; /);
});

test('--estimator single-path measures the candidates of any strategy with shared weights', async () => {
  const dir = join(folder, 'single-path');
  const args = ['--strategy', 'local-search', '--estimator', 'single-path', '--trials', '3', '--out', dir];
  await json('search', ...space, ...SMALL, ...args);
  const trials = await json('trials', dir);
  assert.deepEqual(
    trials.map(({ state, epochs }: { state: string; epochs: number }) => [state, epochs]),
    Array.from({ length: 3 }, () => ['complete', 0]),
  );
  const { supernet } = await json('status', dir);
  assert.equal(supernet.curve.at(-1).mixture, undefined);
  const { code, err } = await netsmith('report', dir);
  assert.equal(code, 0, err);
});

test('--confirm trains the best by shared weights from scratch, and the best of these trainings is the best', async () => {
  const dir = join(folder, 'confirmed');
  const args = ['--strategy', 'random', '--estimator', 'single-path', '--trials', '5', '--confirm', '2'];
  const { best } = await json('search', ...space, ...SMALL, ...args, '--out', dir);
  const all: Listed[] = await json('trials', dir, '--all');
  const searched = all.filter(({ purpose }) => purpose === 'search');
  const confirmed = all.filter(({ purpose }) => purpose === 'confirm');
  assert.deepEqual(
    confirmed.map(({ state, epochs }) => [state, epochs]),
    [1, 2].map(() => ['complete', 1]),
  );
  // The other one is unlike the best (`unlikeFirst`), and need not be the second.
  const sharedOf = (text: string) => searched.find((one) => one.text === text)?.metrics.accuracy ?? Number.NaN;
  const highest = Math.max(...searched.map(({ metrics }) => metrics.accuracy));
  assert.ok(confirmed.some(({ text }) => sharedOf(text) === highest));
  assert.equal(new Set(confirmed.map(({ text }) => text)).size, 2);
  const most = Math.max(...confirmed.map(({ metrics }) => metrics.accuracy));
  assert.equal(best.metrics.accuracy, most);
  assert.ok(confirmed.some(({ text }) => text === best.text));
  assert.match((await netsmith('best', dir)).out, /Best by accuracy of a training from scratch\./);
  assert.equal((await netsmith('report', dir)).code, 0);
  const page = readFileSync(join(dir, 'report.html'), 'utf8');
  assert.match(page, /validation accuracy with [\d,]+ parameters/);
});

interface Listed {
  readonly purpose: string;
  readonly state: string;
  readonly epochs: number;
  readonly text: string;
  readonly metrics: { readonly accuracy: number };
}

test('--start-from supernet: the derived network begins with the weights of its supernet', async () => {
  const [dir, fresh] = [join(folder, 'started'), join(folder, 'fresh')];
  const lasting = ['--strategy', 'gdas', '--supernet-epochs', '12', '--learning-rate', '0.02', '--width', '0.5'];
  const args = ['search', ...space, ...SMALL, ...lasting];
  await json(...args, '--start-from', 'supernet', '--out', dir);
  await json(...args, '--out', fresh);
  const [[started], [cold]] = [await json('trials', dir), await json('trials', fresh)];
  assert.equal(started.state, 'complete', started.reason);
  assert.deepEqual(started.architecture, cold.architecture);
  assert.notEqual(started.metrics.loss, cold.metrics.loss);
});

test('--strategy p-darts: a stage for each third of the epochs, named in the status', async () => {
  const dir = join(folder, 'p-darts');
  const options = ['--strategy-options', 'operations2=2,operations3=2,warmupShare=0'];
  await json('search', ...space, ...SMALL, '--strategy', 'p-darts', ...options, '--out', dir);
  const { supernet } = await json('status', dir);
  const mixtures = supernet.curve.map(({ mixture }: { mixture: { stage: number } }) => mixture);
  assert.deepEqual(
    mixtures.map(({ stage, weights }: { stage: number; weights: Record<string, number[]> }) => [
      stage,
      weights.first?.filter((share) => share > 0).length,
    ]),
    [
      [1, 3],
      [2, 2],
      [3, 2],
    ],
  );
  const [trial] = await json('trials', dir);
  assert.deepEqual(trial.architecture, mixtures.at(-1).genotype);
});

for (const [name, ...options] of [
  ['path-dropout'],
  ['smash', '--estimator-options', 'hidden=8,rank=2,validationPaths=1'],
] as const)
  test(`--estimator ${name} measures the candidates of any strategy`, async () => {
    const dir = join(folder, name);
    const args = ['--strategy', 'random', '--estimator', name, ...options, '--trials', '2', '--out', dir];
    await json('search', ...space, ...SMALL, ...args);
    const trials = await json('trials', dir);
    assert.deepEqual(
      trials.map(({ state }: { state: string }) => state),
      ['complete', 'complete'],
    );
  });

test('a forced collapse is reported in the terminal, in the JSON and in the report', async () => {
  const dir = join(folder, 'collapsed');
  const cell = ['--space', join(import.meta.dirname, 'support', 'noisy-cell.ts'), '--train-samples', '400'];
  const options = ['--strategy', 'darts', '--strategy-options', 'archLearningRate=0.03'];
  const { code, err } = await netsmith('search', ...SMALL, ...cell, ...options, '--out', dir);
  assert.equal(code, 0, err);
  const warning = /^Warning: the one-shot search has collapsed: (skip connections hold \d of 6 edges)\. /m;
  const [, words] = warning.exec(err) ?? [];
  assert.ok(words !== undefined, err);
  const { supernet } = await json('status', dir);
  assert.equal(supernet.collapse, words);
  assert.ok(supernet.curve.at(-1).guards.skipWeight > 1);
  assert.match((await netsmith('status', dir)).out, warning);
  const page = join(folder, 'collapsed.html');
  assert.equal((await netsmith('report', dir, '--out', page)).code, 0);
  assert.match(
    readFileSync(page, 'utf8'),
    /Skip connections hold \d of 6 edges\. What is derived is then often poor\./,
  );
});

test('a search killed while its supernet trains resumes it, and nothing differs', async () => {
  const args = [...space, ...SMALL, '--strategy', 'darts'];
  const [killed, whole] = [join(folder, 'killed'), join(folder, 'whole')];
  const child = startHeld({ text: 'supernet: epoch 2', times: 1 }, 'search', ...args, '--out', killed);
  child.stderr?.on('data', (text: string) => {
    if (text.includes('supernet: epoch 2')) child.kill('SIGKILL');
  });
  await once(child, 'close');
  const { supernet } = await json('status', killed);
  assert.deepEqual([supernet.epochs, (await json('trials', killed)).length], [2, 0]);
  await json('resume', killed);
  await json('search', ...args, '--out', whole);
  const essence = async (dir: string) => {
    const { supernet } = await json('status', dir);
    const [{ architecture, metrics }] = await json('trials', dir);
    return { curve: supernet.curve, architecture, metrics };
  };
  assert.deepEqual(await essence(killed), await essence(whole));
});

test('what a one-shot method cannot do is refused before anything is written', async () => {
  const refused = (expected: RegExp, ...args: string[]) =>
    refusedIn(folder, expected, 'search', ...SMALL, ...args, '--out', join(folder, 'refused'));
  const darts = ['--strategy', 'darts'];
  await refused(/decision "depth1" does not choose between modules; darts needs/, '--space', 'small-cnn', ...darts);
  await refused(/space "resnet": has no choice between modules; darts needs/, '--space', 'resnet', ...darts);
  await refused(/unknown option "rate"/, ...space, ...darts, '--strategy-options', 'rate=1');
  await refused(/--estimator: "proxies"; cannot be used with --strategy darts/, ...darts, '--estimator', 'proxies');
  await refused(/--stopping: median; cannot be used with --strategy darts/, ...darts, '--stopping', 'median');
  await refused(/--trial-time: 9s; cannot be used/, ...space, '--estimator', 'single-path', '--trial-time', '9s');
  await refused(
    /network 1 \(choice\): option "narrow" of choice "first" makes \[16,4,\d+,\d+\] of \[16,1,\d+,\d+\]; partial channels need/,
    ...[...space, '--strategy', 'pc-darts'],
  );
  await refused(/there are 2 epochs; must be at least 3/, ...space, '--strategy', 'p-darts', '--supernet-epochs', '2');
  const start = ['--start-from', 'supernet'];
  await refused(/--start-from: "supernet"; only applies to strategies that train what a supernet/, ...space, ...start);
  await refused(/--start-from: "supernet"; only applies/, ...space, '--estimator', 'smash', ...start);
  await refused(
    /--start-from: "supernet"; cannot be used with --strategy pc-darts, whose supernet has 1\/4 of the channels/,
    ...[...space, '--strategy', 'pc-darts', ...start],
  );
  await refused(/--supernet-epochs: 3; only applies to one-shot methods/, ...space);
  await refused(
    /--batch-size: 64; training needs about .*; no batch of at least 8 fits/,
    ...['--space', 'nas-bench-201', '--space-options', 'cells=1', '--batch-size', '64', '--memory', '300MB', ...darts],
  );
  await refusedIn(
    folder,
    /--strategy: "darts"; trains a supernet on data; a tabular benchmark has only results/,
    ...['search', '--benchmark', 'nas-bench-201', '--data', 'cifar-10', ...darts],
  );
});
