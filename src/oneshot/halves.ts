import { part } from '../data/samples.ts';
import { type TrainingBatches, trainingBatches } from '../train/batches.ts';
import { TrainingFailure } from '../train/failure.ts';
import type { SupernetRequest } from './supernet.ts';

/** What the weights and the architecture learn from. */
export interface Levels {
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  readonly weights: TrainingBatches;
  /** Undefined with one level: both learn from the same batches. */
  readonly architecture: TrainingBatches | undefined;
}

/** With two levels, each learns from its own half. */
export interface Halves extends Levels {
  readonly architecture: TrainingBatches;
}

/**
 * The training samples of a supernet, in an order drawn from the stream `halves`: all of them (one level), or in two halves. Throws
 * TrainingFailure if there are fewer samples than levels.
 */
export function levelsOf(request: SupernetRequest, levels: 1 | 2): Levels {
  const { info, settings, task, data = 1 } = request;
  const { count } = request.train;
  if (count < levels) throw new TrainingFailure('it needs two training samples: it trains on two halves');
  const order = request.rng('halves').shuffle(Array.from({ length: count }, (_, i) => i));
  const half = Math.ceil(count / levels);
  const batchSize = Math.min(settings.batchSize, Math.max(1, Math.floor(Math.floor(count / levels) * data)));
  const batchesOf = (from: number, to: number) =>
    trainingBatches(
      part(request.train, Int32Array.from(order.slice(from, to))),
      info,
      { ...settings, batchSize },
      data,
      task,
    );
  const weights = batchesOf(0, half);
  const architecture = levels === 2 ? batchesOf(half, count) : undefined;
  const stepsPerEpoch = Math.min(weights.stepsPerEpoch, architecture?.stepsPerEpoch ?? Number.POSITIVE_INFINITY);
  return { batchSize, stepsPerEpoch, weights, architecture };
}

/** The two halves. Throws as `levelsOf`. */
export function halvesOf(request: SupernetRequest): Halves {
  const { architecture, ...others } = levelsOf(request, 2);
  if (architecture === undefined) throw new RangeError('two levels have two halves');
  return { ...others, architecture };
}
