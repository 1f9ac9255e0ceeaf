import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkDataset } from '../conformance.node.ts';
import type { Samples } from '../dataset.ts';
import { openDataset } from '../open.node.ts';
import { assertRefused, tempFolder } from '../testing/helpers.ts';
import { openTokenizer } from '../text/tokenizer.ts';

const open = (dir: string, more: object = {}) =>
  openDataset({ name: 'text', dir, seed: 1, validShare: 0.05, textLength: 8, ...more });

/** The targets that count, and the inputs in front of them. */
async function read(samples: Samples, length: number): Promise<{ tokens: number[]; next: number[] }> {
  const into = { tokens: new Int32Array(samples.count * length), next: new Int32Array(samples.count * length) };
  await samples.read([...new Array(samples.count).keys()], into);
  return { tokens: [...into.tokens], next: [...into.next].filter((token) => token >= 0) };
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxy\n';
const BOOK = ALPHABET.repeat(100);

test('a text is cut into 90, 5 and 5 %, and each token but the first of a part is a target once', async (t) => {
  const file = join(await tempFolder(t), 'book.txt');
  await writeFile(file, BOOK);
  const data = await open(file);
  const { info, train, valid } = data.search;
  assert.equal(info.kind, 'language-model');
  assert.equal(info.outputs, 27);
  const { tokenizer } = info.text ?? {};
  assert.ok(tokenizer !== undefined);
  const { decode } = openTokenizer(tokenizer);
  assert.equal(decode((await read(valid, 8)).next), BOOK.slice(2340 + 1, 2470));
  assert.equal(decode((await read(await data.openTest(), 8)).next), BOOK.slice(2470 + 1));
  assert.equal(decode((await read(train, 8)).tokens), BOOK.slice(0, 8 * train.count));
  assert.equal(decode((await read(train.shifted?.(0.4) ?? train, 8)).tokens), BOOK.slice(3, 3 + 8 * train.count));
  await checkDataset({ name: 'book', kind: 'language-model', open: () => open(file) });
});

test('files named like the parts are the parts; words are learned from the training part', async (t) => {
  const dir = await tempFolder(t);
  await writeFile(join(dir, 'train.txt'), 'one two three two\n'.repeat(40));
  await writeFile(join(dir, 'valid.txt.gz'), gzipSync('one four two\n'.repeat(5)));
  await writeFile(join(dir, 'test.txt'), 'two five\n'.repeat(5));
  await writeFile(join(dir, 'vocab.txt'), 'one\n');
  const { info } = (await open(dir, { tokens: 'words' })).search;
  assert.deepEqual(info.labels, ['<unk>', 'two', 'one', 'three', '<eos>']);
  const notes = info.notes.join('\n');
  assert.match(notes, /named like the parts/);
  assert.match(notes, /not read: vocab\.txt/);
  assert.match(notes, /1 of validation is not in the vocabulary: "four"/);
  assert.doesNotMatch(notes, /five/);
});

test('other files of a folder are one text in the order of their names', async (t) => {
  const dir = await tempFolder(t);
  await mkdir(join(dir, 'part two'));
  await writeFile(join(dir, 'part two', 'b.txt'), 'b'.repeat(300));
  await writeFile(join(dir, 'a.txt'), 'a'.repeat(300));
  const { info, train } = (await open(dir)).search;
  assert.deepEqual(info.labels, ['<unk>', '\n', 'a', 'b']);
  assert.match(info.notes.join('\n'), /2 text files are one text/);
  assert.deepEqual([...new Set((await read(train, 8)).tokens)], [2, 1, 3]);
});

test('bytes and byte pairs know how many characters a token has', async (t) => {
  const file = join(await tempFolder(t), 'book.txt');
  await writeFile(file, 'Größe, größer, am größten.\n'.repeat(60));
  for (const tokens of ['bytes', 'bpe'] as const) {
    const { info, valid } = (await open(file, { tokens, ...(tokens === 'bpe' && { vocabulary: 260 }) })).search;
    const { next } = await read(valid, 8);
    const characters = next.reduce((sum, token) => sum + (info.tokenLengths?.[token] ?? 0), 0);
    const { decode } = openTokenizer(info.text?.tokenizer ?? { kind: 'bytes' });
    assert.equal(characters, [...decode(next)].length);
  }
});

test('files that are not text are refused with the file and the line', async (t) => {
  const dir = await tempFolder(t);
  const file = join(dir, 'book.txt');
  const refused = async (bytes: Uint8Array | string, ...parts: string[]) => {
    await writeFile(file, bytes);
    await assertRefused(open(file), ...parts);
  };
  await assertRefused(open(join(dir, 'absent.txt')), 'absent.txt', 'does not exist');
  await assertRefused(open(dir), 'no text file');
  await refused('', 'book.txt', 'no text');
  await refused('  \n \n', 'book.txt', 'no text');
  await refused(new Uint8Array(100), 'book.txt', 'line 1', 'NUL');
  await refused(Buffer.from('fine\nnot \xe4 fine\n', 'latin1'), 'book.txt', 'line 2', 'UTF-8');
  // Half of a pair, as CESU-8 and broken programs write it.
  await refused(Uint8Array.of(0x61, 0x0a, 0xed, 0xa0, 0x80), 'book.txt', 'line 2', 'UTF-8');
  await refused('PK\x03\x04 rest', 'book.txt', 'ZIP');
  await refused('too short', 'training part', '--text-length');
  await writeFile(file, BOOK);
  await assertRefused(open(file, { validShare: 0.96 }), 'validShare', 'below 0.95');
  await assertRefused(open(file, { tokens: 'bpe', vocabulary: 100 }), 'vocabulary is 100', 'at least 256');
  await assertRefused(open(file, { vocabulary: 100 }), 'vocabulary is 100', 'absent for characters');
  await assertRefused(open(file, { imageSize: 8 }), 'imageSize', 'image-folder');
  await assertRefused(openDataset({ name: 'digits', seed: 1, tokens: 'bytes' }), 'tokens', 'text');
});

test('UTF-16 is read as UTF-8 is', async (t) => {
  const file = join(await tempFolder(t), 'book.txt');
  await writeFile(file, Buffer.concat([Uint8Array.of(0xff, 0xfe), Buffer.from('Größe\r\n'.repeat(60), 'utf16le')]));
  assert.deepEqual((await open(file)).search.info.labels, ['<unk>', '\n', 'G', 'e', 'r', 'ß', 'ö']);
});
