import { sizeOf } from '../graph/ir.ts';
import { BOOSTING, boost } from '../model/boosting.ts';
import { predictTrees } from '../model/trees.ts';
import type { Baseline } from './baseline.ts';
import { columnsOf } from './columns.ts';
import { watch } from './time.ts';

/** Values of all training samples that are not rows of a table, times the trees of a round, at most: a tenth of a second a round. */
const MOST_VALUES = 1e7;
/** Where no validation rows say when to end. */
const ROUNDS = 100;

/** Gradient boosting of trees on the columns of a table, or on the pixels of few and small images: see `model/boosting.ts`. */
export const boostedTrees: Baseline = {
  name: 'boosted-trees',
  unfit({ info, loss, reads }) {
    if (reads !== 'numbers') return 'not for texts';
    const { input, outputs, counts } = info;
    const trees = loss === 'log-loss' && outputs === 2 ? 1 : outputs;
    const values = counts.train * sizeOf(input) * trees;
    return input.length === 1 || values <= MOST_VALUES
      ? undefined
      : 'these images are too many or too large for trees on pixels';
  },
  async fit({ info, loss, train, valid }, options) {
    const { isOver, pause } = watch(options);
    const held = options.effort === undefined ? valid : undefined;
    const rounds = boost({
      ...{ ...train, columns: columnsOf(info), loss, outputs: info.outputs },
      ...(held && { valid: held }),
      options: { rounds: options.effort ?? (held === undefined ? ROUNDS : BOOSTING.rounds) },
      shouldStop: isOver,
    });
    for (;;) {
      const { done, value } = rounds.next();
      if (!done) {
        await pause();
        continue;
      }
      const { trees } = value;
      return {
        predict: (inputs, count) => predictTrees(trees, inputs, inputs.length / count),
        form: { kind: 'trees', trees },
        effort: value.rounds,
        stopped: value.stopped,
        notes: [],
      };
    }
  },
};
