import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { json, netsmith, refusedIn } from './support/netsmith.ts';
import { start } from './support/process.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-run-time-'));
  const row = (i: number) => `${i % 17},${(i * 7) % 23},${i % 3 === 0 ? 'red' : 'blue'},${(i % 17) * 2.5 + (i % 3)}`;
  const table = (first: number, count: number) =>
    ['x,y,color,price', ...Array.from({ length: count }, (_, i) => row(first + i)), ''].join('\n');
  writeFileSync(join(folder, 'train.csv'), table(0, 300));
  writeFileSync(join(folder, 'test.csv'), table(300, 60));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const ONE = ['--workers', '1', '--seed', '3'];

/** Gives `attempt` this time, or, on a slower machine, twice what the command says it must be; with the time that it had. */
async function inTime<T extends { readonly err: string }>(seconds: number, attempt: (time: string) => Promise<T>) {
  const result = await attempt(`${seconds}s`);
  const least = /--time: .*must be at least (\d+) ?s/.exec(result.err)?.[1];
  if (least === undefined) return { seconds, result };
  const enough = 2 * Number(least);
  return { seconds: enough, result: await attempt(`${enough}s`) };
}

test('run DATA --time: search, final training, export and report within one time; regression is inferred', async () => {
  const dir = join(folder, 'run');
  const args = [join(folder, 'train.csv'), '--label', 'price', '--test-data', join(folder, 'test.csv'), ...ONE];
  const run = (time: string) => netsmith('run', ...args, '--time', time, '--out', dir, '--json');
  const { seconds, result: ended } = await inTime(12, run);
  const { code, out, err } = ended;
  assert.equal(code, 0, err);
  assert.match(err, /Plan: /);
  assert.match(err, /First model: .*model\.onnx/);
  assert.match(err, /predicted as numbers/);
  assert.match(err, /test split is the file "test\.csv" \(60 rows\)/);
  const result = JSON.parse(out);
  assert.ok(result.seconds > 0 && result.trials >= 1);
  assert.ok(existsSync(result.export.file) && existsSync(result.report));
  // How good it is depends on the speed of the machine.
  assert.ok(Number.isFinite(result.evaluation.test.r2.mean), JSON.stringify(result.evaluation.test));
  const html = readFileSync(result.report, 'utf8');
  assert.match(html, /netsmith run [^<]*--time \d+s[^<]*--trial-time/);
  assert.match(html, /Time limits its trainings/);
  // What the plan decided is stored like any other setting.
  const [trial] = await json('trials', dir);
  assert.ok(trial.curve === undefined || trial.curve.length >= 1);
  const again = await json('resume', dir);
  assert.deepEqual(again.evaluation.test, result.evaluation.test);
  const more = await json('resume', dir, '--time', `${2 * Math.ceil(Math.max(seconds, result.seconds))}s`);
  assert.ok(more.evaluation.test.r2.values.length >= result.evaluation.test.r2.values.length);
});

test('killed in the final training, a run has a model; resume goes on and replaces it', async () => {
  const dir = join(folder, 'killed');
  const args = [
    '--space',
    'residual-mlp',
    '--data',
    'csv',
    '--data-dir',
    join(folder, 'train.csv'),
    '--label',
    'color',
  ];
  const killed = async (time: string) => {
    const child = start('run', ...args, ...ONE, '--time', time, '--out', dir);
    let err = '';
    child.stderr?.on('data', (text: string) => {
      err += text;
      if (err.includes('Retraining trial')) child.kill('SIGKILL');
    });
    await once(child, 'close');
    return { err };
  };
  assert.match((await inTime(15, killed)).result.err, /Retraining trial/);
  const model = join(dir, 'best', 'model.onnx');
  assert.ok(existsSync(model), 'the first model is there');
  const answers = await json('predict', model, join(folder, 'test.csv'));
  assert.equal(answers.length, 60);
  const result = await json('resume', dir);
  assert.equal(result.export.ofTrial, undefined);
  assert.ok(result.evaluation.test.accuracy.values.length >= 1);
  assert.ok(Array.isArray(result.verdict) && result.verdict.length > 0);

  const two = ['--seeds', '2', '--no-baselines', '--json'];
  const { result: evaluated } = await inTime(8, (time) => netsmith('evaluate', dir, '--time', time, ...two));
  assert.equal(evaluated.code, 0, evaluated.err);
  assert.equal(JSON.parse(evaluated.out).test.accuracy.values.length, 2);
  await refusedIn(
    dir,
    /--time: 1s; must be at least \d+s for 2 trainings/,
    'evaluate',
    dir,
    '--time',
    '1s',
    '--seeds',
    '2',
    '--no-baselines',
  );
});

