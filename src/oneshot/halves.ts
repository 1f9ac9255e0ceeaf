import { part } from '../data/samples.ts';
import { type TrainingBatches, trainingBatches } from '../train/batches.ts';
import { TrainingFailure } from '../train/failure.ts';
import type { SupernetRequest } from './supernet.ts';

/** The training samples in two halves, drawn from the stream `halves`: one for the weights, one for the architecture. */
export interface Halves {
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  readonly weights: TrainingBatches;
  readonly architecture: TrainingBatches;
}

/** Throws TrainingFailure if there are fewer than two samples. */
export function halvesOf(request: SupernetRequest): Halves {
  const { info, settings, task, data = 1 } = request;
  const { count } = request.train;
  if (count < 2) throw new TrainingFailure('it needs two training samples: it trains on two halves');
  const order = request.rng('halves').shuffle(Array.from({ length: count }, (_, i) => i));
  const half = Math.ceil(count / 2);
  const batchSize = Math.min(settings.batchSize, Math.max(1, Math.floor(Math.floor(count / 2) * data)));
  const batchesOf = (from: number, to: number) =>
    trainingBatches(
      part(request.train, Int32Array.from(order.slice(from, to))),
      info,
      { ...settings, batchSize },
      data,
      task,
    );
  const [weights, architecture] = [batchesOf(0, half), batchesOf(half, count)];
  return {
    batchSize,
    stepsPerEpoch: Math.min(weights.stepsPerEpoch, architecture.stepsPerEpoch),
    weights,
    architecture,
  };
}
