import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { studyBaselines } from '../src/app/evaluation/baselines.ts';
import { openStudy } from '../src/app/open.ts';
import { readStudy, setUpFinal } from '../src/app/study.ts';
import { json, netsmith } from './support/netsmith.ts';

const SPACE = join(import.meta.dirname, 'support/fixture-space.ts');
let folder = '';
let study = '';
let data = '';
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-baselines-'));
  study = join(folder, 'study');
  data = join(folder, 'shapes.csv');
  const kinds = ['round', 'square', 'long'];
  const rows = Array.from({ length: 300 }, (_, i) => {
    const size = ((i * 61) % 300) / 300;
    return `${size},${kinds[i % 3]},${(i % 3 === 1) === size > 0.4 ? 'yes' : 'no'}`;
  });
  writeFileSync(data, `size,kind,fits\n${rows.join('\n')}\n`);
  const of = ['--data', 'csv', '--data-dir', data, '--space', SPACE, '--trials', '1', '--epochs', '1', '--out', study];
  await json('search', ...of);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const NAMES = ['majority', 'boosted-trees', 'linear', 'nearest-neighbor'];
const evaluate = (...args: string[]) => json('evaluate', study, '--seeds', '1', ...args);

/** `studyBaselines` on the study, and the baselines that it fitted. */
async function fitted(test: boolean, seconds?: number) {
  const read = await readStudy(study);
  const setup = await setUpFinal(read, study, read.settings, {});
  const started: string[] = [];
  const onStart = (name: string) => void started.push(name);
  const options = { test, ...(seconds !== undefined && { seconds }) };
  const rows = await studyBaselines(study, setup, options, { onStart }, new AbortController().signal);
  return { rows, started };
}

test('evaluate fits the baselines that are no networks, and what it exports predict can run', async () => {
  const { classical } = await evaluate();
  assert.deepEqual(
    classical.map(({ name }: { name: string }) => name),
    NAMES,
  );
  for (const { name, validation, test } of classical)
    for (const metrics of [validation, test]) assert.ok(metrics.accuracy > 0.2, `${name} ${JSON.stringify(metrics)}`);
  const [, trees] = classical;
  assert.ok(trees.test.accuracy > 0.9, `${trees.test.accuracy}`);
  const rows = join(folder, 'rows.csv');
  writeFileSync(rows, 'size,kind\n0.9,square\n0.1,square\n0.9,long\n0.1,triangular\n');
  const predicted = await json('predict', join(study, trees.exported), rows);
  assert.deepEqual(
    predicted.slice(0, 3).map((one: { class: string }) => one.class),
    ['yes', 'no', 'no'],
  );
  assert.ok(predicted[3].probabilities.yes < 1, 'a category that is not known has an answer');
  const about = JSON.parse(readFileSync(join(study, 'best/baselines/boosted-trees.json'), 'utf8'));
  assert.deepEqual([about.space, about.architecture], ['baseline', 'boosted-trees']);
  assert.equal((await json('predict', join(study, 'best/baselines/linear.onnx'), rows)).length, 4);
});

test('they are fitted once: again only what is missing, or where the file of a model is gone', async () => {
  await evaluate();
  const before = statSync(join(study, 'best/baselines.json')).mtimeMs;
  const { classical } = await evaluate();
  assert.equal(statSync(join(study, 'best/baselines.json')).mtimeMs, before);
  assert.deepEqual((await fitted(true)).started, []);
  rmSync(join(study, 'best/baselines/linear.onnx'));
  const again = await fitted(true);
  assert.deepEqual(again.started, ['linear']);
  assert.deepEqual(
    again.rows.map((row) => ({ ...row, seconds: 0 })),
    classical.map((row: object) => ({ ...row, seconds: 0 })),
    'the same seed gives the same values',
  );
});

test('without the test split there are validation values alone, and without time no values', async () => {
  const { rows, started } = await fitted(false);
  assert.deepEqual(started, NAMES);
  for (const row of rows) assert.ok(!('skipped' in row) && row.test === undefined && 'accuracy' in row.validation);
  rmSync(join(study, 'best/baselines.json'));
  const late = await fitted(false, 0);
  assert.deepEqual(late.started, []);
  assert.ok(late.rows.every((row) => 'skipped' in row && row.skipped === 'time'));
  assert.deepEqual((await fitted(false)).started, NAMES, 'what had no time is fitted by the next call');
});

test('a changed file of results is refused, and --no-baselines does not read it', async () => {
  await evaluate();
  const file = join(study, 'best/baselines.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"name": "linear"', '"name": "other"'));
  const { code, err } = await netsmith('evaluate', study, '--seeds', '1');
  assert.equal(code, 2, err);
  assert.match(err, /baselines\.json.*checksum differs.*delete it/);
  const { classical } = await evaluate('--no-baselines');
  assert.equal(classical, undefined);
  rmSync(file);
});

test('the library fits the same, and shares what is kept', async () => {
  const { classical } = await evaluate();
  const started: string[] = [];
  const opened = await openStudy(study);
  const rows = await opened.baselines({ onStart: (name) => void started.push(name) });
  assert.deepEqual([rows, started], [classical, []]);
});

test('people get a table of them, the best first', async () => {
  const { out } = await netsmith('evaluate', study, '--seeds', '1');
  assert.match(out, /baseline, no network\s+validation accuracy\s+test accuracy\s+time\nboosted-trees/);
  assert.match(out, /Exported: .*boosted-trees\.onnx/);
});
