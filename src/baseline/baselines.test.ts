import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { UserError } from '../common/errors.ts';
import type { Dataset, DatasetInfo } from '../data/dataset.ts';
import { bagOfWords } from './bag-of-words.ts';
import type { Baseline } from './baseline.ts';
import { boostedTrees } from './boosted-trees.ts';
import { columnsOf } from './columns.ts';
import { BASELINES } from './index.ts';
import { linear } from './linear.ts';
import { majority } from './majority.ts';
import { nearestNeighbor } from './nearest-neighbor.ts';
import { baselineTask, loadRows, someRows } from './rows.ts';
import { type BaselineRow, type BaselineRun, runBaselines } from './run.ts';
import { baselineConformance } from './testing/conformance.ts';
import { imageData, tableData, textData } from './testing/data.ts';

const kinds = (classes: number, numbers: number, images: number) => ({
  ...{ 'a table with classes': classes, 'a table with numbers': numbers },
  images,
});
baselineConformance(majority, { ...kinds(0.3, -0.1, 0.4), texts: 0.4 });
baselineConformance(bagOfWords, { texts: 0.95 });
baselineConformance(linear, kinds(0.7, 0.7, 0.95));
baselineConformance(nearestNeighbor, kinds(0.75, 0.75, 0.95));
baselineConformance(boostedTrees, kinds(0.85, 0.9, 0.9));

const runOf = ({ search: { info, train, valid } }: Dataset, more: Partial<BaselineRun> = {}): BaselineRun => ({
  ...{ info, train, valid, seed: 1 },
  ...more,
});
const accuracy = (row: BaselineRow | undefined) =>
  row === undefined || 'skipped' in row ? Number.NaN : (row.validation.accuracy ?? Number.NaN);

