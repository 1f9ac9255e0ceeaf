/** A text to continue, by the commands alone: searched, trained, exported, measured and asked. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-text-'));
  writeFileSync(join(folder, 'book.txt'), 'The cat sat. The dog ran.\n'.repeat(80));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const SPACE = join(import.meta.dirname, 'support/small-rnn.ts');
const small = (out: string) => ['--space', SPACE, '--text-length', '8', '--trials', '2', '--epochs', '8', '--out', out];

test('a text file is searched, evaluated and exported, and the model continues a prompt', async () => {
  const out = join(folder, 'study');
  const found = await json(
    'search',
    join(folder, 'book.txt'),
    ...small(out),
    '--batch-size',
    '8',
    '--learning-rate',
    '0.02',
  );
  assert.ok(found.best.metrics.loss < 1, JSON.stringify(found.best.metrics));
  assert.equal(found.best.metrics.perplexity, Math.exp(found.best.metrics.loss));
  // Every token is one character.
  assert.ok(Math.abs(found.best.metrics.bitsPerCharacter * Math.LN2 - found.best.metrics.loss) < 1e-9);

  const { file, test: measured } = await json('evaluate', out, '--seeds', '1').then(() => json('export', out));
  assert.ok(measured.loss < 1);
  const about = JSON.parse(readFileSync(join(out, 'best', 'model.json'), 'utf8'));
  assert.equal(about.task, 'language-model');
  assert.equal(about.preprocessing.kind, 'text');
  assert.deepEqual(about.preprocessing.tokenizer.vocabulary, about.labels);
  assert.equal(about.states.length, 1);

  const { prompt, text } = await json(
    'predict',
    file,
    '--prompt',
    'The cat sat. The d',
    '--length',
    '40',
    '--temperature',
    '0',
  );
  assert.equal(prompt, 'The cat sat. The d');
  assert.equal(text.length, 40);
  assert.match(text, /^og ran\.\nThe /);
  const shown = await netsmith('predict', file, '--prompt', 'The', '--length', '5');
  assert.equal(shown.code, 0);
  assert.match(shown.out, /^The.{5}/s);
  await refusedIn(folder, /--prompt: has "X"/, 'predict', file, '--prompt', 'X');
  await refusedIn(folder, /must be absent with --prompt/, 'predict', file, join(folder, 'book.txt'), '--prompt', 'The');
  await refusedIn(folder, /files: none/, 'predict', file);
  await refusedIn(folder, /--top-k.*only applies with --prompt/, 'predict', file, 'a.json', '--top-k', '3');
});

test('settings of texts are refused for other data', async () => {
  await refusedIn(
    folder,
    /tokens is given; it only applies to text/,
    'search',
    '--data',
    'digits',
    '--tokens',
    'bytes',
  );
  await refusedIn(
    folder,
    /--tokens.*must be one of characters, bytes, words, bpe/,
    'search',
    join(folder, 'book.txt'),
    '--tokens',
    'letters',
  );
});
