import type { LinearModel } from '../model/linear.ts';
import { fitSparse, predictSparse } from '../model/sparse-linear.ts';
import type { Baseline } from './baseline.ts';
import { learnNGrams, tfIdf } from './n-grams.ts';
import { watch } from './time.ts';

/** Weights at most; L-BFGS keeps some 24 times as many numbers. */
const MOST_WEIGHTS = 1e6;
/** By then it has converged: the penalty, and not an early end, keeps it from learning texts by heart. */
const MOST_ITERATIONS = 100;
/** scikit-learn's C. */
const C = 30;

/**
 * Logistic regression on tf-idf of one and two tokens in a row, as scikit-learn's TfidfVectorizer(ngram_range=(1, 2)) and
 * LogisticRegression(C=30) on the same tokens. An iteration: O(tokens · classes).
 */
export const bagOfWords: Baseline = {
  name: 'bag-of-words',
  unfit: ({ reads }) => (reads === 'tokens' ? undefined : 'only for texts'),
  async fit({ info: { outputs }, train }, options) {
    const { isOver, pause } = watch(options);
    const { columns: length } = train.table;
    const ngrams = learnNGrams(train, Math.floor(MOST_WEIGHTS / outputs));
    const table = tfIdf(ngrams, train.table.data, length);
    await pause();
    // Two classes share one weight in scikit-learn: each of ours has half of it.
    const penalty = (outputs === 2 ? 2 : 1) / (C * table.rows);
    const { effort: most = MOST_ITERATIONS } = options;
    let best: LinearModel = {
      outputs,
      weights: new Float32Array(outputs * table.columns),
      bias: new Float32Array(outputs),
    };
    let [effort, stopped] = [0, false];
    for (const model of fitSparse({ table, targets: train.targets, outputs, penalty })) {
      best = model;
      effort++;
      if (effort >= most) break;
      stopped = isOver();
      if (stopped) break;
      await pause();
    }
    return {
      predict: (inputs) => predictSparse(best, tfIdf(ngrams, inputs, length)),
      effort,
      stopped,
      notes: [],
    };
  },
};
