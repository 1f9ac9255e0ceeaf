import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { netsmith, refusedIn } from './support/netsmith.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-estimators-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function json(...args: string[]) {
  const { code, out, err } = await netsmith(...args, '--json');
  assert.equal(code, 0, err);
  return { value: JSON.parse(out), err };
}

const refused = (expected: RegExp, ...args: string[]) => refusedIn(folder, expected, ...args);

const SMALL = [
  ...['--space', 'nas-bench-201', '--space-options', 'cells=1,channels=4'],
  ...['--train-samples', '200', '--epochs', '1', '--workers', '1'],
];
const PROXIES = [...SMALL, '--estimator', 'proxies', '--strategy', 'aging-evolution'];
const FEW = ['--strategy-options', 'population=3,sample=2', '--estimator-options', 'sample=4,batchSize=16'];

/** The trials of a study without their times. */
async function timeless(dir: string) {
  const { value } = await json('trials', dir);
  return value.map(({ seconds: _, ...rest }: { seconds: number }) => rest);
}

suite('search by proxies', () => {
  test('run: found without training, then trained, tested, exported and reported', async () => {
    const dir = join(folder, 'run');
    const { value: found, err } = await json(
      ...['run', ...PROXIES, ...FEW, '--trials', '6', '--seeds', '1', '--no-baselines', '--out', dir],
    );
    assert.match(err, /\[6 of 6\] trial 5: freerea -?[\d.]+, /);
    assert.match(err, /Training trial \d on train \+ validation data with 1 seed/);
    assert.deepEqual(Object.keys(found.best.metrics).sort(), ['freerea', 'logSynflow', 'naswot', 'skipReach']);
    const { evaluation } = found;
    assert.deepEqual([evaluation.valid, evaluation.gap], [{}, {}]);
    assert.deepEqual(evaluation.estimate, { estimator: 'proxies', metrics: found.best.metrics });
    assert.ok(evaluation.test.accuracy.mean > 0 && evaluation.test.accuracy.mean <= 1);
    assert.ok(found.export.parity < 1e-4);

    const html = readFileSync(found.report, 'utf8');
    for (const part of [/before any training/, /Untrained freerea/, /Test accuracy/, /--estimator proxies/])
      assert.match(html, part);
    assert.doesNotMatch(html, /on the validation set|Learning curves|test minus validation|NaN/);
    const card = readFileSync(found.export.card, 'utf8');
    assert.match(card, /\| accuracy \| – \| [\d.]+/);
    assert.doesNotMatch(card, /freerea|validation figure/);

    const trials = (await json('trials', dir)).value;
    assert.deepEqual(
      trials.map(({ epochs, state }: { epochs: number; state: string }) => [epochs, state]),
      Array.from({ length: 6 }, () => [0, 'complete']),
    );
    const best = trials.toSorted((a: Trial, b: Trial) => b.metrics.freerea - a.metrics.freerea)[0];
    assert.equal(found.best.trial, best.trial);
    const { value: status } = await json('status', dir);
    assert.deepEqual([status.states, status.agreement], [{ complete: 6 }, []]);
  });

  test('the same seed makes the same trials, in one go or resumed; another seed makes others', async () => {
    const [whole, parts, other] = ['run', 'parts', 'other'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await json('search', ...PROXIES, ...FEW, '--trials', '3', '--out', parts);
    await json('resume', parts, '--trials', '6');
    assert.deepEqual(await timeless(parts), await timeless(whole));
    await json('search', ...PROXIES, ...FEW, '--trials', '1', '--seed', '2', '--out', other);
    const [[first], [second]] = [await timeless(whole), await timeless(other)];
    assert.notDeepEqual(second.metrics, first.metrics);
  });

  test('--until takes the proxies that freerea is made of', async () => {
    const enough = ['--trials', '6', '--until', 'naswot=0', '--out', join(folder, 'enough')];
    const { value: found } = await json('search', ...PROXIES, ...FEW, ...enough);
    assert.equal(found.trials, 1);
  });

  test('a proxy and a cost: a front', async () => {
    const dir = join(folder, 'front');
    const objectives = ['--objective', 'synflow,params', '--until', 'synflow=1e9', '--trials', '4'];
    const { value } = await json('search', ...SMALL, '--estimator', 'proxies', ...objectives, '--out', dir);
    assert.ok(Array.isArray(value.best) && value.best.length >= 1);
    assert.deepEqual(Object.keys(value.best[0].metrics), ['synflow']);
  });

  test('candidates weighed by the time of a step, and speed as an objective', async () => {
    const dir = join(folder, 'timed');
    const options = ['--estimator-options', 'sample=4,batchSize=16,trainSeconds=5'];
    const { value } = await json(
      'search',
      ...SMALL,
      '--estimator',
      'proxies',
      ...options,
      '--trials',
      '2',
      '--out',
      dir,
    );
    assert.deepEqual(Object.keys(value.best.metrics).sort(), ['freerea', 'logSynflow', 'naswot', 'skipReach', 'speed']);
    assert.ok(value.best.metrics.speed > 0);
    const fast = join(folder, 'fast');
    const objectives = ['--objective', 'synflow,speed', '--trials', '2'];
    const front = (await json('search', ...SMALL, '--estimator', 'proxies', ...objectives, '--out', fast)).value;
    assert.deepEqual(Object.keys(front.best[0].metrics), ['synflow', 'speed']);
  });

  test('refuses what it has not', async () => {
    const search = ['search', ...SMALL, '--out', join(folder, 'never')];
    const proxies = [...search, '--estimator', 'proxies'];
    await refused(
      /--estimator-options: trainSeconds=5; only applies to the objective freerea/,
      ...[...proxies, '--objective', 'synflow', '--estimator-options', 'trainSeconds=5'],
    );
    await refused(/--estimator: "magic"; must be one of train, proxies, predictor/, ...search, '--estimator', 'magic');
    await refused(
      /--objective: "freerea"; is a proxy and needs --estimator proxies/,
      ...search,
      '--objective',
      'freerea',
    );
    await refused(/--objective: "accuracy"; must be one of freerea, naswot/, ...proxies, '--objective', 'accuracy');
    await refused(
      /--objective: params; must include a metric for --estimator proxies to estimate/,
      ...proxies,
      '--objective',
      'params',
    );
    await refused(/--estimator-options: option batchSize is 1; /, ...proxies, '--estimator-options', 'batchSize=1');
    await refused(
      /--estimator-options: unknown option "batch"; it must be one of/,
      ...proxies,
      '--estimator-options',
      'batch=9',
    );
    await refused(
      /--estimator-options: unknown option "batchSize"; there are none/,
      ...search,
      '--estimator-options',
      'batchSize=9',
    );
    await refused(
      /--estimator-options: sample=9; only applies to the objective freerea/,
      ...[...proxies, '--objective', 'zen', '--estimator-options', 'sample=9'],
    );
    await refused(
      /--confirm: 2; cannot be used with --estimator proxies, because nothing is trained/,
      ...proxies,
      '--confirm',
      '2',
    );
    await refused(
      /--stopping: median; cannot be used with --estimator proxies, because nothing is trained/,
      ...proxies,
      '--stopping',
      'median',
    );
    await refused(
      /--width: 0.5; cannot be used with --estimator proxies, because nothing is trained/,
      ...proxies,
      '--width',
      '0.5',
    );
    await refused(
      /--strategy: "hyperband"; needs trials with different numbers of epochs; --estimator proxies does not train/,
      ...[...proxies, '--epochs', '9', '--strategy', 'hyperband'],
    );
    await refused(/--until/, ...proxies, '--until', 'freerea');
    const measured = /--until: "zen=3"; a trial of this search measures freerea, naswot, logSynflow, skipReach, and/;
    await refused(measured, ...proxies, '--until', 'zen=3');
  });
});

interface Trial {
  readonly trial: number;
  readonly metrics: { readonly freerea: number; readonly accuracy: number };
}

suite('search by prediction', () => {
  const predictor = (...more: string[]) => ['search', ...SMALL, '--estimator', 'predictor', ...more];

  test('learns from earlier studies, predicts their metric, and trains what it found', async () => {
    const [old, dir] = [join(folder, 'old'), join(folder, 'predicted')];
    await refused(
      /--estimator: "predictor"; the predictor learns from earlier studies: name at least one with --prior/,
      ...predictor('--out', dir),
    );
    await json('search', ...SMALL, '--trials', '8', '--out', old);
    const { value: found, err } = await json(
      ...predictor('--trials', '12', '--prior', old, '--seed', '5', '--out', dir),
    );
    const ranks = /Kendall tau between a predictor of half the earlier trials and the other half: .*n=4\)/;
    assert.match(err, ranks);
    const [agreement, ...more] = (await json('status', dir)).value.agreement;
    assert.deepEqual([agreement.pairs, more], [4, []]);
    assert.match(err, /\[12 of 12\] trial 11: predicted accuracy/);
    assert.equal(found.trials, 12);
    const { accuracy, predictedDeviation } = found.best.metrics;
    const known = (await json('trials', old)).value.map(({ metrics }: Trial) => metrics.accuracy);
    // A forest predicts means of what it has seen.
    assert.ok(accuracy >= Math.min(...known) && accuracy <= Math.max(...known) && predictedDeviation >= 0);
    assert.match((await netsmith('best', dir)).out, /predicted accuracy/);
    await json('resume', dir, '--trials', '14');

    const again = join(folder, 'predicted-again');
    await json(...predictor('--trials', '14', '--prior', old, '--seed', '5', '--out', again));
    assert.deepEqual(await timeless(dir), await timeless(again));

    const { value: evaluated } = await json('evaluate', dir, '--seeds', '1', '--no-baselines');
    assert.deepEqual([evaluated.valid, evaluated.gap, evaluated.estimate.estimator], [{}, {}, 'predictor']);
    const html = readFileSync((await json('report', dir)).value.file, 'utf8');
    for (const part of [/predicted from earlier studies/, ranks]) assert.match(html, part);
    assert.doesNotMatch(html, /on the validation set/);

    const { err: progress } = await json('resume', dir, '--confirm', '1');
    assert.match(progress, /^Confirming: 1 training runs from scratch\.\n\[1 of 1\] confirming trial \d+: accuracy /m);
    assert.match(
      (await netsmith('best', dir)).out,
      /^best +accuracy [\s\S]*Best by accuracy of a training from scratch\./m,
    );
    const { best } = (await json('best', dir)).value;
    const confirmed = (await json('trials', dir, '--all')).value.at(-1);
    assert.deepEqual([confirmed.purpose, confirmed.epochs > 0, best.confirmations], ['confirm', true, 1]);
    assert.deepEqual([best.text, best.metrics.accuracy], [confirmed.text, confirmed.metrics.accuracy]);
    const { value: trained } = await json('evaluate', dir, '--seeds', '1', '--no-baselines');
    assert.deepEqual([trained.valid.accuracy, trained.estimate], [best.metrics.accuracy, undefined]);

    await refused(
      /--prior: study ".*predicted" has only predicted values; an earlier study must have measured/,
      ...['search', ...SMALL, '--prior', dir, '--out', join(folder, 'never')],
    );
  });

  test('predicts one metric, with costs beside it', async () => {
    await refused(/predictor takes one metric to predict, and costs/, ...predictor('--objective', 'accuracy,loss'));
    await refused(/--estimator-options: option model is "oracle"/, ...predictor('--estimator-options', 'model=oracle'));
  });
});