test('a time that nothing fits into is refused before anything is written', async () => {
  const file = join(folder, 'train.csv');
  await refusedIn(
    folder,
    /--time: 1 s; must be at least \d+ s/,
    'run',
    file,
    ...ONE,
    '--time',
    '1s',
    '--out',
    join(folder, 'no'),
  );
});

test('train --time: as many epochs as fit, --epochs at most; a time that none fits into is refused', async () => {
  const network = ['--space', 'residual-mlp', '--arch', 'bins=0, body=plain, depth=0'];
  const train = ['train', join(folder, 'train.csv'), '--label', 'color', ...network, '--seed', '3', '--test', '--json'];
  // No machine does a hundred thousand epochs in a few seconds.
  const { result } = await inTime(5, (time) => netsmith(...train, '--epochs', '100000', '--time', time));
  assert.equal(result.code, 0, result.err);
  assert.match(result.err, /Estimate: .*: about [\d,]+ epochs? in the time/);
  const { epochs, test: tested } = JSON.parse(result.out);
  assert.ok(epochs.length >= 1 && epochs.length < 100_000, `${epochs.length} epochs`);
  assert.ok(tested.accuracy >= 0);

  const { result: capped } = await inTime(600, (time) => netsmith(...train, '--epochs', '2', '--time', time));
  assert.equal(JSON.parse(capped.out).epochs.length, 2);
  await refusedIn(folder, /--time: 0\.2s; must be at least \d+s for this network/, ...train, '--time', '0.2s');
});

test('what does not fit the data is refused before a plan is made', async () => {
  const run = ['run', join(folder, 'train.csv'), '--label', 'color', '--time', '5m', '--out', join(folder, 'no')];
  for (const [expected, ...wrong] of [
    [/--objective: "r2"; is a metric for regression only/, '--objective', 'r2'],
    [/--until: "r2=0.9"; r2 is a metric for regression only/, '--until', 'r2=0.9'],
    [/--hand-designed: "resnet-9"; must be all or among mlp/, '--hand-designed', 'resnet-9'],
    [/option population is 0/, '--strategy', 'evolution', '--strategy-options', 'population=0'],
  ] as const) {
    const { code, err } = await netsmith(...run, ...wrong);
    assert.equal(code, 2, err);
    assert.match(err, expected);
    assert.doesNotMatch(err, /Plan:/);
  }
});

test('data are named once, and exist', async () => {
  const file = join(folder, 'train.csv');
  await refusedIn(folder, /--data: "csv"; the data are ".*train\.csv" already/, 'run', file, '--data', 'csv');
  await refusedIn(folder, /data: .*"digit".*digits/s, 'run', 'digit');
  await refusedIn(folder, /data: ".*none\.csv"; there is no such file or folder/, 'run', join(folder, 'none.csv'));
  await refusedIn(
    folder,
    /data "digits": testData is given; it only applies to csv/,
    'run',
    'digits',
    '--test-data',
    file,
  );
  await refusedIn(folder, /--time: "0s"; .*above 0/, 'run', file, '--time', '0s');
  await refusedIn(folder, /no column "z" to leave out/, 'run', file, '--exclude', 'z', '--trials', '1');
});
