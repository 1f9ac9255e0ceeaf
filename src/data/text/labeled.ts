/**
 * Texts with a class as samples: tokens [T], one class number. Token 0 is padding, and the numbers of the tokenizer follow from 1. What is
 * learned from texts, the vocabulary and the length, comes from the training texts alone.
 */
import { invalid } from '../../common/errors.ts';
import { tidy } from '../cells.ts';
import type { DataRequest, DatasetInfo } from '../dataset.ts';
import { checkedIndex, type Source } from '../samples.ts';
import { thousands } from '../split.ts';
import { openTokenizer, type TextEncoding, type Tokenizer, tokenizerFor } from './tokenizer.ts';

/** By default, samples are just long enough that this share of the training texts is not cut, and have at most MOST_TOKENS tokens. */
const WHOLE_SHARE = 0.95;
const MOST_TOKENS = 512;
/** Lengths are multiples of it: what vector units like. */
const MULTIPLE = 8;

/** How texts become samples, and what was found on the way. */
export interface FittedTexts {
  readonly encoding: TextEncoding;
  /** Tokens of a sample. */
  readonly length: number;
  readonly notes: readonly string[];
}

/**
 * Learns the vocabulary and the length from the training texts. Throws UserError, with the place, where they are all the same or have no
 * token.
 */
export function fitTexts(
  place: string,
  training: readonly string[],
  request: Pick<DataRequest, 'tokens' | 'vocabulary' | 'textLength' | 'tokenizer'>,
): FittedTexts {
  if (training.length > 1 && training.every((text) => text === training[0]))
    throw invalid(place, 'all training texts are the same', 'at least two different ones are needed');
  const { tokens = 'words', textLength } = request;
  const tokenizer = tokenizerFor(place, training, { ...request, tokens }, true);
  const { kind } = tokenizer;
  const opened = openTokenizer(tokenizer);
  const encoding = { tokenizer, padded: true } as const;
  const lengths = Int32Array.from(training, (text) => opened.encode(text).length).sort();
  if ((lengths.at(-1) ?? 0) === 0) throw invalid(place, `no training text has a token (${kind})`, 'some must have one');
  const usual = lengths[Math.ceil(WHOLE_SHARE * lengths.length) - 1] ?? 0;
  const length = textLength ?? Math.min(MOST_TOKENS, Math.max(MULTIPLE, MULTIPLE * Math.ceil(usual / MULTIPLE)));
  const cut = lengths.length - lengths.findLastIndex((one) => one <= length) - 1;
  const isLower = tokenizer.kind === 'words' && tokenizer.lowercase;
  const what = isLower ? 'words in lower case' : kind === 'bpe' ? 'byte pairs' : kind;
  const from = request.tokenizer ? 'that of the pretrained network' : 'learned from the training texts';
  return {
    encoding,
    length,
    notes: [
      `Tokens are ${what}: ${thousands(opened.vocabulary.length)} different ones in the vocabulary, ${from}.`,
      ...(request.tokenizer ? unknownNote(opened, training) : []),
      `A sample has ${thousands(length)} tokens: ${cut === 0 ? 'no training text is' : `${thousands(cut)} of ${thousands(training.length)} training texts are`} longer${cut === 0 ? '' : ', and cut'}; shorter ones are filled up.`,
    ],
  };
}

/** How many characters or words of the training texts a vocabulary that is not theirs lacks. */
function unknownNote(opened: Tokenizer, training: readonly string[]): readonly string[] {
  const unknown = opened.unknown(training.join('\n')).length;
  return unknown === 0 ? [] : [`It lacks ${thousands(unknown)} different ones of the training texts.`];
}

/** What the info of a data set of texts has, beside its name, labels and notes. */
export function textInfo({ encoding, length }: FittedTexts) {
  const vocabulary = openTokenizer(encoding.tokenizer).vocabulary.length + 1;
  const info = { kind: 'text', input: [length], vocabulary, text: encoding, mean: [], deviation: [] };
  return info satisfies Partial<DatasetInfo>;
}

/**
 * The tokens of a text as samples have them: at most `length`, none of them 0. It is read as a cell of a table is, without blanks at its ends
 * and in Unicode's form NFC (`tidy`).
 */
export function textTokens({ tokenizer }: TextEncoding): (text: string, length: number) => Int32Array {
  const { encode } = openTokenizer(tokenizer);
  return (text, length) =>
    encode(tidy(text))
      .subarray(0, length)
      .map((token) => token + 1);
}

/** Texts as samples, held as tokens. */
export function textSource(
  texts: readonly string[],
  targets: Float32Array,
  { encoding, length }: Pick<FittedTexts, 'encoding' | 'length'>,
): Source {
  const encode = textTokens(encoding);
  // One array for all of them: a typed array of its own takes more memory than a short text.
  const starts = new Int32Array(texts.length + 1);
  let tokens = new Int32Array(texts.length * Math.min(length, 32));
  for (const [i, text] of texts.entries()) {
    const own = encode(text, length);
    const from = starts[i] ?? 0;
    if (from + own.length > tokens.length) {
      const larger = new Int32Array(Math.max(2 * tokens.length, from + own.length));
      larger.set(tokens);
      tokens = larger;
    }
    tokens.set(own, from);
    starts[i + 1] = from + own.length;
  }
  return {
    count: texts.length,
    targets,
    lengthOf: (index) => (starts[index + 1] ?? 0) - (starts[index] ?? 0),
    read(indices, { tokens: into, target }) {
      for (let k = 0; k < indices.length; k++) {
        const i = checkedIndex(indices, k, texts.length);
        const own = tokens.subarray(starts[i], starts[i + 1]);
        into?.set(own, k * length);
        into?.fill(0, k * length + own.length, (k + 1) * length);
        if (target) target[k] = targets[i] ?? Number.NaN;
      }
      return Promise.resolve();
    },
  };
}
