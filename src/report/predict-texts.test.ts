import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../common/errors.ts';
import { openDataset } from '../data/open.node.ts';
import { tempFolder } from '../data/testing/helpers.ts';
import { reviewTable } from '../data/testing/texts.ts';
import { createEngine } from '../engine/create.ts';
import type { Engine } from '../engine/engine.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { embedding, globalAvgPool, linear, sequential } from '../space/tree/builders.ts';
import { exportOnnx } from './export/onnx.ts';
import { checkParity } from './export/parity.ts';
import { openPredictor, type Predictor } from './predict.node.ts';
import { imageInfo, trainedWeights } from './testing/trained.ts';

let engine: Engine;
before(async () => {
  engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
});
after(() => engine.dispose());
const about = { version: '0.0.0', space: 'test', architecture: 'none', training: {} };
const network = sequential(embedding('inputs', 4), globalAvgPool(), linear('outputs'));

/** A model of reviews, exported; how they were read. */
async function exported(dir: string) {
  const file = join(dir, 'reviews.csv');
  await writeFile(file, reviewTable(40).join('\n'));
  const { search } = await openDataset({ name: 'csv', dir: file, seed: 1, text: 'review', label: 'stars' });
  const { info } = search;
  const weights = trainedWeights(network, info);
  const model = exportOnnx({ network, info, weights, about });
  const path = join(dir, 'model.onnx');
  await writeFile(path, model);
  return { file, path, model, info, weights, search };
}

async function withPredictor(path: string, use: (predictor: Predictor) => Promise<void>): Promise<void> {
  const predictor = await openPredictor(engine, path);
  try {
    await use(predictor);
  } finally {
    await predictor.dispose();
  }
}

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};

test('a text has the same answer as a row of a table, in a file, and by itself', async (t) => {
  const dir = await tempFolder(t);
  const { path, search, info, weights, model } = await exported(dir);
  await checkParity({ engine, network, info, weights, model, samples: search.valid });
  const texts = ['Fine food 0', 'never seen words, all of them', 'very poor 7'];
  await mkdir(join(dir, 'new'));
  for (const [i, text] of texts.entries()) await writeFile(join(dir, 'new', `${i}.txt`), `${text}\n`);
  const table = join(dir, 'new.csv');
  await writeFile(table, ['id,review', ...texts.map((text, i) => `${i},"${text}"`), '3,'].join('\n'));
  await withPredictor(path, async (predictor) => {
    assert.deepEqual(predictor.metadata.text, info.text);
    const [given, files, rows] = [
      await all(predictor.predictTexts(texts)),
      await all(predictor.predict([join(dir, 'new')])),
      await all(predictor.predict([table])),
    ];
    assert.deepEqual(
      given.map(({ text }) => text),
      texts,
    );
    for (const [i, { text: _, ...answer }] of given.entries()) {
      assert.ok('class' in answer && info.labels.includes(answer.class));
      assert.deepEqual(files[i], { file: join(dir, 'new', `${i}.txt`), ...answer });
      assert.deepEqual(rows[i], { file: table, row: i + 1, ...answer });
    }
    assert.equal(new Set(given.map((one) => JSON.stringify('probabilities' in one && one.probabilities))).size, 3);
    assert.deepEqual(rows[3], { file: table, row: 4, error: 'there is no text' });
  });
});

test('what is no text has a reason in its place; a model of anything else takes none', async (t) => {
  const dir = await tempFolder(t);
  const { path } = await exported(dir);
  const bad = {
    'empty.txt': '',
    'zero.txt': 'a\nb\0',
    'other.csv': 'title\nfine',
  };
  for (const [name, text] of Object.entries(bad)) await writeFile(join(dir, name), text);
  await withPredictor(path, async (predictor) => {
    const errors = await all(predictor.predict([...Object.keys(bad), 'absent.txt'].map((name) => join(dir, name))));
    const [empty, zero, other, absent] = errors.map((one) => ('error' in one ? one.error : ''));
    assert.match(empty ?? '', /no text/);
    assert.match(zero ?? '', /line 2.*NUL/);
    assert.match(other ?? '', /no column "review"/);
    assert.match(absent ?? '', /not found/);
    assert.deepEqual(await all(predictor.predictTexts(['  '])), [{ text: '  ', error: 'there is no text' }]);
  });
  const info = imageInfo([3, 4, 4]);
  const images = sequential(globalAvgPool(), linear('outputs'));
  await writeFile(path, exportOnnx({ network: images, info, weights: trainedWeights(images, info), about }));
  await withPredictor(path, async (predictor) => {
    await assert.rejects(all(predictor.predictTexts(['fine'])), (error) => error instanceof UserError);
  });
});
