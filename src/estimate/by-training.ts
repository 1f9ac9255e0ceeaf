/** The trial of anything that is trained: reports, checkpoints, and what the study answers. */
import { messageOf } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import { type Checkpoint, decodeCheckpoint, type EpochRecord, encodeCheckpoint } from '../train/checkpoint.ts';
import type { Trainable } from '../train/trainable.ts';
import { type CheckpointId, type EstimateRun, type Evaluation, type Report, TrialFailure } from './estimator.ts';

/**
 * Trains until the fidelity's epochs are completed, or until `report` ends it, and reports each epoch with a checkpoint. The metrics are
 * those of the epoch whose weights it hands on. The caller disposes of `training`. Throws TrialFailure if there is nothing to train, and as `Trainable.epoch`.
 */
export async function estimateByTraining(training: Trainable, run: EstimateRun): Promise<Evaluation> {
  let checkpoint = training.history.length === 0 ? undefined : run.checkpoint;
  const ended = (state: Evaluation['state']): Evaluation => {
    const curve = curveOf(training.history);
    const last = curve.at(-1);
    if (last === undefined) throw new TrialFailure(`nothing to train: ${run.fidelity.epochs} epochs`);
    return {
      state,
      metrics: (curve[(training.keptEpoch?.() ?? 0) - 1] ?? last).metrics,
      curve,
      seconds: last.seconds,
      ...(checkpoint !== undefined && { checkpoint }),
    };
  };
  const epochs = () => training.epochs?.() ?? run.fidelity.epochs;
  const isOver = () => training.hasStopped?.() === true || training.history.length >= epochs();
  while (!isOver()) {
    await training.epoch();
    checkpoint = await run.artifacts.put(encodeCheckpoint(await training.checkpoint()));
    const answer = await run.report(curveOf(training.history).at(-1) as Report, checkpoint);
    if (answer !== 'continue' && !isOver()) return ended(answer === 'pause' ? 'paused' : 'pruned');
  }
  return ended('complete');
}

/** The learning curve, times added up. */
function curveOf(history: readonly EpochRecord[]): Report[] {
  let seconds = 0;
  return history.map((record) => {
    seconds += record.seconds;
    const metrics: Metrics = { ...record.valid, trainLoss: record.loss };
    return {
      step: record.epoch,
      metrics,
      seconds,
      ...(record.spent && { spent: record.spent }),
      ...(record.mixture && { mixture: record.mixture }),
      ...(record.guards && { guards: record.guards }),
    };
  });
}

/** A checkpoint; undefined, with a note that says `instead`, where it is lost or damaged: training can make it again. */
export async function loadCheckpoint(
  run: Pick<EstimateRun, 'artifacts' | 'note'>,
  id: CheckpointId,
  instead: string,
): Promise<Checkpoint | undefined> {
  try {
    return decodeCheckpoint(await run.artifacts.get(id));
  } catch (error) {
    run.note?.(`a checkpoint cannot be read, so ${instead}: ${messageOf(error)}`);
    return undefined;
  }
}
