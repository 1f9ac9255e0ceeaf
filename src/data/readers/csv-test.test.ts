import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { DataRequest } from '../dataset.ts';
import { openDataset } from '../open.node.ts';
import { assertRefused, readAll, tempFolder } from '../testing/helpers.ts';

const HEAD = 'weight,color,price,species';
const TRAIN = Array.from({ length: 40 }, (_, i) => [i, i % 2 ? 'red' : 'blue', 3 * i, i % 2 ? 'cow' : 'hen'].join(','));

async function opener(t: TestContext) {
  const folder = await tempFolder(t);
  const [dir, testFile] = [join(folder, 'train.csv'), join(folder, 'test.csv')];
  return async (lines: readonly string[], request: Partial<DataRequest> = {}) => {
    await writeFile(dir, [HEAD, ...TRAIN].join('\n'));
    await writeFile(testFile, lines.join('\n'));
    return openDataset({ name: 'csv', dir, testFile, seed: 1, ...request });
  };
}

test('the rows of a test file are the test split, and no training row is set aside', async (t) => {
  const open = await opener(t);
  // Other order of columns, a further column, a missing number, a category that the training has not.
  const data = await open(['species,new,color,price,weight', 'hen,1,red,6,7', 'cow,1,green,9,', ',1,red,1,1']);
  const { info } = data.search;
  assert.deepEqual(info.counts, { train: 30, valid: 10, test: 2 });
  const { inputs, targets } = await readAll(await data.openTest(), 4);
  assert.deepEqual(
    info.encoding?.columns.map(({ name }) => name),
    ['weight', 'color', 'price'],
  );
  assert.deepEqual(targets, [info.labels.indexOf('hen'), info.labels.indexOf('cow')]);
  const missing = info.encoding?.columns.find(({ name }) => name === 'weight');
  assert.ok(missing?.kind === 'number');
  assert.deepEqual(inputs, [
    [7, 0, 1, 6],
    [missing.missing, 0, 0, 9],
  ]);
  assert.ok(
    info.notes.some((note) => note === 'The test split is the file "test.csv" (2 rows).'),
    `${info.notes}`,
  );
  assert.ok(
    info.notes.some((note) => note.startsWith('1 row without a label is left out ("species" in line 4')),
    `${info.notes}`,
  );
});

test('numbers to predict are those of the test file, less the offset of the training', async (t) => {
  const folder = await tempFolder(t);
  const [dir, testFile] = [join(folder, 'train.csv'), join(folder, 'test.csv')];
  const start = 1_700_000_000_000;
  await writeFile(dir, ['x,when', ...TRAIN.map((_, i) => `${i},${start + i}`)].join('\n'));
  await writeFile(testFile, ['when,x', `${start + 100},1`, `${start - 3},2`].join('\n'));
  const data = await openDataset({ name: 'csv', dir, testFile, seed: 1, label: 'when', regression: true });
  const { info } = data.search;
  const { targets } = await readAll(await data.openTest(), 1);
  const offset = info.encoding?.labelOffset ?? 0;
  assert.ok(offset > 1e12);
  assert.deepEqual(
    targets.map((value) => value + offset - start),
    [100, -3],
  );
});

test('equal numbers are one class in both files', async (t) => {
  const open = await opener(t);
  const lines = [HEAD.replace('species', 'kind'), '1,red,1,1.0', '2,red,1,0'];
  const folder = await tempFolder(t);
  const dir = join(folder, 'numbered.csv');
  await writeFile(dir, ['weight,color,price,kind', ...TRAIN.map((_, i) => `${i},red,${i},${i % 2}`)].join('\n'));
  const data = await open(lines, { dir });
  assert.deepEqual((await readAll(await data.openTest(), 2)).targets, [1, 0]);
});

test('columns are left out by name', async (t) => {
  const open = await opener(t);
  const good = [HEAD, '7,red,6,hen'];
  const { info } = (await open(good, { exclude: ['price', 'weight'] })).search;
  assert.deepEqual(
    info.encoding?.columns.map(({ name }) => name),
    ['color'],
  );
  await assertRefused(
    open(good, { exclude: ['prize'] }),
    'no column "prize" to leave out',
    'the columns are weight, color',
  );
  await assertRefused(open(good, { exclude: ['species'] }), 'the column "species" is the label');
});

test('faults of a test file are refused, with file and line', async (t) => {
  const open = await opener(t);
  const good = '7,red,6,hen';
  for (const [lines, expected] of [
    [
      ['weight,color,species', '7,red,hen'],
      ['test.csv", line 1', 'there is no column "price"'],
    ],
    [
      ['weight,color,price', '7,red,1'],
      ['test.csv", line 1', 'there is no column "species"'],
    ],
    [
      [HEAD, good, '7,red,6,dog'],
      ['test.csv", line 3, column "species"', 'the label is "dog"', '"cow", "hen"'],
    ],
    [
      [HEAD, good, good, 'heavy,red,6,hen'],
      ['test.csv", line 4, column "weight"', 'the value is "heavy"', 'it must be a number'],
    ],
    [[HEAD], ['test.csv"', 'there are no rows']],
    [
      [HEAD, good, '7,red,6'],
      ['test.csv", line 3', '3 fields'],
    ],
  ] as const) {
    await assertRefused(open(lines), ...expected);
  }
  await assertRefused(open([HEAD, good], { testFile: '/nowhere/test.csv' }), 'nowhere');
  await assertRefused(openDataset({ name: 'digits', seed: 1, testFile: 'x.csv' }), 'it only applies to csv');
});
