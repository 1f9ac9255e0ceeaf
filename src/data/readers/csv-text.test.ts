import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, type TestContext } from 'node:test';
import { taskOf } from '../../task/index.ts';
import { exampleOf, testTask } from '../../task/testing/conformance.ts';
import { checkDataset } from '../conformance.node.ts';
import type { DataRequest, Samples } from '../dataset.ts';
import { openDataset } from '../open.node.ts';
import { assertRefused, tempFolder } from '../testing/helpers.ts';
import { REVIEW_COLUMNS, reviewTable } from '../testing/texts.ts';
import { openTokenizer } from '../text/tokenizer.ts';

const TABLE = reviewTable(40);

async function opener(t: TestContext) {
  const folder = await tempFolder(t);
  return async (
    lines: readonly string[] | Uint8Array,
    request: Partial<DataRequest> = {},
    test?: readonly string[],
  ) => {
    const dir = join(folder, 'reviews.csv');
    await writeFile(dir, lines instanceof Uint8Array ? lines : lines.join('\n'));
    const testFile = join(folder, 'test.csv');
    if (test !== undefined) await writeFile(testFile, test.join('\n'));
    const own = test === undefined ? {} : { testFile };
    return openDataset({ name: 'csv', dir, seed: 1, text: 'review', label: 'stars', ...own, ...request });
  };
}

const HEAD = REVIEW_COLUMNS;
const NUMBERS = Array.from({ length: 40 }, (_, i) => i);

async function tokensOf(samples: Samples, length: number, index: number): Promise<number[]> {
  const [tokens, target] = [new Int32Array(length), new Float32Array(1)];
  await samples.read([index], { tokens, target });
  return [...tokens, ...target];
}

const folder = await mkdtemp(join(tmpdir(), 'netsmith-texts-'));
after(() => rm(folder, { recursive: true, force: true }));
const file = join(folder, 'reviews.csv');
await writeFile(file, TABLE.join('\n'));
const whole = { name: 'csv', dir: file, text: 'review', label: 'stars' };
testTask('text', taskOf({ kind: 'text' }), await exampleOf((await openDataset({ ...whole, seed: 1 })).search));

test('a column of texts becomes tokens of one length, its words numbered from 1; 0 fills the rest', async (t) => {
  const open = await opener(t);
  const { search } = await open(TABLE);
  const { info } = search;
  assert.deepEqual([info.kind, info.labels, info.input, info.outputs], ['text', ['1', '5'], [8], 2]);
  assert.deepEqual(info.counts, { train: 24, valid: 8, test: 8 });
  assert.deepEqual([info.text?.column, info.text?.label, info.text?.padded], ['review', 'stars', true]);
  assert.ok(info.text);
  const { vocabulary } = openTokenizer(info.text.tokenizer);
  assert.equal(info.vocabulary, vocabulary.length + 1);
  for (let i = 0; i < search.train.count; i++) {
    const [target = 0, ...tokens] = (await tokensOf(search.train, 8, i)).toReversed();
    const words = tokens.toReversed().map((token) => (token === 0 ? '' : (vocabulary[token - 1] ?? 'none')));
    const end = words.indexOf('');
    assert.ok(end > 1 && words.slice(end).every((word) => word === ''), words.join(' '));
    const isBad = words.some((word) => word === 'bad' || word === 'poor');
    assert.equal(target, isBad ? 0 : 1, words.join(' '));
  }
  assert.ok(
    info.notes.some((note) => note.includes('not "source"')),
    `${info.notes}`,
  );
});

test('the vocabulary and the length come from the training rows alone', async (t) => {
  const open = await opener(t);
  const test = [HEAD, `fine zebra ${'x '.repeat(40)},web,5`, '"poor",web,1'];
  const { search, openTest } = await open(TABLE, {}, test);
  const { info } = search;
  assert.deepEqual([info.counts.test, info.input], [2, [8]]);
  assert.ok(info.text);
  const { vocabulary } = openTokenizer(info.text.tokenizer);
  assert.ok(!vocabulary.includes('zebra'));
  const known = vocabulary.indexOf('fine') + 1;
  const unknown = vocabulary.indexOf('<unk>') + 1;
  // Cut at the length.
  assert.deepEqual(await tokensOf(await openTest(), 8, 0), [known, ...Array(7).fill(unknown), 1]);
  const fewer = await open(TABLE, { trainSamples: 4 }, test);
  assert.ok((fewer.search.info.vocabulary ?? 0) < (info.vocabulary ?? 0), 'of the training samples that are used');
});