suite('baselines of a data set', () => {
  test('a row for each, on validation samples; the test samples only where they are given', async () => {
    const data = await tableData('classification');
    const rows = await runBaselines(runOf(data));
    assert.deepEqual(
      rows.map(({ name }) => name),
      BASELINES.map(({ name }) => name),
    );
    for (const row of rows) {
      assert.ok(!('skipped' in row), row.name);
      assert.equal(row.test, undefined);
      assert.ok(row.seconds >= 0);
    }
    const [constant, trees] = rows;
    assert.ok(accuracy(trees) > accuracy(constant) + 0.3);
    const tested = await runBaselines(runOf(data, { test: await data.openTest(), baselines: [boostedTrees] }));
    const [row] = tested;
    assert.ok(row !== undefined && !('skipped' in row));
    assert.ok((row.test?.accuracy ?? 0) > 0.85);
    assert.equal(accuracy(row), accuracy(trees), 'validation is of the fit on training samples alone');
  });

  test('one that fails, or whose file cannot be written, is a row with its reason, and the others go on', async () => {
    const data = await tableData('classification');
    const failing: Baseline = { ...linear, name: 'failing', fit: () => Promise.reject(new RangeError('a defect')) };
    const exporting = async (name: string) => {
      if (name === 'linear') throw new Error('parity: 0.5');
      return 'majority.onnx';
    };
    const rows = await runBaselines(runOf(data, { baselines: [failing, linear, majority], exporting }));
    assert.deepEqual(rows[0], { name: 'failing', skipped: 'failed', reason: 'a defect' });
    const [, unexported, constant] = rows;
    assert.ok(unexported !== undefined && !('skipped' in unexported) && constant !== undefined);
    assert.deepEqual([unexported.exported, 'exported' in constant], [undefined, true]);
    assert.match(unexported.notes.join(), /It is not exported: parity: 0\.5/);
    const full = () => Promise.reject(new UserError('the disk is full'));
    await assert.rejects(runBaselines(runOf(data, { baselines: [majority], exporting: full })), /the disk is full/);
  });

  test('what was measured before is not measured again, unless its test is wanted now', async () => {
    const data = await tableData('classification');
    const earlier = await runBaselines(runOf(data, { baselines: [majority, linear] }));
    const started: string[] = [];
    const onStart = (name: string) => void started.push(name);
    const baselines = [majority, linear, nearestNeighbor];
    const rows = await runBaselines(runOf(data, { baselines, earlier, onStart }));
    assert.deepEqual(started, ['nearest-neighbor']);
    assert.deepEqual(rows.slice(0, 2), earlier);
    await runBaselines(runOf(data, { baselines, earlier: rows, onStart, test: await data.openTest() }));
    assert.deepEqual(started.slice(1), ['majority', 'linear', 'nearest-neighbor']);
  });

  test('a row is handed over as soon as it is there, and an abort keeps those before', async () => {
    const data = await tableData('classification');
    const stop = new AbortController();
    const rows: BaselineRow[] = [];
    const onRow = (row: BaselineRow) => {
      rows.push(row);
      if (rows.length === 2) stop.abort(new Error('enough'));
    };
    await assert.rejects(runBaselines(runOf(data, { onRow, signal: stop.signal })), /enough/);
    assert.deepEqual(
      rows.map(({ name }) => name),
      ['majority', 'boosted-trees'],
    );
  });

  test('the time limit is kept: what has no time left is a row that says so, and a later run makes up for it', async () => {
    const data = await tableData('classification');
    let clock = 0;
    const now = () => clock++;
    const rows = await runBaselines(runOf(data, { deadline: 12, now }));
    const late = rows.filter((row) => 'skipped' in row);
    assert.ok(late.length > 0 && late.length < rows.length, `${late.length}`);
    assert.ok(late.every((row) => 'skipped' in row && row.skipped === 'time'));
    const later = await runBaselines(runOf(data, { earlier: rows }));
    assert.ok(later.every((row) => !('skipped' in row)));
  });

  test('fits that take all the time they are given leave some to be measured in', async () => {
    const data = await tableData('classification');
    let clock = 0;
    const deadlines: number[] = [];
    const patient: Baseline = {
      ...majority,
      fit(of, options) {
        deadlines.push(options.deadline ?? Number.NaN);
        clock = Math.max(clock, options.deadline ?? Number.NaN);
        return majority.fit(of, options);
      },
    };
    const run = runOf(data, { baselines: [patient, linear], deadline: 1000, now: () => clock });
    const rows = await runBaselines({ ...run, test: await data.openTest() });
    assert.deepEqual(deadlines, [175, 400]);
    for (const row of rows) assert.ok(!('skipped' in row) && row.test !== undefined, JSON.stringify(row));
  });

  test('images that are too many for trees are said to be', async () => {
    const data = await imageData();
    const { search } = data;
    const info: DatasetInfo = { ...search.info, counts: { ...search.info.counts, train: 1_000_000 } };
    const [row] = await runBaselines({ ...runOf(data), info, baselines: [boostedTrees] });
    assert.ok(row !== undefined && 'skipped' in row && row.skipped === 'unfit');
    assert.match(row.reason, /too many or too large/);
  });

  test('of texts there are the most frequent class and a bag of words; baselines of numbers do not run on tokens', async () => {
    const data = await textData();
    const rows = await runBaselines(runOf(data));
    assert.deepEqual(
      rows.map(({ name }) => name),
      ['majority', 'bag-of-words'],
    );
    const [constant, bag] = rows;
    assert.ok(accuracy(bag) > accuracy(constant) + 0.4, `${accuracy(bag)}`);
    const asked = await runBaselines(runOf(data, { baselines: [boostedTrees, linear, nearestNeighbor] }));
    assert.ok(asked.every((row) => 'skipped' in row && row.skipped === 'unfit'));
  });

  test('no task is served that is not one class or some numbers for each sample', async () => {
    const data = await tableData('classification');
    const of = baselineTask(data.search.info);
    assert.ok(of);
    const { info } = data.search;
    const task = { ...of.task, classes: false, standardized: false };
    assert.equal(baselineTask(info, task), undefined);
    const rows = await runBaselines({ ...runOf(data), task });
    assert.ok(rows.every((row) => 'skipped' in row && row.skipped === 'unfit'));
  });

  test('neighbors of images are found by squares of pixels, and it is said', async () => {
    const data = await imageData(200, 18);
    const [row] = await runBaselines(runOf(data, { baselines: [nearestNeighbor] }));
    assert.ok(accuracy(row) > 0.9, `${accuracy(row)}`);
    assert.ok(row !== undefined && !('skipped' in row));
    assert.deepEqual(row.notes, ['Images are averaged over squares of 2x2 pixels.']);
  });

  test('columns lie where the encoding puts them', () => {
    const encoding = {
      columns: [
        { name: 'day', kind: 'date', format: 'ymd', missing: 0, offset: 0, timed: true },
        { name: 'color', kind: 'category', categories: ['red', 'blue'], other: true },
        { name: 'size', kind: 'number', missing: 0 },
      ],
      label: 'label',
    } as const;
    assert.deepEqual(columnsOf({ input: [6], encoding }), [
      { kind: 'number', at: 0 },
      { kind: 'number', at: 1 },
      { kind: 'category', at: 2, categories: 3 },
      { kind: 'number', at: 5 },
    ]);
    assert.equal(columnsOf({ input: [1, 2, 3] }).length, 6);
  });

  test('rows are drawn by the seed', async () => {
    const { search } = await tableData('regression');
    const task = baselineTask(search.info);
    assert.ok(task);
    const rows = await loadRows(task, search.train, 1);
    const some = someRows(rows, 20, 1);
    assert.equal(some.table.rows, 20);
    assert.deepEqual(someRows(rows, 20, 1), some);
    assert.notDeepEqual(someRows(rows, 20, 2), some);
    assert.equal(someRows(rows, 1000, 1), rows);
    const mean = rows.targets.reduce((sum, y) => sum + y, 0) / rows.table.rows;
    assert.ok(Math.abs(mean) < 1e-3, 'targets are standardized');
  });
});
