import { TRAINED_METRICS } from '../common/metrics.ts';
import { BASELINES } from '../space/spaces/index.ts';
import {
  classNumberScorer,
  crossEntropy,
  largestClasses,
  PADDING,
  probabilities,
  probabilitiesOf,
} from './class-numbers.ts';
import { onlyOf } from './spec.ts';
import type { TaskDefinition } from './task.ts';

/**
 * The next token of a text, at each of its positions. Tokens [T] in, logits [V, T] out; an exported model gives probabilities. A sample is a
 * window of T tokens, and its targets are the tokens one further; the last window of a text ends in targets of PADDING, which do not count.
 *
 * Metrics are over all tokens of the samples: the loss is the mean cross-entropy of a token in nats; the perplexity is its exponential; the
 * bits per character are the sum of the cross-entropies, in bits, divided by the characters that the tokens stand for (`TaskData.tokenLengths`).
 */
export const languageModel: TaskDefinition = {
  metrics: [
    { metric: 'loss', ...TRAINED_METRICS.loss },
    { metric: 'perplexity', ...TRAINED_METRICS.perplexity },
    { metric: 'bitsPerCharacter', ...TRAINED_METRICS.bitsPerCharacter },
    { metric: 'accuracy', ...TRAINED_METRICS.accuracy },
  ],
  classes: false,
  standardized: false,
  outputsName: { one: 'token', many: 'tokens' },
  meaning: 'probability of each token at the next position',
  spec: ({ input, outputs }) => ({
    inputs: { tokens: { shape: input, dtype: 'int32', axes: ['time'], values: outputs } },
    targets: { next: { shape: input, dtype: 'int32', axes: ['time'], values: outputs, padded: true } },
    outputs: { probabilities: { shape: [outputs, ...input], dtype: 'float32', axes: ['class', 'time'] } },
    recurrent: true,
    continued: true,
  }),
  loss: (g, outputs, targets) => crossEntropy(g, onlyOf(outputs), onlyOf(targets), { padded: true }),
  scorer({ input, outputs, tokenLengths }) {
    const tokens = classNumberScorer(outputs, input[0] ?? 1, { padded: true });
    let [counted, characters] = [0, 0];
    return {
      add(given, targets, count) {
        const numbers = onlyOf(targets);
        tokens.add(onlyOf(given), numbers, count);
        for (const token of numbers) {
          if (token === PADDING) continue;
          counted++;
          characters += tokenLengths?.[token] ?? 1;
        }
      },
      result() {
        const { loss = Number.NaN, accuracy = Number.NaN } = tokens.result().metrics;
        const bitsPerCharacter = (loss * counted) / Math.LN2 / characters;
        return { metrics: { loss, perplexity: Math.exp(loss), bitsPerCharacter, accuracy } };
      },
    };
  },
  answer: {
    graph: (g, outputs) => ({ probabilities: probabilities(g, onlyOf(outputs)) }),
    host: (given, { input: [time = 1], outputs }) => ({
      probabilities: probabilitiesOf(onlyOf(given), outputs, time),
    }),
  },
  baselines: (task) => ({ lstm: BASELINES.lstm(task), 'nano-gpt': BASELINES['nano-gpt'](task) }),
  /** The likeliest next token at each position. */
  decode(answers, labels) {
    return { answer: largestClasses(onlyOf(answers), labels.length).map((token) => labels[token] ?? '') };
  },
};