test('compare of estimators: by the test accuracy of their winners', async () => {
  const base = { space: 'nas-bench-201', spaceOptions: { cells: 1, channels: 4 }, trainSamples: 100, epochs: 1 };
  const file = (name: string, settings: object) => {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify({ ...base, ...settings }));
    return path;
  };
  const training = file('training', { trials: 2 });
  const out = join(folder, 'compared');
  const compare = (...more: string[]) => ['compare', ...more, '--seeds', '1', '--out', out];
  const free = 'proxies:sample=4:batchSize=16';
  const both = ['--config', training, '--estimators', `train,${free}`];
  await refused(
    /--evaluate: 0; must be at least 1: searches without training are compared by their evaluations/,
    ...compare(...both),
  );
  const proxies = { estimator: 'proxies', strategy: 'aging-evolution' };
  await refused(
    /"unlike": the default budget is 200 trials, but 12 in "default"/,
    ...compare('--config', file('default', {}), '--config', file('unlike', proxies)),
  );
  await refused(/--estimators: "magic"; must be one of train, proxies, predictor/, ...compare('--estimators', 'magic'));
  await refused(
    /unknown option "batch"; it must be one of batchSize/,
    ...compare('--estimators', 'proxies:batch=9', '--evaluate', '1'),
  );
  await refused(
    /--estimator: given with --estimators/,
    ...compare('--estimators', 'train,proxies', '--estimator', 'train'),
  );
  await refused(
    /--estimator: "predictor"; the predictor learns from earlier studies/,
    ...compare('--estimators', 'train,predictor', '--trials', '2', '--evaluate', '1'),
  );
  const { value: found } = await json(...compare(...both), '--evaluate', '1');
  assert.equal(found.objective.metric, 'accuracy');
  assert.deepEqual(found.competitors.map(({ name }: { name: string }) => name).sort(), [free, 'train']);
  assert.equal(found.reference, 'train');
  for (const { name, test, valid, gap, against } of found.competitors) {
    assert.deepEqual([test.count, valid, gap], [1, undefined, undefined]);
    assert.equal(against === undefined, name === 'train');
  }
  assert.doesNotMatch(readFileSync(found.files.report, 'utf8'), /Validation accuracy|NaN/);
  const studies = readdirSync(out)
    .filter((name) => name.includes('seed'))
    .map((name) => join(out, name));
  const [untested] = studies.filter((dir) => dir.includes('proxies'));
  rmSync(join(String(untested), 'best'), { recursive: true });
  await refused(
    /proxies-.*-seed-0": its best trial has not been evaluated; .*netsmith evaluate/,
    'compare',
    ...studies,
  );

  const prior = join(out, 'train-seed-0');
  const { value: after } = await json(
    ...['compare', '--config', training, '--strategies', 'tpe', '--estimators', 'train,predictor', '--prior', prior],
    ...['--seeds', '1', '--evaluate', '1', '--out', join(folder, 'compared-after')],
  );
  assert.deepEqual(after.competitors.map(({ name }: { name: string }) => name).sort(), [
    'random predictor',
    'random train',
    'tpe predictor',
    'tpe train',
  ]);
});
