import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { editStudy } from './support/edit.ts';
import { netsmith, refusedIn } from './support/netsmith.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-compare-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function json(...args: string[]) {
  const { code, out, err } = await netsmith(...args, '--json');
  assert.equal(code, 0, err);
  return { ...JSON.parse(out), err };
}

const refused = (expected: RegExp, ...args: string[]) => refusedIn(folder, expected, ...args);

const names = (found: { competitors: { name: string }[] }) => found.competitors.map(({ name }) => name).sort();

suite('compare on a table', () => {
  const TABLE = ['compare', '--benchmark', 'nas-bench-201'];

  test('random search is always among them; the report and the tables are written', async () => {
    const out = join(folder, 'table');
    const strategies = 'aging-evolution,tpe:initial=5:gamma=0.2';
    const found = await json(...TABLE, '--strategies', strategies, '--seeds', '6', '--time', '4000s', '--out', out);
    assert.deepEqual(names(found), ['aging-evolution', 'random', 'tpe:initial=5:gamma=0.2']);
    assert.deepEqual([found.reference, found.axis], ['random', 'seconds']);
    assert.match(found.significance, /Wilcoxon/);
    assert.equal(found.optimum.valid, 0.84892);
    assert.equal(found.optimum.test, 0.943733);
    for (const { valid, test, regret, gap, seeds, totalSeconds, likeness, name, against } of found.competitors) {
      assert.deepEqual(seeds, [0, 1, 2, 3, 4, 5]);
      assert.ok(Math.abs(regret.mean - (0.84892 - valid.mean)) < 1e-9 && regret.mean >= 0);
      assert.ok(Math.abs(gap.mean - (valid.mean - test.mean)) < 1e-9);
      assert.ok(totalSeconds <= 6 * 4000 && totalSeconds > 6 * 3000);
      assert.ok(likeness.distance >= 0 && likeness.distance <= 6 && likeness.equal <= 1);
      assert.equal(against === undefined, name === 'random');
    }
    const html = readFileSync(found.files.report, 'utf8');
    assert.match(html, /Wilcoxon signed-rank test/);
    // Who won stands at the top and at the end of the report, and at the end of the text.
    assert.match(found.conclusion, /(is best: |No clear winner: |No winner yet: ).*6 seeds/);
    const escaped = found.conclusion.replaceAll('<', '&lt;');
    assert.equal(html.split(escaped).length - 1, 2);
    assert.equal(readFileSync(found.files.runs, 'utf8').trimEnd().split('\r\n').length, 1 + 3 * 6);
    assert.doesNotMatch(found.err, /Warning/);
    const again = await json(...TABLE, '--strategies', strategies, '--seeds', '6', '--time', '4000s', '--out', out);
    assert.deepEqual(again.competitors, found.competitors);
  });

  test('warns below three seeds; other data sets have a budget in evaluations', async () => {
    const found = await json(
      ...[...TABLE, '--strategies', 'random', '--seeds', '2', '--trials', '20', '--data', 'cifar-100'],
      ...['--out', join(folder, 'few')],
    );
    assert.equal(found.axis, 'evaluations');
    assert.match(found.err, /Warning: Fewer than 3 seeds of random: 2 seeds cannot distinguish/);
    assert.equal(found.warnings.length, 1);
    assert.equal(found.competitors[0].evaluations.mean, 20);
  });

  test('refuses what a table does not have', async () => {
    await refused(/--strategies: none; must name/, ...TABLE);
    await refused(/unknown strategy "magic"; it must be one of/, ...TABLE, '--strategies', 'magic');
    await refused(/option gamma is 2/, ...TABLE, '--strategies', 'tpe:gamma=2');
    await refused(/--strategies: "tpe" twice/, ...TABLE, '--strategies', 'tpe,tpe');
    await refused(
      /--epochs: 3; has no effect on a tabular benchmark/,
      ...TABLE,
      '--strategies',
      'tpe',
      '--epochs',
      '3',
    );
    await refused(
      /--measure: .*goes by the metric of the table alone; search --benchmark takes it/,
      ...[...TABLE, '--strategies', 'tpe', '--measure', 'latency.ts'],
    );
    await refused(
      /no training times for cifar-100/,
      ...TABLE,
      '--strategies',
      'tpe',
      '--data',
      'cifar-100',
      '--time',
      '9s',
    );
    await refused(/--data: "mnist"; it must be one of/, ...TABLE, '--strategies', 'tpe', '--data', 'mnist');
    await refused(/--benchmark: "x"; it must be one of/, 'compare', '--benchmark', 'x', '--strategies', 'tpe');
    await refused(/--seeds: 0/, ...TABLE, '--strategies', 'tpe', '--seeds', '0');
    await refused(/no trial is complete/, ...TABLE, '--strategies', 'tpe', '--time', '1s', '--out', join(folder, 'x'));
    await refused(/nothing to compare/, 'compare');
  });
});

