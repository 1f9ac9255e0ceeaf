import { invalid } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import { printable, shownValue } from '../common/text.ts';
import { openTokenizer, type Tokenizer, UNKNOWN } from '../data/text/tokenizer.ts';
import type { FloatArrays } from '../task/spec.ts';
import type { ExportedModel } from './exported-model.ts';

export interface GenerateOptions {
  /** Tokens to add; 200 by default. */
  readonly tokens?: number | undefined;
  /** Logits are divided by it: below 1 the likely tokens are likelier still, 0 takes the likeliest always. 1 by default. */
  readonly temperature?: number | undefined;
  /** How many of the likeliest tokens are drawn from; all by default. */
  readonly topK?: number | undefined;
  /** 1 by default. The same seed gives the same text. */
  readonly seed?: number | undefined;
}

/** What a language model adds to a prompt, and what of the prompt it does not know. */
export interface Generated {
  readonly prompt: string;
  /** The prompt is not part of it. */
  readonly text: string;
  /** Words of the prompt that the vocabulary does not have; the model reads them as unknown. */
  readonly unknown: readonly string[];
}

/**
 * Continues a text with an exported language model. A model with states reads the whole prompt, a window at a time; any other sees as many of
 * the last tokens as a sample has. Throws UserError for a model of another task, for an empty prompt, and for one with characters that the
 * vocabulary does not have.
 */
export async function generateText(
  model: Pick<ExportedModel, 'metadata' | 'answer'>,
  prompt: string,
  options: GenerateOptions = {},
): Promise<Generated> {
  const { tokens: count, temperature, topK, seed } = checked(options);
  const { text, task } = model.metadata;
  if (text === undefined || task !== 'language-model')
    throw invalid('model', `its task is ${printable(task)}`, 'must be a language model to continue a prompt');
  const tokenizer = openTokenizer(text.tokenizer);
  const known = promptTokens(prompt, tokenizer, text.tokenizer.kind === 'characters');
  const random = rng(seed, 'generate');
  const reader = openReader(model, tokenizer.vocabulary.indexOf(UNKNOWN));
  let shares = await reader.read([...known]);
  const added: number[] = [];
  while (added.length < count) {
    const next = draw(shares, temperature, topK, random.float());
    added.push(next);
    if (added.length < count) shares = await reader.read([next]);
  }
  // Byte pairs may be parts of a character, and words have spaces between them: the text is that of all tokens.
  const whole = tokenizer.decode([...known, ...added]);
  const begun = tokenizer.decode(known);
  return {
    prompt,
    text: whole.startsWith(begun) ? whole.slice(begun.length) : tokenizer.decode(added),
    unknown: tokenizer.unknown(prompt),
  };
}

/** The options with their defaults. Throws UserError for one that cannot be. */
function checked({ tokens = 200, temperature = 1, topK = 1_000_000, seed = 1 }: GenerateOptions) {
  for (const [name, value, least] of [
    ['length', tokens, 1],
    ['top-k', topK, 1],
    ['seed', seed, 0],
  ] as const)
    if (!Number.isInteger(value) || value < least || value > 1_000_000)
      throw invalid(`--${name}`, shownValue(value), `must be a whole number from ${least} to 1,000,000`);
  if (typeof temperature !== 'number' || !(temperature >= 0 && temperature <= 100))
    throw invalid('--temperature', shownValue(temperature), 'must be a number from 0 to 100');
  return { tokens, temperature, topK, seed };
}

function promptTokens(prompt: string, tokenizer: Tokenizer, byCharacter: boolean): Int32Array {
  if (!prompt.isWellFormed())
    throw invalid('--prompt', 'has half of a character (a lone surrogate)', 'must be whole text');
  const unknown = tokenizer.unknown(prompt);
  if (byCharacter && unknown.length > 0) {
    const shown = unknown.map((one) => JSON.stringify(one)).join(', ');
    throw invalid('--prompt', `has ${shown}`, 'must consist of characters that the model has seen in training');
  }
  const tokens = tokenizer.encode(prompt);
  if (tokens.length === 0) throw invalid('--prompt', JSON.stringify(prompt), 'must have at least one token');
  return tokens;
}

/** Reads tokens, and gives the probabilities of the one after the last; never of `unknown`, which stands for no text. */
function openReader({ metadata, answer }: Pick<ExportedModel, 'metadata' | 'answer'>, unknown: number) {
  const [length = 1] = metadata.input;
  const isOpen = metadata.lengths !== undefined;
  const [input = ''] = Object.keys(metadata.tensors.inputs);
  const [output = ''] = Object.keys(metadata.tensors.outputs);
  const isRecurrent = Object.keys(metadata.tensors.states).length > 0;
  let states: FloatArrays = {};
  let window: number[] = [];

  async function run(): Promise<Float64Array> {
    const size = isOpen ? window.length : length;
    const fed = new Int32Array(size);
    fed.set(window);
    const { outputs, states: next } = await answer({ [input]: fed }, 1, states, ...(isOpen ? [size] : []));
    const values = outputs[output] ?? new Float32Array();
    const last = window.length - 1;
    // A window that is full hands its states on; the next one begins behind it.
    if (isRecurrent && window.length === length) [states, window] = [next, []];
    return Float64Array.from({ length: values.length / size }, (_, token) =>
      token === unknown ? 0 : (values[token * size + last] ?? 0),
    );
  }

  return {
    async read(tokens: readonly number[]): Promise<Float64Array> {
      let shares = new Float64Array();
      for (let at = 0; at < tokens.length; ) {
        if (!isRecurrent) {
          window = [...window, ...tokens].slice(-length);
          return run();
        }
        const some = tokens.slice(at, at + length - window.length);
        window.push(...some);
        at += some.length;
        shares = new Float64Array(await run());
      }
      return shares;
    },
  };
}

/** The token at `share` of the probabilities, from 0 to 1, of those that may be drawn. */
function draw(shares: Float64Array, temperature: number, topK: number, share: number): number {
  const order = [...shares.keys()].sort((a, b) => (shares[b] ?? 0) - (shares[a] ?? 0) || a - b).slice(0, topK);
  const [best = 0] = order;
  if (temperature === 0) return best;
  const weights = order.map((token) => ((shares[token] ?? 0) / (shares[best] ?? 1)) ** (1 / temperature));
  let left = share * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [i, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return order[i] ?? best;
  }
  return best;
}
