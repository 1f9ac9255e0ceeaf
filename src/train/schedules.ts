import type { TrainSettings } from './settings.ts';

/**
 * The learning rate at step `step` (from 0) of epoch `epoch` (from 0). `share`: how much of the training is done by then, from 0 to 1, where
 * time limits it (`pace.ts`); the schedule is then laid out over that, as if it had `settings.epochs`.
 */
export type Schedule = (epoch: number, step: number, share?: number) => number;

type ScheduleSettings = Pick<
  TrainSettings,
  'epochs' | 'learningRate' | 'schedule' | 'warmupEpochs' | 'stepEpochs' | 'stepFactor'
>;

/**
 * Lays the learning rate out over `settings.epochs`: all the epochs that the trial may ever train, so that a trial
 * paused early and continued has the same rates as one that was never paused.
 *
 * The rate changes with every step (PyTorch's schedulers, stepped once a batch), not with every epoch; position is
 * counted in epochs, so it keeps its meaning when the share of the data, and with it the number of steps, changes.
 * - warm-up: rises linearly from 0; the step that ends at time t of `warmupEpochs` has the share t / warmupEpochs, so
 *   that the very first step is not lost.
 * - cosine: ½ (1 + cos(π t)), t from 0 at the end of the warm-up to 1 after the last step (Loshchilov & Hutter 2017,
 *   without restarts); the first step has the full rate.
 * - step: times `stepFactor` every `stepEpochs` epochs, counted from the start of training.
 */
export function learningRates(settings: ScheduleSettings, stepsPerEpoch: number): Schedule {
  const { epochs, learningRate, warmupEpochs } = settings;
  return (epoch, step, share) => {
    const begin = share === undefined ? epoch + step / stepsPerEpoch : share * epochs;
    if (begin < warmupEpochs) {
      return learningRate * Math.min(1, (begin + 1 / stepsPerEpoch) / warmupEpochs);
    }
    switch (settings.schedule) {
      case 'constant':
        return learningRate;
      case 'step':
        return learningRate * settings.stepFactor ** Math.floor(epoch / settings.stepEpochs);
      case 'cosine': {
        const position = Math.min(1, (begin - warmupEpochs) / Math.max(epochs - warmupEpochs, Number.MIN_VALUE));
        return (learningRate * (1 + Math.cos(Math.PI * position))) / 2;
      }
    }
  };
}
