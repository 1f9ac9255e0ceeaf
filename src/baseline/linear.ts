import { fitLinear, type LinearModel, linearLoss, predictLinear } from '../model/linear.ts';
import type { Baseline, BaselineData, Rows } from './baseline.ts';
import { someRows, standardized } from './rows.ts';
import { watch } from './time.ts';

/** Multiply-accumulates of one pass over the rows, at most: about half a second. */
const MOST_PRODUCTS = 4e8;
const MOST_ITERATIONS = 200;
/** It ends after as many iterations without a smaller loss on the validation rows. */
const PATIENCE = 10;

/**
 * Multinomial logistic regression, or ridge regression, on standardized inputs; images as they are, pixel by pixel. The penalty is
 * scikit-learn's (C = 1). An iteration: O(rows · inputs · outputs).
 */
export const linear: Baseline = {
  name: 'linear',
  unfit: ({ reads }) => (reads === 'numbers' ? undefined : 'not for texts'),
  async fit(data, options) {
    const { info, loss } = data;
    const { outputs } = info;
    const { isOver, pause } = watch(options);
    const { columns } = data.train.table;
    const most = Math.floor(MOST_PRODUCTS / (2 * columns * outputs));
    const train = prepared(data, someRows(data.train, most, options.seed));
    const valid =
      data.valid && options.effort === undefined ? prepared(data, someRows(data.valid, most, options.seed)) : undefined;
    let best: LinearModel = {
      outputs,
      weights: new Float32Array(outputs * columns),
      bias: new Float32Array(outputs),
    };
    let [least, effort, done, stopped] = [Number.POSITIVE_INFINITY, 0, 0, false];
    const request = { ...train, loss, outputs, penalty: 1 / train.table.rows };
    for (const model of fitLinear(request)) {
      done++;
      const now = valid === undefined ? Number.NEGATIVE_INFINITY : linearLoss(model, { ...valid, loss });
      if (now < least || valid === undefined) [least, best, effort] = [now, model, done];
      if (done - effort >= PATIENCE || done >= (options.effort ?? MOST_ITERATIONS)) break;
      stopped = isOver();
      if (stopped) break;
      await pause();
    }
    const { rows } = train.table;
    return {
      predict: (inputs, count) =>
        predictLinear(best, { rows: count, columns, data: standardized(info, inputs, columns) }),
      form: { kind: 'linear', model: best },
      effort,
      stopped,
      notes: rows < data.train.table.rows ? [`Fitted on ${rows} of ${data.train.table.rows} training samples.`] : [],
    };
  },
};

const prepared = ({ info }: BaselineData, rows: Rows): Rows => ({
  ...rows,
  table: { ...rows.table, data: standardized(info, rows.table.data, rows.table.columns) },
});
