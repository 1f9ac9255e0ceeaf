import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { denseNet } from '../bench/founding/densenet.ts';
import { figure } from '../bench/founding/figure.ts';
import { LONG, SHORT } from '../bench/founding/form.ts';
import { METHODS } from '../bench/founding/methods.ts';
import { meanOverlap, overlap } from '../bench/founding/overlap.ts';
import { energyOf, figureOf, page } from '../bench/founding/page.ts';
import {
  appendRow,
  keyOf,
  type Row,
  readRows,
  type SearchRow,
  type TrainRow,
  writeRows,
} from '../bench/founding/rows.ts';
import { searchOptions } from '../bench/founding/steps.ts';
import { summaries } from '../bench/founding/summary.ts';
import { networkCosts } from '../src/network/costs.ts';
import { resolve } from '../src/space/index.ts';
import { json } from './support/netsmith.ts';

const folder = mkdtempSync(join(tmpdir(), 'netsmith-bench-founding-test-'));
after(() => rmSync(folder, { recursive: true }));
const results = join(folder, 'rows.jsonl');

const searched = (method: string, seed: number, more: Partial<SearchRow> = {}): SearchRow => ({
  ...{ step: 'search', data: 'cifar-10', form: SHORT, method, seed, trials: 4, text: 'a=1' },
  ...{ seconds: 120, cpuSeconds: 108, peakMiB: 300 },
  ...more,
});

const trained = (method: string, seed: number, accuracy: number, more: Partial<TrainRow> = {}): TrainRow => ({
  ...{
    step: 'train',
    form: SHORT,
    method,
    seed,
    data: 'cifar-10',
    found: 'cifar-10',
    seconds: 80,
    cpuSeconds: 72,
    params: 1000,
    flops: 1,
  },
  ...{ architecture: { a: 1, b: seed }, text: 'a=1' },
  ...{ valid: { accuracy: accuracy + 0.02 }, test: { accuracy, precision: accuracy, recall: accuracy, f1: accuracy } },
  ...more,
});

function bench(...args: readonly string[]) {
  const file = join(import.meta.dirname, '../bench/founding/run.ts');
  const common = ['--results', results, '--page', join(folder, 'page.md'), '--work', join(folder, 'work')];
  return spawnSync(process.execPath, ['--conditions=netsmith-source', file, ...common, ...args], { encoding: 'utf8' });
}

test('overlap of two cells is the share of equal decisions of all that either makes', () => {
  assert.equal(overlap({ a: 1, b: [0, 1] }, { a: 1, b: [0, 1] }), 1);
  assert.equal(overlap({ a: 1, b: [0, 1] }, { a: 1, b: [0, 2] }), 0.5);
  assert.equal(overlap({ a: 1, b: 2 }, { a: 1, c: 2 }), 1 / 3);
  assert.equal(meanOverlap([{ a: 1 }, { a: 1 }, { a: 2 }]), 1 / 3);
  assert.equal(meanOverlap([{ a: 1 }]), undefined);
});

test('rows are read back without a last line that was cut off', () => {
  const file = join(folder, 'cut.jsonl');
  writeRows(file, [searched('darts', 0)]);
  appendRow(file, trained('darts', 0, 0.5));
  writeFileSync(file, `${readFileSync(file, 'utf8')}{"step":"tra`);
  assert.deepEqual(readRows(file), [searched('darts', 0), trained('darts', 0, 0.5)]);
});

test('a summary has the mean and deviation over seeds, the gap, the overlap and the energy', () => {
  const rows: Row[] = [0, 1].flatMap((seed) => [searched('darts', seed), trained('darts', seed, 0.5 + 0.1 * seed)]);
  const [darts, ...others] = summaries(METHODS, rows);
  assert.ok(darts && others.length === 0);
  const rounded = (value = Number.NaN) => Number(value.toFixed(6));
  assert.equal(rounded(darts.test.accuracy?.mean), 0.55);
  assert.equal(rounded(darts.test.accuracy?.sd), rounded(Math.sqrt(0.005)));
  assert.equal(rounded(darts.gap?.mean), 0.02);
  assert.equal(darts.overlap, 0.5);
  // 108 s + 72 s of a core of 10 W
  assert.equal(rounded(energyOf(darts, 10)), 0.5);
});

test('core hours of a search leave out one that was stopped and continued', () => {
  const [random] = summaries(METHODS, [searched('random', 0), searched('random', 1, { resumed: true, cpuSeconds: 1 })]);
  assert.deepEqual(random?.searchCoreHours, { mean: 0.03, sd: 0, count: 1 });
  const stopped = [searched('random', 0, { resumed: true, cpuSeconds: 1 }), trained('random', 0, 0.5)];
  const [unknown, handDesigned] = summaries(METHODS, [...stopped, trained('resnet-20', 0, 0.5)]);
  assert.ok(unknown && handDesigned);
  assert.deepEqual([energyOf(unknown, 10), energyOf(handDesigned, 10)], [undefined, 0.2]);
});

test('the page has only what rows say, and the reasons of failures', () => {
  const options = { form: SHORT, watts: 10, machine: 'A machine', figure: 'page.svg' };
  const empty = page([], options);
  assert.match(empty, /has not been run yet/);
  assert.match(empty, /\| densenet-bc-40 +\| Huang et al. 2017.*4.51 %/);
  const failed = searched('enas', 0, { text: null, reason: 'exit code 2: no memory' });
  const rows = [searched('darts', 0), trained('darts', 0, 0.6), trained('resnet-20', 0, 0.7), failed];
  const full = page(rows, options);
  assert.match(full, /\| darts +\| +1 \| 60.00 +\| 60.00 .*\| 2.00/);
  assert.match(full, /- enas, search, seed 0: exit code 2: no memory/);
  assert.doesNotMatch(full, /\| gdas .*\| 0.00/);
  assert.match(figureOf(rows) ?? '', /^<svg.*resnet-20/s);
  assert.equal(figureOf([]), undefined);
});