test('tokens, vocabulary and length are as asked', async (t) => {
  const open = await opener(t);
  const words = (await open(TABLE, { vocabulary: 5, textLength: 3 })).search.info;
  assert.deepEqual([words.vocabulary, words.input], [6, [3]]);
  assert.ok(
    words.notes.some((note) => /are longer, and cut/.test(note)),
    `${words.notes}`,
  );
  const bytes = (await open(TABLE, { tokens: 'bytes' })).search.info;
  assert.deepEqual([bytes.vocabulary, bytes.input], [257, [24]]);
  const pairs = (await open(TABLE, { tokens: 'bpe', vocabulary: 270 })).search.info;
  assert.deepEqual([pairs.vocabulary, pairs.text?.tokenizer.kind], [271, 'bpe']);
  const characters = (await open(TABLE, { tokens: 'characters' })).search.info;
  assert.ok((characters.vocabulary ?? 0) > 20 && (characters.vocabulary ?? 0) < 60);
});

test('rows without a text or a label are left out with a note; a text may be NA', async (t) => {
  const open = await opener(t);
  const { info } = (await open([...TABLE, ',web,5', 'nothing,web,', 'NA,web,5', '  ,web,1'])).search;
  assert.equal(info.counts.train + info.counts.valid + info.counts.test, 41);
  for (const note of [
    '2 rows without a text are left out (the first in line 42).',
    '1 row without a label is left out',
  ])
    assert.ok(
      info.notes.some((one) => one.startsWith(note)),
      `${info.notes}`,
    );
});

test('without a label, the last of the other columns is it', async (t) => {
  const open = await opener(t);
  const lines = Array.from({ length: 40 }, (_, i) => `${i % 3},${i % 2},this is text ${i}`);
  const { info } = (await open(['source,stars,review', ...lines], { label: undefined })).search;
  assert.deepEqual([info.text?.label, info.labels], ['stars', ['0', '1']]);
});

test('what cannot be learned from is refused, with the file and the line', async (t) => {
  const open = await opener(t);
  await assertRefused(open(TABLE, { text: 'title' }), 'reviews.csv', 'no column "title"', 'review, source, stars');
  await assertRefused(open(TABLE, { label: 'mood' }), 'reviews.csv', 'no column "mood"');
  await assertRefused(open(TABLE, { label: 'review' }), 'no column "review"');
  await assertRefused(open(TABLE, { regression: true }), '--regression', 'texts have classes');
  await assertRefused(open(TABLE, { text: undefined, tokens: 'words' }), 'tokens is given', '--text');
  await assertRefused(open([HEAD, ...NUMBERS.map((i) => `same,web,${i % 2}`)]), 'all training texts are the same');
  await assertRefused(open([HEAD, ...NUMBERS.map((i) => `,web,${i % 2}`)]), '"review" is empty in every row');
  const numbers = NUMBERS.map((i) => `text ${i},web,${i / 7}`);
  await assertRefused(open([HEAD, ...numbers]), 'many different numbers', 'texts have classes');
  await assertRefused(
    open(TABLE, {}, [HEAD, 'fine,web,5', 'poor,web,3']),
    ...['test.csv', 'line 3', 'the label is "3"', '"1", "5"'],
  );
  await assertRefused(open(TABLE, {}, ['text,stars', 'fine,5']), 'test.csv', 'line 1', 'no column "review"');
  await assertRefused(open(new Uint8Array()), 'reviews.csv', 'empty');
  await assertRefused(open(Buffer.from(`${TABLE.join('\n')}\nfi\0ne,web,5`)), 'line 42', 'NUL');
  // UTF-8 has no form for half of a character.
  const lone = Buffer.concat([Buffer.from(`${HEAD}\nfine `), Buffer.of(0xed, 0xa0, 0x80), Buffer.from(',web,5\n')]);
  await assertRefused(open(lone), 'line 2', 'not UTF-8');
  const utf16 = Buffer.from(`\ufeff${HEAD}\nfine,web,5\nhalf \ud83d of it,web,1\n`, 'utf16le');
  await assertRefused(open(utf16), 'line 3', 'half of a character');
});

test('a table whose only column is text says how it can be used', async (t) => {
  const open = await opener(t);
  const lines = ['stars,review', ...NUMBERS.map((i) => `${i % 2},this is review number ${i}`)];
  await assertRefused(open(lines, { text: undefined }), '"review"', '--text');
  await assertRefused(open(lines, { text: undefined, label: undefined }), 'last column "review"', '--text "review"');
});

test('it is a data set as others are', () =>
  checkDataset({ name: 'reviews', kind: 'text', open: ({ seed }) => openDataset({ ...whole, seed }) }));
