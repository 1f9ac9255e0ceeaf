import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import type { DatasetInfo, TableEncoding } from '../data/dataset.ts';
import { encodeRow } from '../data/table.ts';
import { createEngine } from '../engine/create.ts';
import type { Engine } from '../engine/engine.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import * as s from '../space/tree/builders.ts';
import type { Module } from '../space/tree/module.ts';
import type { Arrays } from '../task/spec.ts';
import { exportOnnx } from './export/onnx.ts';
import { checkParity } from './export/parity.ts';
import { predictFiles } from './predict.node.ts';
import { expectedOutputs, imageInfo, rawSamples, trainedWeights } from './testing/trained.ts';

const about = { version: '0.0.0', space: 'test', architecture: 'a=1', training: {} };
let dir = '';
let engine: Engine;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'netsmith-predict-'));
  engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
});
after(() => rm(dir, { recursive: true, force: true }));

async function written(name: string, network: Module, info: DatasetInfo) {
  const weights = trainedWeights(network, info);
  const file = join(dir, name);
  await writeFile(file, exportOnnx({ network, info, weights, about }));
  return { file, weights };
}

const colors = s.sequential(s.conv(6, 3), s.batchNorm(), s.relu(), s.globalAvgPool(), s.linear('outputs'));

test('images: resized, channels first, raw range, answered in the order asked', async () => {
  const info = imageInfo([3, 6, 6]);
  const { file, weights } = await written('colors.onnx', colors, info);
  const paints = [
    { r: 250, g: 10, b: 30 },
    { r: 5, g: 90, b: 255 },
    { r: 128, g: 128, b: 0 },
  ];
  const files = await Promise.all(
    paints.map(async (background, i) => {
      const path = join(dir, `paint ${i}.png`);
      await sharp({ create: { width: 31, height: 17, channels: 3, background } })
        .png()
        .toFile(path);
      return path;
    }),
  );
  const { predictions } = await predictFiles(engine, file, files);
  assert.deepEqual(
    predictions.map((prediction) => prediction.file),
    files,
  );
  for (const [i, prediction] of predictions.entries()) {
    assert.ok('class' in prediction);
    const { r, g, b } = paints[i] as (typeof paints)[number];
    const data = Float32Array.from([r, g, b].flatMap((v) => new Array<number>(36).fill(v)));
    const [expected] = expectedOutputs(colors, info, weights, { shape: [1, 3, 6, 6], data });
    for (const [k, label] of info.labels.entries()) {
      assert.ok(Math.abs((prediction.probabilities[label] as number) - (expected?.[k] as number)) < 1e-5);
    }
    assert.equal(prediction.class, info.labels[expected?.indexOf(Math.max(...expected)) as number]);
  }
});

test('gray images of another range than 8 bits', async () => {
  const info = imageInfo([1, 8, 8], { range: [0, 16], mean: [5], deviation: [6] });
  const { file, weights } = await written('gray.onnx', colors, info);
  const path = join(dir, 'gray.png');
  await sharp({ create: { width: 8, height: 8, channels: 3, background: '#ffffff' } })
    .png()
    .toFile(path);
  const { predictions } = await predictFiles(engine, file, [path]);
  const [expected] = expectedOutputs(colors, info, weights, {
    shape: [1, 1, 8, 8],
    data: new Float32Array(64).fill(16),
  });
  const [first] = predictions;
  assert.ok(first !== undefined && 'class' in first);
  assert.equal(first.class, info.labels[expected?.indexOf(Math.max(...expected)) as number]);
});

const encoding: TableEncoding = {
  columns: [
    { name: 'size', kind: 'number', missing: 3 },
    { name: 'color', kind: 'category', categories: ['blue', 'red, dark'] },
  ],
  label: 'price',
};
const { range: _, ...table } = imageInfo([3], { encoding });

test('rows of a CSV: a class each, with the row it comes from', async () => {
  const network = s.sequential(s.linear(8), s.relu(), s.linear('outputs'));
  const { file, weights } = await written('rows.onnx', network, table);
  const csv = join(dir, 'rows.csv');
  // Columns in another order, one that the model does not know, a missing number, an unknown category.
  await writeFile(csv, 'color,note,size\n"red, dark",x,2\nblue,y,\ngreen,z,-4\n');
  const { predictions } = await predictFiles(engine, file, [csv]);
  assert.deepEqual(
    predictions.map(({ row }) => row),
    [1, 2, 3],
  );
  const rows = [
    { size: 2, color: 'red, dark' },
    { size: '', color: 'blue' },
    { size: -4, color: 'green' },
  ];
  for (const [i, prediction] of predictions.entries()) {
    const data = new Float32Array(encodeRow(encoding, rows[i] as (typeof rows)[number]));
    const [expected] = expectedOutputs(network, table, weights, { shape: [1, 3], data });
    assert.ok('class' in prediction);
    assert.equal(prediction.class, table.labels[expected?.indexOf(Math.max(...expected)) as number]);
  }
});