test('what was found on EuroSAT stands beside what was carried over to it, of the seeds that have both', () => {
  const eurosat = (seed: number, accuracy: number, found: TrainRow['found']) =>
    trained('random', seed, accuracy, { data: 'eurosat', found });
  const rows: Row[] = [
    ...[searched('random', 0), searched('random', 0, { data: 'eurosat', seconds: 999 }), trained('random', 0, 0.5)],
    ...[eurosat(0, 0.7, 'cifar-10'), eurosat(1, 0.9, 'cifar-10'), eurosat(0, 0.8, 'eurosat')],
  ];
  assert.equal(new Set(rows.map(keyOf)).size, rows.length);
  const [random] = summaries(METHODS, rows);
  assert.deepEqual(
    [random?.eurosat?.mean, random?.eurosatAgain?.carried.mean, random?.eurosatAgain?.searched.mean],
    [0.8, 0.7, 0.8],
  );
  assert.equal(random?.searchSeconds?.mean, 120);
  const text = page(rows, { form: SHORT, watts: 10, machine: 'A machine', figure: 'page.svg' });
  assert.match(text, /searched there[\s\S]*\| random +\| +1 \| 70.00 +\| 80.00 +\|/);
  // A hand-designed network is found nowhere.
  const [resnet] = summaries(METHODS, [trained('resnet-20', 0, 0.6, { data: 'eurosat', found: 'eurosat' })]);
  assert.deepEqual([resnet?.eurosat?.mean, resnet?.eurosatAgain], [0.6, undefined]);
});

test('methods that sample architectures do not take the search form of darts, whose `none` the space does not have', () => {
  const inForm = (space: string) =>
    METHODS.filter((method) => searchOptions(method, { ...LONG, space }).includes('search=true')).map(
      ({ name }) => name,
    );
  const samplers = ['controller-shared', 'enas', 'single-path'];
  assert.deepEqual(
    inForm('nas-bench-201').filter((name) => !inForm('darts').includes(name)),
    samplers,
  );
  assert.ok(inForm('darts').includes('gdas') && !inForm('nas-bench-201').includes('random'));
});

test('labels of the figure stand apart, also where all methods have the same accuracy and time', () => {
  const points = ['darts', 'gdas', 'enas'].map((method) => ({ method, seconds: 60, accuracy: 0.5, sd: 0.01 }));
  const svg = figure(points, []);
  const heights = points.map(
    ({ method }) => new RegExp(`translate\\([\\d.]+,([\\d.]+)\\)"[^>]*>${method}<`).exec(svg)?.[1],
  );
  const sorted = heights.map(Number).toSorted((a, b) => a - b);
  assert.ok(
    sorted.every((y, i) => i === 0 || y - (sorted[i - 1] ?? y) > 10),
    `${heights}`,
  );
});

test('DenseNet-BC with 100 layers has the parameters of the published one', () => {
  const task = { input: [3, 32, 32], outputs: 10, kind: 'classification' as const };
  const space = denseNet.create(task, { depth: 100, growth: 12 });
  assert.equal(networkCosts(resolve(space, {}), task).params, 769_162);
});

test('bench:founding --page-only writes the page of the rows of its form', () => {
  const [one, two, three] = [
    '|nor_conv_3x3~0|',
    '|nor_conv_3x3~0|nor_conv_3x3~1|',
    '|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|',
  ];
  const own = [searched('darts', 0, { text: `${one}+${two}+${three}` }), trained('darts', 0, 0.6)];
  writeRows(results, [...own, trained('gdas', 0, 0.9, { form: LONG })]);
  const { status, stdout, stderr } = bench('--page-only', '--short', '--json');
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), own);
  const text = readFileSync(join(folder, 'page.md'), 'utf8');
  assert.match(text, /\| darts +\| +1 \| 60.00/);
  // The small form searches nas-bench-201: its table has the largest cell at 93.76 %.
  assert.match(text, /\| darts +\| 93.76 +\| 71.11 +\| 41.44/);
  assert.ok(existsSync(join(folder, 'page.svg')));
});

test('bench:founding refuses flags that do not fit, and writes nothing', () => {
  rmSync(join(folder, 'page.md'), { force: true });
  const refused = (expected: RegExp, ...args: readonly string[]) => {
    const { status, stderr } = bench(...args);
    assert.equal(status, 2);
    assert.match(stderr, expected);
  };
  refused(/--only nothing: must be among controller, /, '--only', 'nothing', '--resume');
  refused(/--space mlp: must be among darts, /, '--space', 'mlp', '--resume');
  refused(/--seeds 0: must be a whole number of at least 1/, '--seeds', '0', '--resume');
  refused(/rows.jsonl is there: --resume continues it/);
  assert.ok(!existsSync(join(folder, 'page.md')));
});

test('bench:founding: the strategies of all methods exist, and no two methods are alike', async () => {
  const names = METHODS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { search = [] } of METHODS) {
    const [flag, strategy] = search;
    if (flag === undefined || strategy === undefined) continue;
    assert.equal(flag, '--strategy');
    await json('strategies', strategy);
  }
});
