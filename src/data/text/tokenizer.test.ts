import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../../common/errors.ts';
import { trainBytePairs } from './byte-pairs.ts';
import { openTokenizer, parseTokenizer, trainTokenizer } from './tokenizer.ts';

const TEXTS = ['the cat sat on the mat\n', 'The cat’s hat: 12 hats, don’t sit!\n', 'naïve café, 日本語 and 🙂\n'];

suite('byte pairs', () => {
  test('the most frequent pair comes first, of equal ones the older', () => {
    // ab and bc both occur four times; a is older than b.
    const { merges, vocab } = trainBytePairs(['abc abc abc abc'], 258);
    assert.deepEqual(merges, [
      ['a', 'b'],
      ['ab', 'c'],
    ]);
    assert.equal(vocab.abc, 257);
  });

  test('a pair of equal tokens is joined from the left, and what occurs once is no token', () => {
    const { merges } = trainBytePairs(['aaaaa', 'xyz', 'aaaaa'], 300);
    assert.deepEqual(merges, [
      ['a', 'a'],
      ['aa', 'a'],
      ['aa', 'aaa'],
    ]);
  });

  test('tokens do not cross words', () => {
    const { merges } = trainBytePairs(['ab cd ab cd ab cd'], 400);
    assert.ok(merges.every(([left, right]) => !/[a-d]Ġ/.test(`${left}${right}`)));
    assert.ok(merges.some((pair) => pair.join('') === 'Ġcd'));
  });
});

suite('tokenizers', () => {
  for (const kind of ['bytes', 'bpe'] as const)
    test(`${kind}: every well-formed text comes back`, () => {
      const tokenizer = openTokenizer(trainTokenizer(TEXTS, { kind, size: 300 }));
      assert.ok(tokenizer.vocabulary.length <= 300);
      const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...TEXTS));
      fc.assert(
        fc.property(text, (text) => {
          assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
          assert.deepEqual(tokenizer.unknown(text), []);
        }),
      );
    });

  test('bpe needs fewer tokens than bytes, and the same file gives the same tokens', () => {
    const data = trainTokenizer(TEXTS, { kind: 'bpe', size: 300 });
    const [text = ''] = TEXTS;
    const tokens = openTokenizer(data).encode(text);
    assert.ok(tokens.length < openTokenizer({ kind: 'bytes' }).encode(text).length);
    const again = parseTokenizer(JSON.parse(JSON.stringify(data)), 'model.json');
    assert.deepEqual(openTokenizer(again).encode(text), tokens);
  });

  test('characters are code points; what was not learned is unknown', () => {
    const tokenizer = openTokenizer(trainTokenizer(['añ🙂'], { kind: 'characters', size: 0 }));
    assert.deepEqual(tokenizer.vocabulary, ['<unk>', 'a', 'ñ', '🙂']);
    assert.deepEqual([...tokenizer.encode('🙂añ')], [3, 1, 2]);
    assert.deepEqual([...tokenizer.encode('ab')], [1, 0]);
    assert.equal(tokenizer.decode([3, 1]), '🙂a');
    assert.deepEqual(tokenizer.unknown('abcb'), ['b', 'c']);
  });

  test('words keep their apostrophes; signs stand alone; lines end in <eos>', () => {
    const text = "don't stop , 12 <unk> stop .\nstop";
    const tokenizer = openTokenizer(trainTokenizer([text], { kind: 'words', size: 100 }));
    const pieces = [...tokenizer.encode(text)].map((token) => tokenizer.vocabulary[token]);
    assert.deepEqual(pieces, ["don't", 'stop', ',', '12', '<unk>', 'stop', '.', '<eos>', 'stop']);
    assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
  });

  test('words: the most frequent ones stay, in lower case if so wished', () => {
    const data = trainTokenizer(['B b a a A c'], { kind: 'words', size: 3, lowercase: true });
    assert.deepEqual(data, { kind: 'words', vocabulary: ['<unk>', 'a', 'b'], lowercase: true });
    const tokenizer = openTokenizer(data);
    assert.deepEqual([...tokenizer.encode('A B C')], [1, 2, 0]);
    assert.deepEqual(tokenizer.unknown('A B C'), ['c']);
  });

  test('an invalid stored vocabulary is refused, with the place of the mistake', () => {
    const refused = (value: unknown, expected: RegExp) =>
      assert.throws(
        () => parseTokenizer(value, 'model.json'),
        (error) => error instanceof UserError && expected.test(error.message),
      );
    refused({ kind: 'syllables' }, /^model\.json: tokenizer\.kind/);
    refused({ kind: 'characters', vocabulary: [] }, /^model\.json: tokenizer\.vocabulary/);
    refused({ kind: 'bpe', vocab: { a: -1 }, merges: [] }, /^model\.json: tokenizer\.vocab\.a/);
    assert.throws(() => trainTokenizer([], { kind: 'bpe', size: 10 }), RangeError);
  });
});
