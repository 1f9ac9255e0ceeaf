/** Next token over int32 sequences: a task, and small data for it. */
import { rng } from '../../../src/common/random.ts';
import type { DatasetInfo, Samples, SearchData } from '../../../src/data/dataset.ts';
import {
  CLASS_METRICS,
  classNumberScorer,
  crossEntropy,
  largestClasses,
  probabilities,
  probabilitiesOf,
} from '../../../src/task/class-numbers.ts';
import { scorerOf } from '../../../src/task/metrics.ts';
import { onlyOf } from '../../../src/task/spec.ts';
import type { TaskDefinition } from '../../../src/task/task.ts';

export const nextToken: TaskDefinition = {
  metrics: CLASS_METRICS,
  classes: false,
  standardized: false,
  outputsName: { one: 'token', many: 'tokens' },
  meaning: 'probability of each token at the next position',
  spec: ({ input, outputs }) => ({
    inputs: { tokens: { shape: input, dtype: 'int32', axes: ['time'], values: outputs } },
    targets: { next: { shape: input, dtype: 'int32', axes: ['time'], values: outputs } },
    outputs: { probabilities: { shape: [outputs, ...input], dtype: 'float32', axes: ['class', 'time'] } },
    recurrent: true,
  }),
  loss: (g, outputs, targets) => crossEntropy(g, onlyOf(outputs), onlyOf(targets)),
  scorer: ({ input: [time = 1], outputs }) => scorerOf(classNumberScorer(outputs, time)),
  answer: {
    graph: (g, outputs) => ({ probabilities: probabilities(g, onlyOf(outputs)) }),
    host: (given, { input: [time = 1], outputs }) => ({
      probabilities: probabilitiesOf(onlyOf(given), outputs, time),
    }),
  },
  decode(answers, labels) {
    const [values, classes] = [onlyOf(answers), labels.length];
    return { answer: largestClasses(values, classes).map((token) => labels[token] ?? '') };
  },
};

const TOKENS = 5;

/** Sequences that step by 1 or by 2: the next token needs the one before the last, too. */
export function steps(time = 8, train = 48, valid = 16): SearchData {
  const info: DatasetInfo = {
    name: 'steps',
    kind: 'next-token',
    input: [time],
    outputs: TOKENS,
    labels: [...'abcde'],
    mean: [],
    deviation: [],
    counts: { train, valid, test: 0 },
    notes: [],
  };
  return { info, train: sequences('train', train, time), valid: sequences('valid', valid, time), task: nextToken };
}

export function sequences(part: string, count: number, time: number): Samples {
  return {
    count,
    async read(indices, { tokens, next }) {
      for (const [at, index] of indices.entries()) {
        const random = rng('steps', part, index);
        const [start, step] = [random.int(TOKENS), 1 + random.int(2)];
        for (let t = 0; t < time; t++) {
          if (tokens) tokens[at * time + t] = (start + t * step) % TOKENS;
          if (next) next[at * time + t] = (start + (t + 1) * step) % TOKENS;
        }
      }
    },
  };
}
