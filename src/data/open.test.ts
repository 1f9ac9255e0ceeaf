import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { openDataset } from './open.node.ts';
import { assertRefused, readAll, tempFolder } from './testing/helpers.ts';

test('digits: 1,797 images of 8 by 8 in ten classes, divided into three parts without overlap', async () => {
  const data = await openDataset({ name: 'digits', seed: 3 });
  const { info, train, valid } = data.search;
  assert.deepEqual([info.input, info.outputs, info.range, info.kind], [[1, 8, 8], 10, [0, 16], 'classification']);
  assert.deepEqual(info.counts, { train: 1078, valid: 360, test: 359 });
  const parts = await Promise.all([train, valid, await data.openTest()].map((part) => readAll(part, 64)));
  assert.deepEqual(
    parts.map(({ targets }) => targets.length),
    [1078, 360, 359],
  );
  const images = parts.flatMap(({ inputs }) => inputs.map(String));
  assert.equal(new Set(images).size, 1797);
  assert.ok(parts.every(({ targets }) => new Set(targets).size === 10));
  // Labels belong to their images: nearest neighbor gets most of the validation digits right.
  const [learnt, asked] = parts;
  assert.ok(learnt && asked);
  const distance = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, v, i) => sum + (v - (b[i] ?? 0)) ** 2, 0);
  const right = asked.inputs.slice(0, 60).filter((image, k) => {
    const distances = learnt.inputs.map((other) => distance(image, other));
    return learnt.targets[distances.indexOf(Math.min(...distances))] === asked.targets[k];
  });
  assert.ok(right.length >= 55, `${right.length} of 60`);
});

test('mean and deviation are those of the training part', async () => {
  const { info, train } = (await openDataset({ name: 'digits', seed: 3, trainSamples: 100 })).search;
  const pixels = (await readAll(train, 64)).inputs.flat();
  const mean = pixels.reduce((sum, v) => sum + v, 0) / pixels.length;
  const deviation = Math.sqrt(pixels.reduce((sum, v) => sum + (v - mean) ** 2, 0) / pixels.length);
  assert.equal(pixels.length, 6400);
  assert.ok(Math.abs((info.mean[0] ?? 0) - mean) < 1e-9 && Math.abs((info.deviation[0] ?? 0) - deviation) < 1e-9);
});

test('samples are read in the order asked for; a number that is no sample is refused', async () => {
  const { train } = (await openDataset({ name: 'digits', seed: 3 })).search;
  const all = await readAll(train, 64);
  const inputs = new Float32Array(128);
  const targets = new Float32Array(2);
  await train.read([7, 2], { input: inputs, target: targets });
  assert.deepEqual([...inputs], [...(all.inputs[7] ?? []), ...(all.inputs[2] ?? [])]);
  assert.deepEqual([...targets], [all.targets[7], all.targets[2]]);
  await assert.rejects(async () => train.read([train.count], { input: inputs, target: targets }), RangeError);
});

test('what is described is plain JSON', async () => {
  const { info } = (await openDataset({ name: 'digits', seed: 3 })).search;
  assert.deepEqual(JSON.parse(JSON.stringify(info)), info);
});

test('an unknown name is refused with the names there are', async () => {
  await assertRefused(openDataset({ name: 'imagenet', seed: 1 }), '"imagenet"', 'digits, cifar-10', 'csv');
  await assertRefused(openDataset({ name: 'toString', seed: 1 }), '"toString"');
  await assertRefused(openDataset({ name: 'mnist', seed: 1 }), 'mnist', 'no data path is given');
});

test('options that a dataset has no use for are refused', async () => {
  await assertRefused(
    openDataset({ name: 'digits', seed: 1, label: 'price' }),
    '"digits"',
    'label',
    'only applies to csv',
  );
  await assertRefused(
    openDataset({ name: 'csv', seed: 1, imageSize: 32 }),
    '"csv"',
    'imageSize',
    'only applies to image-folder',
  );
  await assertRefused(openDataset({ name: 'digits', seed: 1, dir: 'photos' }), '"digits"', '"photos"', 'bundled');
});

test('checksums change with any sample, also one of the test part, and with nothing else', async (t) => {
  const file = join(await tempFolder(t), 'table.csv');
  const checksums = async (cell: string) => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i === 7 ? cell : (i * 37) % 11},${i % 2 ? 'yes' : 'no'}`);
    await writeFile(file, `x,label\n${rows.join('\n')}\n`);
    return (await openDataset({ name: 'csv', dir: file, seed: 1 })).search.info.checksums;
  };
  const one = await checksums('6');
  assert.deepEqual(await checksums('6'), one);
  const other = await checksums('6.0001');
  assert.ok(one?.search !== other?.search || one?.test !== other?.test);
  const { search, openTest } = await openDataset({ name: 'digits', seed: 3 });
  assert.match(search.info.checksums?.search ?? '', /^[0-9a-f]{64}$/);
  assert.notEqual(search.info.checksums?.search, search.info.checksums?.test);
  assert.equal((await openTest()).count, search.info.counts.test);
});

test('a path in place of the name of a dataset is recognized', async (t) => {
  const folder = await tempFolder(t);
  const open = (name: string) => openDataset({ name, seed: 0 });
  await assertRefused(open(folder), 'it is a folder here', `--data image-folder --data-dir ${folder}`);
  await writeFile(join(folder, 'rows.csv'), 'a,b\n1,2\n');
  const file = join(folder, 'rows.csv');
  await assertRefused(open(file), 'it is a file here', `--data csv --data-dir ${file}`);
  await assertRefused(open(join(folder, 'none')), 'it must be one of digits');
});
