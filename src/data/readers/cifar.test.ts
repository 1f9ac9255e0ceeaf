import assert from 'node:assert/strict';
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { sharedData } from '../../common/testing/shared-data.ts';
import { openDataset } from '../open.node.ts';
import { assertRefused, readAll, tempFolder } from '../testing/helpers.ts';

/** Records of CIFAR-10 (label) or CIFAR-100 (20, label); pixel p of record i is (i + p) mod 256. */
function records(labels: readonly number[], prefix: readonly number[] = []): Uint8Array {
  return Uint8Array.from(
    labels.flatMap((label, i) => [...prefix, label, ...Array.from({ length: 3072 }, (_, p) => (i + p) % 256)]),
  );
}
const labels = (count: number, classes: number) => Array.from({ length: count }, (_, i) => i % classes);
const open10 = (dir: string) => openDataset({ name: 'cifar-10', dir, seed: 1 });

test('cifar-10: the batches that are there are used and named; the official test file is the test part', async (t) => {
  const dir = await tempFolder(t);
  await writeFile(join(dir, 'data_batch_2.bin'), records(labels(30, 10)));
  await writeFile(join(dir, 'data_batch_4.bin'), records(labels(10, 10)));
  await writeFile(join(dir, 'test_batch.bin'), records([3, 1, 4]));
  const data = await open10(dir);
  const { info } = data.search;
  assert.deepEqual(info.counts, { train: 30, valid: 10, test: 3 });
  assert.deepEqual([info.input, info.range, info.labels[9]], [[3, 32, 32], [0, 255], 'truck']);
  assert.match(info.notes.join('\n'), /data_batch_2\.bin, data_batch_4\.bin \(absent: data_batch_1\.bin, data_batch_3/);
  const testPart = await readAll(await data.openTest(), 3072);
  assert.deepEqual(testPart.targets, [3, 1, 4]);
  assert.deepEqual(testPart.inputs[2]?.slice(0, 3), [2, 3, 4]);
  const { inputs, targets } = await readAll(data.search.train, 3072);
  inputs.forEach((image, k) => {
    assert.equal((image[0] ?? 0) % 10, targets[k]);
  });
});

test('cifar-100: the second byte is the class; names are read from their file', async (t) => {
  const dir = join(await tempFolder(t), 'cifar-100-binary');
  await mkdir(dir);
  await writeFile(join(dir, 'train.bin'), records(labels(200, 100), [19]));
  await writeFile(join(dir, 'test.bin'), records([99, 0], [19]));
  const open = () => openDataset({ name: 'cifar-100', dir: join(dir, '..'), seed: 1 });
  const data = await open();
  assert.deepEqual(data.search.info.counts, { train: 100, valid: 100, test: 2 });
  assert.deepEqual([data.search.info.labels.length, data.search.info.labels[99]], [100, 'worm']);
  assert.deepEqual((await readAll(await data.openTest(), 3072)).targets, [99, 0]);
  const names = Array.from({ length: 100 }, (_, k) => `thing ${k}`);
  await writeFile(join(dir, 'fine_label_names.txt'), `${names.join('\n')}\n\n`);
  assert.deepEqual((await open()).search.info.labels, names);
  await writeFile(join(dir, 'fine_label_names.txt'), 'one\none\n');
  await assertRefused(open(), 'fine_label_names.txt', '2 names', '100');
});

test('without the official test file, 20 % are held out, and a note says so', async (t) => {
  const dir = await tempFolder(t);
  await writeFile(join(dir, 'data_batch_1.bin'), records(labels(100, 10)));
  const { info } = (await open10(dir)).search;
  assert.deepEqual(info.counts, { train: 60, valid: 20, test: 20 });
  assert.match(info.notes.join('\n'), /test_batch\.bin is missing/);
});

test('damaged files are refused with file and byte offset', async (t) => {
  const dir = await tempFolder(t);
  const train = join(dir, 'data_batch_1.bin');
  await assertRefused(open10(dir), 'no training file', 'data_batch_1.bin');
  await writeFile(train, records(labels(20, 10)));
  await truncate(train, 3073 * 19 + 1000);
  await assertRefused(open10(dir), train, 'byte offset 58,387', '59,387 bytes', '3,073');
  await truncate(train, 0);
  await assertRefused(open10(dir), train, 'empty');
  await writeFile(train, records([...labels(20, 10), 10]));
  await assertRefused(open10(dir), train, 'byte offset 61,460', 'label 10', 'at most 9');
  await writeFile(train, records(labels(20, 10)));
  await writeFile(join(dir, 'test_batch.bin'), records([1, 200]));
  await assertRefused(open10(dir), 'test_batch.bin', 'byte offset 3,073', 'label 200');
  await writeFile(train, records(labels(20, 9)));
  await writeFile(join(dir, 'test_batch.bin'), records([1]));
  await assertRefused(open10(dir), 'class "truck" has 0 samples');
  await assertRefused(open10(join(dir, 'nowhere')), 'nowhere', 'folder');
  await assertRefused(open10(train), train, 'it is a file');
  await rm(train);
  await mkdir(train);
  await assertRefused(open10(dir), train, 'it is a folder');
  await rm(train, { recursive: true });
  await writeFile(train, '');
  await truncate(train, 3073 * 400_000);
  await assertRefused(open10(dir), train, '1,229,200,000 bytes', 'the limit is 1,073,741,824');
});

const real = sharedData('cifar-10-batches-bin');

test('the real CIFAR-10 files: pixels and labels are the bytes of the file', { skip: real.skip }, async () => {
  const dir = fileURLToPath(real.url);
  const data = await openDataset({ name: 'cifar-10', dir, seed: 1, trainSamples: 500 });
  const { info } = data.search;
  assert.deepEqual(info.counts, { train: 500, valid: 5000, test: 10000 });
  const part = await data.openTest();
  const bytes = await readFile(join(dir, 'test_batch.bin'));
  const inputs = new Float32Array(3072);
  const targets = new Float32Array(1);
  await part.read([1234], { input: inputs, target: targets });
  assert.equal(targets[0], bytes[1234 * 3073]);
  assert.deepEqual([...inputs], [...bytes.subarray(1234 * 3073 + 1, 1235 * 3073)]);
  const published = [125.3, 123.0, 113.9];
  info.mean.forEach((mean, c) => {
    assert.ok(Math.abs(mean - (published[c] ?? 0)) < 5, `mean ${mean} of channel ${c}`);
  });
});
