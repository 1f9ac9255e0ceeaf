/**
 * Text as tokens, and back. A vocabulary is learned from the training part alone. It is plain JSON, `TokenizerData`, and travels with a model: the tokens of
 * a text are the same wherever the model runs.
 */
import { Tokenizer as BytePairTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { invalid } from '../../common/errors.ts';
import type { TokenKind } from '../catalog.ts';
import { type BytePairs, byteCharacters, trainBytePairs } from './byte-pairs.ts';

/** What stands for a character or a word that the vocabulary does not have; the first token of `characters` and `words`. */
export const UNKNOWN = '<unk>';
/** The end of a line, in `words`. */
export const END_OF_LINE = '<eos>';

const bytePairsSchema = z.strictObject({
  kind: z.literal('bpe'),
  vocab: z.record(z.string(), z.int().min(0)),
  merges: z.array(z.tuple([z.string(), z.string()])),
});

const tokenizerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('characters'), vocabulary: z.array(z.string()).min(1) }),
  z.strictObject({ kind: z.literal('bytes') }),
  z.strictObject({
    kind: z.literal('words'),
    vocabulary: z.array(z.string()).min(1),
    /** Whether texts are read in lower case. */
    lowercase: z.boolean(),
  }),
  bytePairsSchema,
]);

/** A vocabulary, as it is stored. */
export type TokenizerData = z.infer<typeof tokenizerSchema>;

/** How a text becomes the tokens of samples. It travels with a model. */
export interface TextEncoding {
  readonly tokenizer: TokenizerData;
  /** Of the rows of a table: the columns of the text and of its class. */
  readonly column?: string;
  readonly label?: string;
  /** Of texts with a class: token 0 is padding, so the numbers of the tokenizer follow from 1. */
  readonly padded?: true;
}

export interface Tokenizer {
  /** The texts of the tokens, by number. Of `bytes` and `bpe`, a character stands for a byte (`byteCharacters`). */
  readonly vocabulary: readonly string[];
  encode(text: string): Int32Array;
  /** Text of tokens, without unknown ones of `bytes` and `bpe`: a part of a character that stands alone becomes U+FFFD. */
  decode(tokens: Iterable<number>): string;
  /** The characters or words of a text that the vocabulary does not have, each once; none of `bytes` and `bpe`. */
  unknown(text: string): readonly string[];
}

export interface VocabularyRequest {
  readonly kind: TokenKind;
  /** The most tokens of `words` and `bpe`; the most frequent ones are kept. Of `bpe` at least 256. */
  readonly size: number;
  /** `words`: read texts in lower case. */
  readonly lowercase?: boolean;
}

/** The most tokens of a vocabulary by default. The other kinds, characters and bytes, always have all of theirs. */
const DEFAULT_SIZE = { words: 10_000, bpe: 2000 } as const;
const ALL_BYTES = 256;

/** The size of a vocabulary that is asked for, or the default. Throws UserError, with the place, for one that this kind cannot have. */
export function vocabularySize(place: string, kind: TokenKind, given: number | undefined): number {
  if (kind === 'characters' || kind === 'bytes') {
    if (given === undefined) return ALL_BYTES;
    throw invalid(place, `vocabulary is ${given}`, `must be absent for ${kind}: it has all of them`);
  }
  if (kind === 'bpe' && given !== undefined && given < ALL_BYTES)
    throw invalid(place, `vocabulary is ${given}`, `must be at least ${ALL_BYTES} for bpe: all bytes are tokens`);
  return given ?? DEFAULT_SIZE[kind];
}

/** What a reader is asked for: a vocabulary that is there, or the kind of tokens and how many there may be. */
interface TokensWanted {
  readonly tokenizer?: TokenizerData | undefined;
  readonly tokens: TokenKind;
  readonly vocabulary?: number | undefined;
}

/**
 * The vocabulary that a reader uses: the one of a pretrained network, or one that is learned from the training texts. Throws UserError, with
 * the place, for a size that the kind of tokens cannot have.
 */
export function tokenizerFor(
  place: string,
  training: Iterable<string>,
  { tokenizer, tokens: kind, vocabulary }: TokensWanted,
  lowercase = false,
): TokenizerData {
  return tokenizer ?? trainTokenizer(training, { kind, size: vocabularySize(place, kind, vocabulary), lowercase });
}

/** Learns a vocabulary. The same texts in the same order give the same one. */
export function trainTokenizer(texts: Iterable<string>, request: VocabularyRequest): TokenizerData {
  const { kind, size, lowercase = false } = request;
  switch (kind) {
    case 'characters':
      return { kind, vocabulary: [UNKNOWN, ...[...charactersIn(texts)].sort()] };
    case 'bytes':
      return { kind };
    case 'words':
      return { kind, vocabulary: frequentWords(texts, size, lowercase), lowercase };
    case 'bpe': {
      if (size < ALL_BYTES) throw new RangeError(`vocabulary of ${size} tokens; byte pairs need at least ${ALL_BYTES}`);
      const { vocab, merges } = trainBytePairs(texts, size);
      return { kind, vocab, merges: merges.map(([left, right]) => [left, right]) };
    }
  }
}