const SMALL = [...['--space', 'mlp', '--train-samples', '100', '--epochs', '1', '--trials', '2']];

test('compare by searches of its own: what is done is not done again; then of the folders', async () => {
  const out = join(folder, 'searches');
  const evolution = 'aging-evolution:population=2:sample=1';
  const args = ['compare', '--strategies', evolution, '--seeds', '2', ...SMALL, '--out', out];
  const found = await json(...args);
  assert.deepEqual(names(found), [evolution, 'random']);
  const studies = readdirSync(out).filter((name) => existsSync(join(out, name, 'study.db')));
  assert.equal(studies.length, 4);

  // As after a kill before the last study: only that one is made again.
  const [lost, kept] = ['random-seed-1', 'random-seed-0'].map((name) => join(out, name)) as [string, string];
  const begun = async (dir: string) => (await json('status', dir)).createdAt;
  const [lostBefore, keptBefore] = [await begun(lost), await begun(kept)];
  rmSync(lost, { recursive: true });
  const again = await json(...args);
  assert.equal(await begun(kept), keptBefore);
  assert.notEqual(await begun(lost), lostBefore);
  assert.match(again.err, /\[3 of 4\] random, seed 1/);
  assert.doesNotMatch(again.err, /\[1 of 4\]/);
  const values = ({ competitors }: typeof found) =>
    competitors.map(({ name, valid, evaluations }: Record<string, unknown>) => ({ name, valid, evaluations }));
  assert.deepEqual(values(again), values(found));

  // As after a kill in the middle of a study: it is resumed, not started again.
  editStudy(kept, 'DELETE FROM trials WHERE trial = 1; DELETE FROM reports WHERE trial = 1');
  await refused(/study ".*random-seed-0": has not finished; .*netsmith resume/, 'compare', out);
  assert.deepEqual(values(await json(...args)), values(found));
  assert.equal(await begun(kept), keptBefore);

  await refused(
    /learningRate is .*; a comparison can only be resumed with the same/,
    ...args,
    '--learning-rate',
    '0.01',
  );

  const folders = await json('compare', out, '--out', join(folder, 'folders'));
  assert.deepEqual(values(folders), values(found));
  await refused(/seed 0, as study/, 'compare', kept, join(out, 'random-seed-0', '.'), '--out', join(folder, 'y'));
  const others = studies.filter((name) => !name.startsWith('random')).map((name) => join(out, name));
  await refused(/no random search among/, 'compare', ...others);

  const other = join(folder, 'other');
  await json('search', ...SMALL, '--epochs', '2', '--out', other);
  await refused(
    /study ".*other": epochs is 2, but 1 in study ".*random-seed-0"; all competitors must have the same training protocol/,
    ...['compare', kept, other],
  );
});

