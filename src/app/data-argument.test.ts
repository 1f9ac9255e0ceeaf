import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { UserError } from '../common/errors.ts';
import { tempFolder } from '../data/testing/helpers.ts';
import { dataOf } from './data-argument.ts';

async function folder(t: TestContext, ...names: readonly string[]): Promise<string> {
  const dir = await tempFolder(t);
  for (const name of names) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), '');
  }
  return dir;
}

test('a folder is what its files are: images, texts with classes, or a text to continue', async (t) => {
  for (const [data, ...names] of [
    ['image-folder', 'cat/1.png', 'cat/2.png', 'dog/1.jpg', 'README.txt'],
    ['image-folder'],
    ['image-folder', 'train/cat/1.png', 'test/cat/2.png', 'train/dog/1.jpg'],
    ['text-folder', 'good/1.txt', 'bad/1.txt', 'LICENSE.txt', 'notes.md'],
    ['text-folder', 'train/good/1.txt', 'train/bad/1.txt', 'test/good/2.txt'],
    ['text-folder', 'good/deeper/1.txt.gz', 'bad/1.txt'],
    ['text', 'chapter 1.txt', 'chapter 2.txt'],
    ['text', 'train.txt', 'valid.txt', 'test.txt'],
    ['text', 'train/1.txt', 'train/2.txt', 'test/1.txt'],
  ] as const) {
    const dir = await folder(t, ...names);
    assert.deepEqual(dataOf(dir), { data, dataDir: dir }, names.join(', '));
  }
});

test('a folder of tables is the only one, or those that its names call parts', async (t) => {
  for (const [parts, ...names] of [
    [{ dataDir: 'cars.csv' }, 'cars.csv', 'README.txt'],
    [{ dataDir: 'train.csv', validData: 'dev.csv', testData: 'test.csv' }, 'dev.csv', 'test.csv', 'train.csv'],
    [{ dataDir: 'adult-train.csv.gz', testData: 'adult-test.csv.gz' }, 'adult-train.csv.gz', 'adult-test.csv.gz'],
  ] as const) {
    const dir = await folder(t, ...names);
    const expected = Object.entries(parts).map(([name, file]) => [name, join(dir, file)]);
    assert.deepEqual(dataOf(dir), { data: 'csv', ...Object.fromEntries(expected) });
  }
});

test('a folder that may be two things is refused, with what was found', async (t) => {
  for (const [rule, ...names] of [
    [
      /images and texts \(of the files looked at, 2 and 2\).*--data text-folder/,
      'a/1.png',
      'a/1.txt',
      'b/2.png',
      'b/2.txt',
    ],
    [
      /it has the tables submission\.csv, test\.csv, train\.csv; name the file/,
      'submission.csv',
      'test.csv',
      'train.csv',
    ],
    [/it has the tables a\.csv, b\.csv; name the file/, 'a.csv', 'b.csv'],
    [/text files \(1\) and tables \(1\).*train\.csv/, 'train.csv', 'book.txt'],
    [/text files at the top \(1\) and in folders \(2 looked at\).*--data text /s, 'a.txt', 'a/1.txt', 'b/1.txt'],
  ] as const) {
    const dir = await folder(t, ...names);
    assert.throws(
      () => dataOf(dir),
      (error) => error instanceof UserError && rule.test(error.message),
    );
  }
});
