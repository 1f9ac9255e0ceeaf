import { classShares } from '../model/boosting/losses.ts';
import type { Baseline, BaselineData } from './baseline.ts';

/** The most frequent class, or the mean: what can be said without a look at the inputs. O(rows). */
export const majority: Baseline = {
  name: 'majority',
  unfit: () => undefined,
  fit(data, { signal }) {
    signal?.throwIfAborted();
    const outputs = bestConstant(data);
    return Promise.resolve({
      predict: (_, count) =>
        Float32Array.from({ length: count * outputs.length }, (_, i) => outputs[i % outputs.length] ?? 0),
      notes: [],
    });
  },
};

/** Logits, or standardized numbers. */
function bestConstant({ info: { outputs }, loss, train: { table, targets } }: BaselineData): readonly number[] {
  if (loss === 'log-loss') return classShares(targets, table.rows, outputs).map(Math.log);
  const sums = new Array<number>(outputs).fill(0);
  for (const [i, target] of targets.entries()) sums[i % outputs] = (sums[i % outputs] ?? 0) + target;
  return sums.map((sum) => sum / table.rows);
}
