/** A start from pretrained weights, by the commands alone: a language model for a classifier of texts, rotations for one of images. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { encodeWeights, keptWeights, writeWeights } from '../src/app/evaluation/evaluation.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

let folder = '';
let model = '';
let table = '';
const SPACE = ['--space', 'transformer', '--space-options', 'layers=1,width=8,heads=1'];
const SHORT = ['--epochs', '1', '--batch-size', '8'];
// Weights stay what they were at first.
const STILL = ['--learning-rate', '1e-9', '--weight-decay', '0'];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-init-from-'));
  model = join(folder, 'model');
  table = join(folder, 'pets.csv');
  writeFileSync(join(folder, 'book.txt'), 'The cat sat. The dog ran.\n'.repeat(20));
  const rows = Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? 'the cat sat well,cat' : 'the dog ran far,dog'));
  writeFileSync(table, `text,label\n${rows.map((row, i) => `${i} ${row}`).join('\n')}\n`);
  const book = [join(folder, 'book.txt'), '--tokens', 'words', '--text-length', '8'];
  await json('search', ...book, ...SPACE, ...SHORT, '--trials', '1', '--hand-designed', 'gpt', '--out', model);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const classify = (out: string, ...more: string[]) => {
  const on = ['search', table, '--text', 'text', '--init-from', model, ...SPACE, ...SHORT, ...STILL];
  return [...on, '--seed', '3', '--out', join(folder, out), ...more];
};
const trialsOf = async (dir: string) =>
  (await json('trials', join(folder, dir))).map(
    ({ architecture, metrics }: { architecture: object; metrics: object }) => ({
      ...{ architecture, metrics },
    }),
  );

test('a classifier starts from a language model, in its search and its final training, and the study can be resumed', async () => {
  // A search alone keeps no weights.
  await refusedIn(folder, /study ".*model" has no weights; train its best network: .*evaluate/, ...classify('none'));
  await json('evaluate', model, '--seeds', '1', '--no-baselines');

  const { code, err } = await netsmith(...classify('whole', '--trials', '2'));
  assert.equal(code, 0, err);
  assert.match(err, /Tokens are words: 8 different ones in the vocabulary, that of the pretrained network\./);
  assert.match(err, /Trainings start from study ".*model" \(language-model, transformer\): .* tried first, 9\d\.\d %/);
  await json('evaluate', join(folder, 'whole'), '--seeds', '1', '--no-baselines');
  const [theirs, ours] = [model, join(folder, 'whole')].map((dir) => keptWeights(dir)?.tensors ?? {});
  const [tokens, own] = [theirs?.['shared/tokens/weight'], ours?.['0/weight']];
  assert.ok(tokens && own);
  const width = Math.min(tokens.shape[1] ?? 0, own.shape[1] ?? 0);
  // Token 0 is padding.
  const rowOf = ({ data, shape }: typeof tokens, row: number) => {
    const from = row * (shape[1] ?? 0);
    return [...data.subarray(from, from + width)].map((value) => value.toFixed(5));
  };
  for (let token = 0; token < 8; token++) assert.deepEqual(rowOf(own, token + 1), rowOf(tokens, token));

  await json(...classify('halves', '--trials', '1'));
  const moved = join(folder, 'moved');
  renameSync(model, moved);
  const wayOn = /--init-from: ".*model" does not exist; must be the folder of a study/;
  await refusedIn(folder, wayOn, 'resume', join(folder, 'halves'), '--trials', '2');
  await json('resume', join(folder, 'halves'), '--trials', '2', '--init-from', moved);
  assert.deepEqual(await trialsOf('halves'), await trialsOf('whole'));

  cpSync(moved, model, { recursive: true });
  const { tensors = {}, ...about } = keptWeights(moved) ?? { architecture: {}, epochs: 1, seed: 0 };
  const first = Object.values(tensors)[0]?.data.fill(0.5);
  assert.ok(first);
  writeWeights(model, about, encodeWeights(tensors));
  const changed = /the weights of --init-from ".*model" have changed since the study was created/;
  await refusedIn(folder, changed, 'resume', join(folder, 'halves'), '--trials', '3', '--init-from', model);
});

test('a study whose weights cannot start a network on the data is refused, with the reason', async () => {
  const refused = (expected: RegExp, ...args: string[]) => refusedIn(folder, expected, ...args);
  const other = (...more: string[]) => classify('other', ...more);
  await refused(
    /--tokens: "bpe"; must be absent with --init-from: the network of study .* reads words/,
    ...other('--tokens', 'bpe'),
  );
  await refused(/--vocabulary: 50; must be absent with --init-from/, ...other('--vocabulary', '50'));
  await refused(
    /".*book.txt" is no study; must be the folder of a study/,
    ...other('--init-from', join(folder, 'book.txt')),
  );
  const digits = ['search', '--data', 'digits', '--init-from', model, '--out', join(folder, 'other')];
  await refused(/networks of study ".*model" read texts; must read images, as these data are/, ...digits);
  const exported = join(folder, 'model.onnx');
  writeFileSync(exported, 'a network');
  await refused(
    /".*model.onnx" is no study; .* layers of an exported model are merged/,
    ...other('--init-from', exported),
  );
});

test('train starts from it, too, also where it is named by the file that the study exports', async () => {
  const parts =
    'embedding=32, tokenDropout=0, inputDropout=0, depth=0, activation=relu, widths=w3, pool=max, filters=32, dropout=0';
  const args = ['train', table, '--text', 'text', '--space', 'text-cnn', '--arch', parts, ...SHORT];
  const { code, err } = await netsmith(...args, '--init-from', join(model, 'best', 'model.onnx'));
  assert.equal(code, 0, err);
  // 8 tokens, and the 8 columns of the model's table.
  assert.match(err, /64 of its [\d,]+ weights start from study ".*model"\./);
  const none = ['train', '--data', 'digits', '--train-samples', '20', '--space', 'mlp'];
  await refusedIn(folder, /networks of study ".*model" read texts; must read images/, ...none, '--init-from', model);
});

test('images without labels are turned, and a classifier starts from what predicts the turn', async () => {
  const [photos, turned] = [join(folder, 'photos'), join(folder, 'turned')];
  mkdirSync(photos);
  for (let i = 0; i < 8; i++)
    await sharp({ create: { width: 8, height: 8, channels: 3, background: { r: 30 * i, g: 9, b: 200 } } })
      .png()
      .toFile(join(photos, `${i}.png`));
  const cnn = ['--space', 'resnet', '--space-options', 'depth=8', ...SHORT, '--trials', '1'];
  const { code, err } = await netsmith('search', photos, '--task', 'rotation', ...cnn, '--out', turned);
  assert.equal(code, 0, err);
  assert.match(err, /8 images, without labels\./);
  assert.match(err, /the class is the turn\./);
  const { test: measured } = await json('evaluate', turned, '--seeds', '1', '--no-baselines');
  assert.ok(measured.accuracy !== undefined, JSON.stringify(measured));

  const digits = ['--data', 'digits', '--train-samples', '40', ...cnn];
  const started = await netsmith('search', ...digits, '--init-from', turned, '--out', join(folder, 'digits'));
  assert.equal(started.code, 0, started.err);
  // The first convolution reads one channel here, and three there; the last layer is never taken.
  assert.match(started.err, /Trainings start from study ".*turned" \(classification, resnet\): .* 9\d\.\d %/);
  await refusedIn(
    folder,
    /--flip: true; cannot be used with --task rotation/,
    'search',
    photos,
    '--task',
    'rotation',
    ...cnn,
    '--flip',
  );
  await refusedIn(
    folder,
    /must be images for --task rotation/,
    'search',
    table,
    '--text',
    'text',
    '--task',
    'rotation',
  );
});