/** Throws UserError, with the place, unless it is a stored vocabulary. */
export function parseTokenizer(value: unknown, place: string): TokenizerData {
  const { success, data, error } = tokenizerSchema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  throw invalid(place, `${['tokenizer', ...(issue?.path ?? [])].join('.')}`, issue?.message ?? 'is no vocabulary');
}

const encodingSchema = z.strictObject({
  tokenizer: tokenizerSchema,
  column: z.string().exactOptional(),
  label: z.string().exactOptional(),
  padded: z.literal(true).exactOptional(),
});

/** Throws UserError, with the place, unless it is a stored encoding of texts. */
export function parseTextEncoding(value: unknown, place: string): TextEncoding {
  const { success, data, error } = encodingSchema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  throw invalid(place, issue?.path.join('.') ?? '', issue?.message ?? 'says of no text how it becomes tokens');
}

export function openTokenizer(data: TokenizerData): Tokenizer {
  switch (data.kind) {
    case 'characters':
      return numbered(
        data.vocabulary,
        (text) => [...text],
        (tokens) => tokens.join(''),
      );
    case 'words': {
      const cut = (text: string) => wordsOf(data.lowercase ? text.toLowerCase() : text);
      return numbered(data.vocabulary, cut, (tokens) => tokens.join(' ').replaceAll(/ ?<eos> ?/g, '\n'));
    }
    case 'bytes':
      return bytePairs({
        vocab: Object.fromEntries(byteCharacters.map((character, byte) => [character, byte])),
        merges: [],
      });
    case 'bpe':
      return bytePairs({ vocab: data.vocab, merges: data.merges });
  }
}

/** Words with their apostrophes, numbers, marks as `<unk>`, single signs; `\n` where a line ends. */
const PIECES = /<\p{L}+>|\p{L}[\p{L}\p{M}]*(?:['’][\p{L}\p{M}]+)*|\p{N}+|\n|[^\s]/gu;

function wordsOf(text: string): readonly string[] {
  return Array.from(text.matchAll(PIECES), ([piece]) => (piece === '\n' ? END_OF_LINE : piece));
}

function charactersIn(texts: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const text of texts) for (const character of text) found.add(character);
  return found;
}

/** The most frequent ones first; of equally frequent ones, those that were met first. */
function frequentWords(texts: Iterable<string>, size: number, lowercase: boolean): string[] {
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const word of wordsOf(lowercase ? text.toLowerCase() : text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  counts.delete(UNKNOWN);
  const sorted = [...counts].sort(([, a], [, b]) => b - a).map(([word]) => word);
  return [UNKNOWN, ...sorted.slice(0, size - 1)];
}

function numbered(
  vocabulary: readonly string[],
  cut: (text: string) => readonly string[],
  join: (tokens: readonly string[]) => string,
): Tokenizer {
  const numbers = new Map(vocabulary.map((token, number) => [token, number]));
  return {
    vocabulary,
    encode: (text) => Int32Array.from(cut(text), (token) => numbers.get(token) ?? 0),
    decode: (tokens) => join(Array.from(tokens, (number) => vocabulary[number] ?? UNKNOWN)),
    unknown: (text) => [...new Set(cut(text).filter((token) => !numbers.has(token)))],
  };
}

const BYTES: ReadonlyMap<string, number> = new Map(byteCharacters.map((character, byte) => [character, byte]));
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

function bytePairs({ vocab, merges }: BytePairs): Tokenizer {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const shared = { added_tokens: [], normalizer: null, post_processor: null, truncation: null, padding: null };
  const model = { type: 'BPE', vocab, merges, dropout: null, unk_token: null };
  const tokenizer = new BytePairTokenizer(
    { version: '1.0', ...shared, pre_tokenizer: byteLevel, decoder: byteLevel, model },
    {},
  );
  const vocabulary = Object.keys(vocab).sort((a, b) => (vocab[a] ?? 0) - (vocab[b] ?? 0));
  return {
    vocabulary,
    // The library has no answer for an empty text.
    encode: (text) => Int32Array.from(text === '' ? [] : tokenizer.encode(text, { add_special_tokens: false }).ids),
    decode(tokens) {
      const characters = Array.from(tokens, (token) => vocabulary[token] ?? '').join('');
      return DECODER.decode(Uint8Array.from(characters, (character) => BYTES.get(character) ?? 0));
    },
    unknown: () => [],
  };
}
