import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkDataset } from '../conformance.node.ts';
import type { DataRequest } from '../dataset.ts';
import { openDataset } from '../open.node.ts';
import { assertRefused, tempFolder } from '../testing/helpers.ts';
import { reviews } from '../testing/texts.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

async function write(dir: string, files: Files): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return dir;
}

const files = (count: number, within = ''): Files =>
  Object.fromEntries(
    reviews(count).map(({ text, stars }, i) => [`${within}${stars === 5 ? 'good' : 'bad'}/${i}.txt`, text]),
  );

const open = (dir: string, more: Partial<DataRequest> = {}) =>
  openDataset({ name: 'text-folder', dir, seed: 1, ...more });

test('a folder of text files for each class; files may be deeper, gzipped, or something else', async (t) => {
  const dir = await write(await tempFolder(t), {
    ...files(20),
    'good/deeper/more.txt.gz': gzipSync('fine, fine'),
    'bad/picture.png': 'no text',
    '.hidden/one.txt': 'not read',
  });
  const { info } = (await open(dir)).search;
  assert.deepEqual([info.kind, info.labels, info.input], ['text', ['bad', 'good'], [8]]);
  assert.deepEqual(info.counts, { train: 13, valid: 4, test: 4 });
  assert.ok(info.notes.includes('21 texts in 2 class folders.'), `${info.notes}`);
  assert.ok(info.notes.includes('1 file was not read: 1 .png.'), `${info.notes}`);
  await checkDataset({ name: 'reviews', kind: 'text', open: ({ seed }) => open(dir, { seed }) });
});

test('folders for the parts are kept, by whatever name; the test part is read when it is opened', async (t) => {
  const dir = await write(await tempFolder(t), {
    ...files(20, 'Training/'),
    ...files(6, 'dev/'),
    ...files(4, 'test texts/'),
  });
  const { search, openTest } = await open(dir);
  assert.deepEqual(search.info.counts, { train: 20, valid: 6, test: 4 });
  await writeFile(join(dir, 'test texts', 'good', '0.txt'), '');
  await assertRefused(openTest(), 'test texts/good/0.txt', 'it has no text');
});

test('a study notices a changed file, and goes on without an excluded one', async (t) => {
  const dir = await write(await tempFolder(t), files(20));
  const [whole, less] = [await open(dir), await open(dir, { exclude: ['good/0.txt', 'bad/1.txt'] })];
  const [all, some] = [whole.search.info, less.search.info];
  const total = ({ train, valid, test: tested }: typeof all.counts) => train + valid + tested;
  assert.equal(total(some.counts), total(all.counts) - 2);
  assert.equal(some.checksums?.files, all.checksums?.files);
  await writeFile(join(dir, 'good', '2.txt'), 'another text');
  const changed = (await open(dir)).search.info;
  assert.notDeepEqual(changed.checksums, all.checksums);
});

test('what cannot be learned from is refused, with the file and the line', async (t) => {
  const refused = async (more: Files, ...parts: readonly string[]) =>
    assertRefused(open(await write(await tempFolder(t), { ...files(20), ...more })), ...parts);
  await refused({ 'good/0.txt': '' }, 'good/0.txt', 'it has no text');
  await refused({ 'good/0.txt': ' \n\t' }, 'good/0.txt', 'it has no text');
  await refused({ 'bad/1.txt': 'one\ntwo\0' }, 'bad/1.txt', 'line 2', 'NUL');
  await refused({ 'bad/1.txt': Buffer.of(0x61, 0x0a, 0xed, 0xa0, 0x80) }, 'bad/1.txt', 'line 2', 'not UTF-8');
  await refused({ 'bad/1.txt': '%PDF-1.4' }, 'bad/1.txt', 'a PDF');
  await refused({ 'ugly/picture.png': '' }, 'class folder "ugly" has no texts');
  await refused({ 'train/good/0.txt': 'fine' }, '"train" is named like a split');
  const one = await write(await tempFolder(t), { 'good/0.txt': 'fine', 'good/1.txt': 'good' });
  await assertRefused(open(one), '1 class folder', 'at least 2');
  const tested = await write(await tempFolder(t), { ...files(20, 'train/'), 'test/ugly/0.txt': 'so ugly' });
  await assertRefused(open(tested), 'class folder "ugly"', 'the training classes are bad, good');
});
