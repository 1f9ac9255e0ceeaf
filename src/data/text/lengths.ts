import { byteCharacters } from './byte-pairs.ts';
import type { Tokenizer, TokenizerData } from './tokenizer.ts';
import { END_OF_LINE } from './tokenizer.ts';

/** The first byte of a character in UTF-8 is no continuation byte, 10xxxxxx. */
const FIRST_BYTES: ReadonlySet<string> = new Set(byteCharacters.filter((_, byte) => byte < 0x80 || byte >= 0xc0));

/**
 * How many characters of a text each token stands for; undefined where each is one. Of `words`: those of the word, and the space behind it. A
 * byte pair may be a part of a character: the first byte of a character counts for it.
 */
export function tokenLengths({ kind }: TokenizerData, { vocabulary }: Tokenizer): readonly number[] | undefined {
  if (kind === 'characters') return undefined;
  if (kind === 'words') return vocabulary.map((word) => (word === END_OF_LINE ? 1 : [...word].length + 1));
  return vocabulary.map((token) => [...token].filter((character) => FIRST_BYTES.has(character)).length);
}