test('a regression gives values in the units of the target', async () => {
  const info: DatasetInfo = {
    ...table,
    kind: 'regression',
    outputs: 1,
    labels: ['price'],
    target: { mean: [5000], deviation: [900] },
  };
  const network = s.sequential(s.linear('outputs'));
  const { file, weights } = await written('price.onnx', network, info);
  const csv = join(dir, 'price.csv');
  await writeFile(csv, 'size,color\n1,blue\n');
  const { predictions } = await predictFiles(engine, file, [csv]);
  const data = Float32Array.of(1, 1, 0);
  const expected = expectedOutputs(network, info, weights, { shape: [1, 3], data })[0]?.[0] as number;
  const [first] = predictions;
  assert.ok(first !== undefined && 'values' in first);
  assert.ok(Math.abs((first.values.price as number) - expected) < 1e-4 * Math.abs(expected));
});

test('what cannot be read has its reason in place of an answer; the others are answered', async () => {
  const { file } = await written('rows.onnx', s.sequential(s.linear('outputs')), table);
  const images = (await written('colors.onnx', colors, imageInfo([3, 6, 6]))).file;
  const [bad, other, broken, good] = ['bad.csv', 'other.csv', 'broken.png', 'good.png'].map((name) => join(dir, name));
  assert.ok(bad && other && broken && good);
  await writeFile(bad, 'size,color\n1,blue\nbig,blue\n3,blue\n');
  await writeFile(other, 'size,price\n1,2\n');
  await writeFile(broken, 'no image');
  await sharp({ create: { width: 8, height: 8, channels: 3, background: '#fff' } })
    .png()
    .toFile(good);
  const shown = async (model: string, ...files: string[]) =>
    (await predictFiles(engine, model, files)).predictions.map((one) => ({
      file: basename(one.file),
      ...(one.row !== undefined && { row: one.row }),
      ...('error' in one ? { error: one.error } : {}),
    }));
  const rows = await shown(file, bad, other, join(dir, 'absent.csv'), good);
  assert.deepEqual(rows.slice(0, 2), [
    { file: 'bad.csv', row: 1 },
    { file: 'bad.csv', row: 2, error: 'column "size": the value is "big"; it must be a number, or missing' },
  ]);
  assert.deepEqual(rows.slice(2, 5), [
    { file: 'bad.csv', row: 3 },
    { file: 'other.csv', error: 'there is no column "color"; the columns needed are size, color' },
    { file: 'absent.csv', error: 'file not found' },
  ]);
  assert.match(rows[5]?.error ?? '', /UTF-8/);
  const pictures = await shown(images, broken, good, join(dir, 'absent.png'), bad, good);
  assert.deepEqual(
    pictures.map((one) => one.error !== undefined),
    [true, false, true, true, false],
  );
  assert.match(pictures[0]?.error ?? '', /decoded/);
  assert.equal(pictures[2]?.error, 'file not found');
  assert.equal(pictures[3]?.error, 'it is a table; the model takes images');
  await assert.rejects(predictFiles(engine, join(dir, 'none.onnx'), []), { name: 'UserError', message: /none\.onnx/ });
  await assert.rejects(predictFiles(engine, broken, []), { name: 'UserError', message: /broken\.png.*ONNX/ });
});

test('a folder stands for what is in it, a pattern for what matches', async () => {
  const model = (await written('colors.onnx', colors, imageInfo([3, 6, 6]))).file;
  const folder = join(dir, 'photos');
  for (const path of ['b.png', 'a.jpg', 'inner/c.png', '.hidden/d.png', '.e.png', '__MACOSX/f.png', 'dir.png/g.png']) {
    const to = join(folder, path);
    await mkdir(dirname(to), { recursive: true });
    await sharp({ create: { width: 8, height: 8, channels: 3, background: '#fff' } })
      .toFormat(path.endsWith('png') ? 'png' : 'jpeg')
      .toFile(to);
  }
  await writeFile(join(folder, 'notes.txt'), 'no image');
  await symlink(folder, join(folder, 'loop'));
  await mkdir(join(dir, 'empty'));
  const named = async (...names: string[]) =>
    (await predictFiles(engine, model, names)).predictions.map((one) =>
      'error' in one ? one.error : relative(folder, one.file).replaceAll('\\', '/'),
    );
  assert.deepEqual(await named(folder), ['a.jpg', 'b.png', 'dir.png/g.png', 'inner/c.png']);
  assert.deepEqual(await named(join(folder, '*.{jpg,png}')), ['a.jpg', 'b.png', 'dir.png/g.png']);
  assert.deepEqual(await named(join(folder, '*.gif')), ['no file matches this pattern']);
  assert.deepEqual(await named(join(dir, 'empty')), ['the folder has no file that the model can read']);
});

test('parity is measured against the training engine, and a model of other weights is refused', async () => {
  const info = imageInfo([3, 6, 6]);
  const weights = trainedWeights(colors, info);
  const raw = rawSamples(info, 9);
  const samples = {
    count: 9,
    async read(indices: readonly number[], { input }: Arrays) {
      for (const [at, index] of indices.entries())
        input?.set(raw.data.subarray(index * 108, (index + 1) * 108), at * 108);
    },
  };
  const request = { engine, network: colors, info, weights, samples };
  const model = exportOnnx({ network: colors, info, weights, about });
  const { parity, samples: count } = await checkParity({ ...request, model });
  assert.equal(count, 9);
  assert.ok(parity < 1e-5, `${parity}`);
  const other = exportOnnx({ network: colors, info, weights: trainedWeights(colors, info, 2), about });
  await assert.rejects(checkParity({ ...request, model: other }), /differs from the training engine/);
});
