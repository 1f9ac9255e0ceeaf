import type { SearchData } from '../data/dataset.ts';
import type { Engine } from '../engine/engine.ts';
import { estimateByTraining, loadCheckpoint } from '../estimate/by-training.ts';
import { type Estimator, TrialFailure } from '../estimate/estimator.ts';
import type { Pretrained } from '../network/pretrained.ts';
import type { Space } from '../space/space.ts';
import { TrainingFailure } from '../train/failure.ts';
import type { Programs } from '../train/programs.ts';
import { someSamples } from '../train/samples.ts';
import type { TrainSettings } from '../train/settings.ts';
import type { CostGoals } from './cost/goals.ts';
import { ONE_SHOT } from './index.ts';
import type { Supernet, SupernetRequest } from './supernet.ts';

/** What the trial of a supernet needs to know of the study. */
export interface SupernetTrialOptions {
  readonly engine: Engine;
  /** Where this engine's programs are kept; by default they are not. */
  readonly programs?: Programs;
  readonly data: SearchData;
  readonly method: keyof typeof ONE_SHOT;
  /** Those of the method. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What the study asks of costs, for its space. Throws UserError. */
  readonly costs?: (space: Space) => CostGoals;
  /** Of the weights; the trial's fidelity takes the place of `epochs`. */
  readonly settings: TrainSettings;
  /** Weights of another network that the supernet starts from, where they fit. */
  readonly pretrained?: Pretrained;
  /** Measures on this number of validation samples; all by default. */
  readonly validSamples?: number;
  /** Milliseconds, for durations; the system's monotonic clock by default. */
  readonly now?: () => number;
}

/**
 * The trial that trains a study's supernet: each epoch is reported with a checkpoint to continue from, which is what candidates receive as
 * `shared` in the end.
 */
export function supernetTrial(options: SupernetTrialOptions): NonNullable<Estimator['trainShared']> {
  return async (space, run) => {
    run.signal.throwIfAborted();
    const checkpoint =
      run.checkpoint === undefined ? undefined : await loadCheckpoint(run, run.checkpoint, 'it starts over');
    const { engine, programs, data, settings, validSamples, now, method, costs, pretrained } = options;
    const { fidelity, signal, onStep } = run;
    const request: SupernetRequest = {
      ...{ engine, ...data, space, signal },
      ...(programs && { programs }),
      ...(validSamples !== undefined && { valid: someSamples(data.valid, validSamples) }),
      settings: { ...settings, epochs: fidelity.epochs },
      ...{ data: fidelity.data, resolution: fidelity.resolution },
      rng: (...labels) => run.rng(...labels),
      ...(onStep && { onStep: (epoch: number, step: number, loss: number) => onStep({ epoch, step, loss }) }),
      ...(checkpoint && { checkpoint }),
      ...(costs && { costs: costs(space) }),
      ...(pretrained && { pretrained }),
      ...(now && { now }),
    };
    let supernet: Supernet | undefined;
    try {
      supernet = await ONE_SHOT[method].open(request, options.options);
      return await estimateByTraining(supernet, run);
    } catch (error) {
      throw error instanceof TrainingFailure ? new TrialFailure(error.message, { cause: error }) : error;
    } finally {
      await supernet?.dispose();
    }
  };
}