test('compare of configurations: named by their files, random search added', async () => {
  const base = { space: 'mlp', trainSamples: 100, trials: 1 };
  const file = (name: string, settings: object) => {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify({ ...base, epochs: 1, ...settings }));
    return path;
  };
  const one = file('one', { strategy: 'tpe' });
  const two = file('two', { strategy: 'local-search', stopping: 'median' });
  const longer = file('longer', { strategy: 'tpe', epochs: 2 });
  const configs = (...files: string[]) => ['compare', ...files.flatMap((path) => ['--config', path])];
  const out = join(folder, 'configs');
  await refused(/"longer": epochs is 2, but 1 in "/, ...configs(one, longer), '--seeds', '1', '--out', out);
  const found = await json(...configs(one, two), '--seeds', '1', '--out', out, '--evaluate', '1');
  assert.deepEqual(names(found), ['one', 'random', 'two']);
  for (const { test, gap, likeness } of found.competitors) {
    assert.equal(test.count, 1);
    assert.ok(Number.isFinite(gap.mean));
    assert.equal(likeness, undefined);
  }
});

test('compare under a stopping rule: random search without one is added', async () => {
  const out = join(folder, 'stopped');
  const found = await json(
    ...['compare', ...SMALL, '--strategies', 'tpe', '--stopping', 'median', '--seeds', '1', '--out', out],
  );
  assert.deepEqual(names(found), ['random', 'random in full', 'tpe']);
  assert.equal(found.reference, 'random in full');
});

test('search --prior: told to the strategy, kept apart, not counted, and there after resume', async () => {
  const [old, warm] = [join(folder, 'old'), join(folder, 'warm')];
  await json('search', ...SMALL, '--out', old);
  const before = readFileSync(join(old, 'study.db'));
  const tpe = ['--strategy', 'tpe', '--strategy-options', 'initial=3'];
  const found = await json('search', ...SMALL, ...tpe, '--seed', '1', '--prior', old, '--out', warm);
  assert.match(found.err, /Warm-starting from 2 trials of study/);
  assert.equal(found.trials, 2);
  assert.deepEqual(readFileSync(join(old, 'study.db')), before);
  const status = await json('status', warm);
  assert.equal(status.trials, 2);
  assert.deepEqual([status.earlier[0].study, status.earlier[0].trials], ['old', 2]);
  assert.ok(status.earlier[0].best.accuracy >= 0);
  assert.equal((await json('trials', warm)).length ?? 2, 2);
  await json('resume', warm, '--trials', '3');
  assert.deepEqual((await json('status', warm)).earlier, status.earlier);
  await json('report', warm);
  assert.match(readFileSync(join(warm, 'report.html'), 'utf8'), /2 trials of the earlier study old/);
  assert.match(readFileSync(join(warm, 'report.html'), 'utf8'), /--prior /);

  const cold = join(folder, 'cold');
  await json('search', ...SMALL, ...tpe, '--trials', '3', '--seed', '1', '--out', cold);
  const random = join(folder, 'random-1');
  await json('search', ...SMALL, '--trials', '3', '--seed', '1', '--out', random);
  const compared = await json('compare', random, cold, warm, '--out', join(folder, 'warm-and-cold'));
  assert.deepEqual(names(compared), ['random', 'tpe:initial=3', 'tpe:initial=3, after old']);
  const both = join(folder, 'both');
  const begun = ['compare', ...SMALL, '--strategies', 'tpe:initial=3', '--seeds', '1', '--out', both];
  await json(...begun, '--prior', old);
  assert.equal((await json('status', join(both, 'random-seed-0'))).earlier[0].study, 'old');
  await refused(/prior is \[".*old"\], not \[\]; a comparison can only be resumed with the same/, ...begun);
  await refused(/--prior: given with studies/, 'compare', random, cold, '--prior', old);
  await refused(/--evaluate: given with studies/, 'compare', random, cold, '--evaluate', '1');

  const out = ['--out', join(folder, 'never')];
  const space = ['--space-options', 'tune=true'];
  await refused(/--prior: study ".*old" has the space mlp/, 'search', ...SMALL, ...space, ...out, '--prior', old);
  await refused(/has the objectives accuracy/, 'search', ...SMALL, '--objective', 'loss', ...out, '--prior', old);
  await refused(/twice; each study can be given only once/, 'search', ...SMALL, ...out, '--prior', old, old);
  await refused(/is not the folder of a study/, 'search', ...SMALL, ...out, '--prior', join(folder, 'nowhere'));
});
