import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createStudy } from '../src/app/open.ts';
import { readStudy } from '../src/app/study.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-tables-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const SPACE = join(import.meta.dirname, 'support/fixture-space.ts');

function written(name: string, lines: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** Trains on a table and exports; the paths of the model and its card. */
async function exported(
  name: string,
  lines: readonly string[],
  ...args: string[]
): Promise<{ file: string; card: string }> {
  const data = ['--data', 'csv', '--data-dir', written(`${name}.csv`, lines), '--space', SPACE];
  const out = join(folder, name);
  await json('search', ...data, '--trials', '1', '--epochs', '30', '--batch-size', '16', '--out', out, ...args);
  return json('export', out);
}

/** 160 values from 0 to 10, out of order. */
const VALUES = Array.from({ length: 160 }, (_, i) => ((i * 61) % 160) / 16);
const german = (value: number, digits: number) =>
  value.toLocaleString('de-DE', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const dated = (value: number) => new Date(Date.UTC(2024, 0, 1 + Math.round(value * 16))).toISOString();

test('a table is searched with residual-mlp where no space is named, by the command line and by the library', async () => {
  const file = written('no-space.csv', ['a,b,y', ...VALUES.map((v) => `${v},${v * v},${v > 5 ? 'high' : 'low'}`)]);
  const small = ['--trials', '1', '--epochs', '1', '--out', join(folder, 'no-space')];
  const { best } = await json('search', '--data', 'csv', '--data-dir', file, ...small);
  assert.ok('body' in best.architecture, JSON.stringify(best.architecture));
  const study = await createStudy({ data: 'csv', dataDir: file, epochs: 1, dir: join(folder, 'no-space-library') });
  const found = await study.optimize({ trials: 1 });
  assert.deepEqual(found.best?.architecture, best.architecture);
});

test('what training subtracts and how it reads numbers and dates, predict does too: offsets, decimal commas, days', async () => {
  const start = 1_700_000_000_000;
  const row = (v: number) => [start + Math.round(v * 100), german(v * 1000, 1), dated(v).slice(0, 10)];
  const rows = VALUES.map((v) => [...row(v), start + Math.round(v * 1000)].join(';'));
  const { file: model, card } = await exported(
    'shop',
    ['time;amount;day;stamp', ...rows],
    '--label',
    'stamp',
    '--regression',
  );

  const asked = [1, 5, 9];
  const file = written('ask.csv', [
    'day;time;amount',
    ...asked.map((v) => [row(v)[2], row(v)[0], row(v)[1]].join(';')),
  ]);
  const answers = await json('predict', model, file);
  for (const [k, v] of asked.entries()) {
    const found = answers[k].values.stamp;
    assert.ok(Math.abs(found - (start + v * 1000)) < 1500, `${found} for ${start + v * 1000}`);
  }
  // A person sees them differ, too.
  const { out } = await netsmith('predict', model, file);
  for (const { values } of answers) assert.ok(out.includes(`stamp ${values.stamp.toFixed(0).slice(0, -1)}`), out);
  // In a file with decimal points and commas between the columns, too.
  const plain = written('plain.csv', ['day,time,amount', `${row(5)[2]},${row(5)[0]},5000.0`]);
  const [answer] = await json('predict', model, plain);
  assert.ok(Math.abs(answer.values.stamp - answers[1].values.stamp) < 1);
  assert.match(readFileSync(card, 'utf8'), /to the model's output, in 64 bits/);
});

test('a hand-designed network encodes numbers by quantiles, and its exported file answers as it learned', async () => {
  const rows = VALUES.map((v) => `${v},${v > 3 && v < 7 ? 'inside' : 'outside'}`);
  const designed = ['--space', 'residual-mlp', '--hand-designed', 'all', '--learning-rate', '0.01'];
  const { file } = await exported('bins', ['x,label', ...rows], ...designed);
  const { best } = await json('best', join(folder, 'bins'));
  assert.equal(best.architecture.bins, 64);
  const answers = await json('predict', file, written('inside.csv', ['x', '1', '5', '9', '12', '']));
  assert.deepEqual(
    answers.map((one: { class: string }) => one.class),
    ['outside', 'inside', 'outside', 'outside'],
  );
});

test('predict: rows without any value are passed over and the others keep their number; own words for missing; bad cells are refused', async () => {
  const rows = VALUES.map(
    (v, i) => `${i % 20 === 3 ? 'k.A.' : v.toFixed(3)},${((i * 7) % 11) - 5},${v > 5 ? 'yes' : 'no'}`,
  );
  const { file: model } = await exported('plain', ['x1,x2,label', ...rows]);
  const ask = (...lines: string[]) => written('rows.csv', ['x1,x2', ...lines]);
  const answers = await json('predict', model, ask('9,0', '1,0', ',', ',', '1,0', ',', 'k.A.,0', 'n/a,1'));
  assert.deepEqual(
    answers.map((one: { row: number; class: string }) => one.row),
    [1, 2, 5, 7, 8],
  );
  assert.deepEqual(
    answers.slice(0, 3).map((one: { class: string }) => one.class),
    ['yes', 'no', 'no'],
  );
  const refused = async (pattern: RegExp, ...lines: string[]) => {
    const { code, err } = await netsmith('predict', model, ask(...lines));
    assert.match(err, pattern);
    assert.notEqual(code, 0);
  };
  await refused(/row 2.*"x2": the value is "1e39"/, '9,0', '9,1e39');
  await refused(/row 2.*"x1": the value is "soon"/, ',', 'soon,1');
  // A row with another number of fields is one bad item; the others are answered, in the order of the file.
  const path = ask('9,0', '9,0,7', '1', ',', '1,0', '9,0', '9,0,7');
  const some = await netsmith('predict', model, path, '--json');
  const found = JSON.parse(some.out).map((one: { row: number; class?: string; error?: string }) => [
    one.row,
    one.class ?? one.error,
  ]);
  assert.deepEqual(found, [
    [1, 'yes'],
    [2, 'line 3 has 3 fields; the header names 2 columns'],
    [3, 'line 4 has 1 field; the header names 2 columns'],
    [5, 'no'],
    [6, 'yes'],
    [7, 'line 8 has 3 fields; the header names 2 columns'],
  ]);
  assert.equal(some.code, 1);
  await refused(/row 1.*line 2 has 1 field/, '9');
});

test('--test-data: a model is tested on the rows of that file, which predict reads alike; moved and changed files', async () => {
  const line = (v: number, k: number) => `${v},${k},${v > 5 ? 'high' : 'low'}`;
  const [head, all] = ['a,k,y', VALUES.map(line)];
  const [rows, test] = [all.slice(0, 120), all.slice(120)];
  const [dir, file] = [written('fixed.csv', [head, ...rows]), written('fixed-test.csv', [head, ...test])];
  const out = join(folder, 'fixed');
  const data = ['--data', 'csv', '--data-dir', dir, '--test-data', file, '--exclude', 'k', '--space', SPACE];
  await json('search', ...data, '--trials', '1', '--epochs', '3', '--out', out);

  const moved = written('moved.csv', [head, ...test]);
  rmSync(file);
  await refusedIn(folder, /fixed-test\.csv/, 'evaluate', out, '--seeds', '1', '--no-baselines');
  const { kept } = await json('evaluate', out, '--seeds', '1', '--no-baselines', '--test-data', moved);
  const { file: model } = await json('export', out, '--test-data', moved);
  const predicted: readonly { readonly class: string }[] = await json('predict', model, moved);
  const hits = test.filter((row, k) => row.endsWith(`,${predicted[k]?.class}`)).length;
  assert.equal(kept.test.accuracy, hits / test.length);
  assert.match(
    readFileSync(join(out, 'best/MODEL_CARD.md'), 'utf8'),
    /The test split is the file "moved\.csv" \(40 rows\)/,
  );

  const changed = written('changed.csv', [head, ...test.slice(1), '3,7,high']);
  const again = ['evaluate', out, '--seeds', '2', '--no-baselines', '--test-data', changed];
  await refusedIn(folder, /a test sample has changed/, ...again);
  await refusedIn(
    folder,
    /odd\.csv", line 2, column "y": the label is "odd"/,
    'search',
    ...data,
    '--test-data',
    written('odd.csv', [head, '1,2,odd']),
  );
});

test('--valid-data: the rows of that file choose; a moved file, and an unknown class', async () => {
  const line = (v: number) => `${v},${v > 5 ? 'high' : 'low'}`;
  const [head, all] = ['a,y', VALUES.map(line)];
  const [rows, valid] = [all.slice(0, 130), all.slice(130)];
  const [file, chosenBy] = [written('fit.csv', [head, ...rows]), written('fit-valid.csv', [head, ...valid])];
  const out = join(folder, 'own-validation');
  const data = ['--data', 'csv', '--data-dir', file, '--valid-data', chosenBy, '--space', SPACE];
  const shown = await json('search', ...data, '--trials', '1', '--epochs', '3', '--out', out);
  const { accuracy } = shown.best.metrics;
  assert.equal((accuracy * valid.length) % 1, 0, 'a share of the rows of that file');
  const moved = written('fit-moved.csv', [head, ...valid]);
  rmSync(chosenBy);
  await refusedIn(folder, /fit-valid\.csv/, 'evaluate', out, '--seeds', '1', '--no-baselines');
  await json('evaluate', out, '--seeds', '1', '--no-baselines', '--valid-data', moved);
  const { data: found } = await readStudy(out);
  assert.deepEqual(found.counts, { train: 104, valid: 30, test: 26 });
  assert.match(found.notes.join(' '), /The validation split is the file "fit-valid\.csv" \(30 rows\)/);
  const odd = ['--data', 'csv', '--data-dir', file, '--valid-data', written('fit-odd.csv', [head, '1,odd'])];
  await refusedIn(folder, /fit-odd\.csv", line 2, column "y": the label is "odd"/, 'search', ...odd);
});

test('a damaged table is refused before anything is written', async () => {
  const refused = (expected: RegExp, bytes: string | Uint8Array) => {
    const file = join(folder, 'bad.csv');
    writeFileSync(file, bytes);
    return refusedIn(
      folder,
      expected,
      'search',
      '--data',
      'csv',
      '--data-dir',
      file,
      '--space',
      SPACE,
      '--trials',
      '1',
    );
  };
  await refused(/old Excel workbook/, Buffer.from('d0cf11e0a1b11ae1', 'hex'));
  await refused(/web page/, '<!DOCTYPE html>\n<html>');
  await refused(/line 3: found a NUL byte/, 'a,b\n1,2\n3,\0\n');
  await refused(/line 3: 3 fields; the header names 2 columns/, 'a,b\n1,2\n1,2,3\n');
});

/** Three rows in four are of one class, and the features say little of it. */
const uneven = () =>
  written('uneven.csv', [
    'a,b,y',
    ...VALUES.map((v, i) => `${v},${(v * 37) % 10},${i % 4 === 0 || v > 9 ? 'rare' : 'usual'}`),
  ]);

test('class weights follow from the first objective of a new study, which stores them; wrong ones are refused', async () => {
  const data = ['--data', 'csv', '--data-dir', uneven(), '--label', 'y', '--space', SPACE];
  const stored = async (name: string, ...args: string[]) => {
    const dir = join(folder, name);
    await json('search', ...data, '--trials', '1', '--epochs', '1', '--out', dir, ...args);
    return (await readStudy(dir)).settings.classWeights;
  };
  assert.equal(await stored('weights-accuracy'), 'none');
  assert.equal(await stored('weights-recall', '--objective', 'recall,params'), 'balanced');
  assert.equal(await stored('weights-named', '--objective', 'recall', '--class-weights', 'none'), 'none');
  const refused = ['--trials', '1', '--out', join(folder, 'weights-refused')];
  await refusedIn(
    folder,
    /--class-weights: "even"; must be one of auto, none, balanced/,
    'search',
    ...data,
    ...refused,
    '--class-weights',
    'even',
  );
  await refusedIn(folder, /--patience: 2; must be at most 1/, 'search', ...data, ...refused, '--patience', '2');
  const numbers = ['--data', 'csv', '--data-dir', uneven(), '--label', 'b', '--regression', '--space', SPACE];
  await refusedIn(
    folder,
    /classWeights is balanced; it only applies to classification/,
    'search',
    ...numbers,
    ...refused,
    '--class-weights',
    'balanced',
  );
});

test('with --patience a trial ends early, and its value is the best of its curve', async () => {
  const dir = join(folder, 'patience');
  const data = ['--data', 'csv', '--data-dir', uneven(), '--label', 'y', '--space', SPACE];
  await json('search', ...data, '--trials', '1', '--epochs', '60', '--patience', '0.1', '--out', dir);
  const [trial] = (await readStudy(dir)).trials;
  const values = trial?.curve.map(({ metrics }) => metrics.accuracy ?? 0) ?? [];
  assert.equal(trial?.state, 'complete');
  assert.ok(values.length > 0 && values.length < 60, `${values.length} epochs`);
  assert.equal(trial.metrics.accuracy, Math.max(...values));
});
