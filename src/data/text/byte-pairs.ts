/**
 * Byte-pair encoding: a vocabulary learned from texts. Sennrich et al. 2016, arXiv:1508.07909, algorithm 1, over bytes as in GPT-2 (Radford et al.
 * 2019): a text is cut into words by GPT-2's pattern, a word into the characters that stand for its bytes, and the most frequent pair of
 * neighbors becomes a token, again and again. Of pairs that are equally frequent, the one whose tokens are older is taken, the left one first, as in Hugging Face's
 * tokenizers, whose file format this writes. Kept libraries for JavaScript read that file and do not train it.
 * Cost: for each token, one look at all different pairs, and at the words that have its pair.
 */

/** What Hugging Face's `tokenizer.json` says of such a vocabulary; `@huggingface/tokenizers` reads it. */
export interface BytePairs {
  /** Tokens with their numbers, in order. A token is a string of `byteCharacters`. */
  readonly vocab: Readonly<Record<string, number>>;
  /** Pairs of tokens that become one, in the order in which they are joined. */
  readonly merges: readonly (readonly [string, string])[];
}

/** GPT-2's: English contractions, words with the space before them, numbers, other signs, spaces. */
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** The character that stands for each byte: itself where it is visible, else one from U+0100 on (GPT-2). */
export const byteCharacters: readonly string[] = (() => {
  const isVisible = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isVisible(byte) ? byte : next++));
})();

/**
 * Learns at most `size` tokens, the 256 bytes among them, from texts. A pair that occurs less than twice does not become a token. `size` must be at
 * least 256.
 */
export function trainBytePairs(texts: Iterable<string>, size: number): BytePairs {
  const tokens = [...byteCharacters].sort();
  const numbers = new Map(tokens.map((token, number) => [token, number]));
  const words = wordsIn(texts, numbers);
  const pairs = new Map<number, Pair>();
  for (const word of words) count(pairs, word, 1);
  const merges: [string, string][] = [];
  while (tokens.length < size) {
    const best = mostFrequent(pairs);
    if (best === undefined) break;
    const pair: [string, string] = [tokens[best.left] ?? '', tokens[best.right] ?? ''];
    merges.push(pair);
    const token = pair.join('');
    // Two pairs may join into the same token.
    const number = numbers.get(token) ?? tokens.push(token) - 1;
    numbers.set(token, number);
    for (const word of [...best.words]) {
      count(pairs, word, -1);
      word.tokens = joined(word.tokens, best, number);
      count(pairs, word, 1);
    }
    pairs.delete(keyOf(best.left, best.right));
  }
  return { vocab: Object.fromEntries(numbers), merges };
}

interface Word {
  tokens: readonly number[];
  readonly times: number;
}

interface Pair {
  readonly left: number;
  readonly right: number;
  /** How often it occurs in all texts. */
  times: number;
  readonly words: Set<Word>;
}

/** Vocabularies have less than two million tokens. */
const keyOf = (left: number, right: number) => left * 2 ** 21 + right;

function wordsIn(texts: Iterable<string>, numbers: ReadonlyMap<string, number>): readonly Word[] {
  const times = new Map<string, number>();
  for (const text of texts) for (const [word] of text.matchAll(WORDS)) times.set(word, (times.get(word) ?? 0) + 1);
  const encoder = new TextEncoder();
  return [...times].map(([word, times]) => ({
    tokens: [...encoder.encode(word)].map((byte) => numbers.get(byteCharacters[byte] ?? '') ?? 0),
    times,
  }));
}

/** Adds a word's pairs, or with the sign -1 takes them away. */
function count(pairs: Map<number, Pair>, word: Word, sign: 1 | -1): void {
  const { tokens, times } = word;
  for (let i = 0; i + 1 < tokens.length; i++) {
    const [left = 0, right = 0] = [tokens[i], tokens[i + 1]];
    const key = keyOf(left, right);
    let pair = pairs.get(key);
    if (pair === undefined) {
      pair = { left, right, times: 0, words: new Set() };
      pairs.set(key, pair);
    }
    pair.times += sign * times;
    if (sign === 1) pair.words.add(word);
    else pair.words.delete(word);
  }
}

function mostFrequent(pairs: ReadonlyMap<number, Pair>): Pair | undefined {
  let best: Pair | undefined;
  for (const pair of pairs.values()) {
    if (pair.times < 2) continue;
    const { left, right, times } = pair;
    if (best === undefined || times > best.times) best = pair;
    else if (times === best.times && (left < best.left || (left === best.left && right < best.right))) best = pair;
  }
  return best;
}

/** The tokens of a word in which the pair has become one token, from the left. */
function joined(tokens: readonly number[], { left, right }: Pair, number: number): readonly number[] {
  const result: number[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const isPair = tokens[i] === left && tokens[i + 1] === right;
    result.push(isPair ? number : (tokens[i] ?? 0));
    if (isPair) i++;
  }
  return result;
}
