import { fitSparse, predictSparse, sparseLoss } from '../model/sparse-linear.ts';
import type { LinearModel } from '../model/linear.ts';
import type { Baseline } from './baseline.ts';
import { learnNGrams, tfIdf } from './n-grams.ts';
import { watch } from './time.ts';

/** Weights at most; L-BFGS keeps some 24 times as many numbers. */
const MOST_WEIGHTS = 1e6;
const MOST_ITERATIONS = 200;
/** It ends after as many iterations without a smaller loss on the validation rows. */
const PATIENCE = 10;
/** scikit-learn's C. */
const C = 30;

/**
 * Logistic regression on tf-idf of one and two tokens in a row, as scikit-learn's TfidfVectorizer(ngram_range=(1, 2)) and
 * LogisticRegression(C=30) on the same tokens. An iteration: O(tokens · classes).
 */
export const bagOfWords: Baseline = {
  name: 'bag-of-words',
  unfit: ({ reads }) => (reads === 'tokens' ? undefined : 'only for texts'),
  async fit({ info: { outputs }, train, valid }, options) {
    const { isOver, pause } = watch(options);
    const { columns: length } = train.table;
    const ngrams = learnNGrams(train, Math.floor(MOST_WEIGHTS / outputs));
    const table = tfIdf(ngrams, train.table.data, length);
    const held = valid && options.effort === undefined ? tfIdf(ngrams, valid.table.data, length) : undefined;
    await pause();
    // Two classes share one weight in scikit-learn: each of ours has half of it.
    const penalty = (outputs === 2 ? 2 : 1) / (C * table.rows);
    let best: LinearModel = { outputs, weights: new Float32Array(outputs * table.columns), bias: new Float32Array(outputs) };
    let [least, effort, done, stopped] = [Number.POSITIVE_INFINITY, 0, 0, false];
    for (const model of fitSparse({ table, targets: train.targets, outputs, penalty })) {
      done++;
      const now = held && valid ? sparseLoss(model, held, valid.targets) : Number.NEGATIVE_INFINITY;
      if (now < least || held === undefined) [least, best, effort] = [now, model, done];
      if (done - effort >= PATIENCE || done >= (options.effort ?? MOST_ITERATIONS)) break;
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
