import type { SearchData } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import { estimateByTraining, loadCheckpoint } from '../../estimate/by-training.ts';
import { type Estimator, TrialFailure } from '../../estimate/estimator.ts';
import { TrainingFailure } from '../../train/failure.ts';
import { DEFAULT_SETTINGS } from '../../train/settings.ts';
import { openMixtureSupernet } from '../mixture.ts';
import { sharedWeightsEstimator } from '../shared-weights.ts';
import { openSinglePathSupernet } from '../single-path.ts';
import type { SupernetRequest } from '../supernet.ts';

export const METHODS = { mixture: openMixtureSupernet, 'single-path': openSinglePathSupernet };

const BATCH_SIZE = 8;

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
    async trainShared(space, run) {
      const checkpoint =
        run.checkpoint === undefined ? undefined : await loadCheckpoint(run, run.checkpoint, 'it starts over');
      const request: SupernetRequest = {
        engine,
        ...data,
        space,
        settings: { ...DEFAULT_SETTINGS, batchSize: BATCH_SIZE, epochs: run.fullFidelity.epochs },
        rng: (...labels) => run.rng(...labels),
        signal: run.signal,
        now: () => 0,
        ...(checkpoint && { checkpoint }),
      };
      try {
        const supernet = await METHODS[method](request);
        try {
          const epoch = async () => {
            const record = await supernet.epoch();
            onEpoch?.(record.epoch);
            return record;
          };
          return await estimateByTraining({ ...supernet, epoch }, run);
        } finally {
          await supernet.dispose();
        }
      } catch (error) {
        throw error instanceof TrainingFailure ? new TrialFailure(error.message, { cause: error }) : error;
      }
    },

    ...sharedWeightsEstimator({ engine, data, batchSize: BATCH_SIZE, recalibrate, now: () => 0 }),
  };
}
