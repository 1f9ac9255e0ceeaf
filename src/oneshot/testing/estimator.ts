import type { SearchData } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Estimator } from '../../estimate/estimator.ts';
import { DEFAULT_SETTINGS } from '../../train/settings.ts';
import { sharedWeightsEstimator } from '../shared-weights.ts';
import { supernetTrial } from '../train-shared.ts';

export const METHODS = { mixture: 'darts', 'single-path': 'single-path' } as const;

const BATCH_SIZE = 8;
const settings = { ...DEFAULT_SETTINGS, batchSize: BATCH_SIZE };

export interface OneShotOptions {
  readonly engine: Engine;
  readonly data: SearchData;
  readonly method: keyof typeof METHODS;
  /** 0 by default. */
  readonly recalibrate?: number;
  /** Called at the end of each epoch that is really trained, before it is reported. */
  readonly onEpoch?: (epoch: number) => void;
}

/**
 * One-shot search as an estimator: a supernet is trained first, and a candidate is measured with the weights of its path, without training.
 * Time stands still, so that studies which were killed can be compared with those that were not, artifacts included.
 */
export function oneShotEstimator({ engine, data, method, recalibrate = 0, onEpoch }: OneShotOptions): Estimator {
  return {
    trainShared(space, run) {
      const report: typeof run.report = (one, checkpoint) => {
        onEpoch?.(one.step);
        return run.report(one, checkpoint);
      };
      return supernetTrial({ engine, data, method: METHODS[method], options: {}, settings, now: () => 0 })(space, {
        ...run,
        report,
      });
    },

    ...sharedWeightsEstimator({ engine, data, batchSize: BATCH_SIZE, recalibrate, now: () => 0 }),
  };
}
