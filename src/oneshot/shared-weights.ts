/** Candidates measured with the weights of the study's supernet, without training. */
import { messageOf } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import type { SearchData } from '../data/dataset.ts';
import type { Engine, State } from '../engine/engine.ts';
import { loadCheckpoint } from '../estimate/by-training.ts';
import { type EstimateRun, type Estimator, type Evaluation, type Report, TrialFailure } from '../estimate/estimator.ts';
import type { HostTensor } from '../graph/ir.ts';
import type { Space } from '../space/space.ts';
import { supernet } from '../space/tree/resolve.ts';
import { handedOn } from '../train/checkpoint.ts';
import { borrowing } from '../train/epochs.ts';
import { TrainingFailure } from '../train/failure.ts';
import type { NetworkOnData } from '../train/forward.ts';
import { VALID_BATCH } from '../train/loop.ts';
import { openPrograms, type Programs } from '../train/programs.ts';
import { someSamples } from '../train/samples.ts';
import { joinTensors } from '../train/vectors.ts';
import { openPathMeter, type PathMeter, RECALIBRATE } from './path-meter.ts';

export interface SharedWeightsOptions {
  readonly engine: Engine;
  /** Where this engine's programs are kept; by default they are disposed of when another supernet comes. */
  readonly programs?: Programs;
  readonly data: SearchData;
  /** Samples in a batch that statistics are computed on: that of the supernet's training. */
  readonly batchSize: number;
  /** Batches of training samples that batch norm's statistics are computed on for each candidate; 20 by default, 0: the supernet's are used. */
  readonly recalibrate?: number;
  /** How a candidate is made of the checkpoint's tensors (`OneShotDefinition.candidates`); as a path whose weights they are by default. */
  readonly choices?: NonNullable<NetworkOnData['choices']>;
  /** Measures on this number of validation samples, the same for all candidates; all by default. */
  readonly validSamples?: number;
  /** Milliseconds, for durations; the system's monotonic clock by default. */
  readonly now?: () => number;
}

/** A supernet with the weights of a checkpoint. */
interface Opened {
  readonly space: Space;
  readonly checkpoint: string;
  readonly resolution: number;
  readonly meter: PathMeter;
  readonly state: State;
  close(): Promise<void>;
}

/**
 * Measures a candidate as a path of the supernet whose checkpoint is `EstimateRun.shared`, with statistics that are computed again for it
 * (path-meter.ts): single-path one-shot (Guo et al. 2020, section 3.4). The supernet may have been trained by any method: weights have the
 * names that they have in each network. All of its choices must be between modules. One run at a time. The supernet stays open for
 * the next candidate. Where the supernet generates weights (`choices`), a candidate's are generated in the same way. Cost: the forward passes of a candidate, `recalibrate` batches and the validation samples.
 *
 * Throws TrialFailure where the study has no supernet, its checkpoint cannot be read or is of another space, or the supernet cannot be built.
 */
export function sharedWeightsEstimator(options: SharedWeightsOptions): Pick<Estimator, 'estimate'> {
  const { engine, data, batchSize, recalibrate = RECALIBRATE, choices = 'switch', validSamples } = options;
  const now = options.now ?? (() => performance.now());
  const programs = options.programs ?? openPrograms(engine, { keep: 0 });
  const valid = validSamples === undefined ? data.valid : someSamples(data.valid, validSamples);
  const validBatch = Math.max(1, Math.min(VALID_BATCH, valid.count));
  let opened: Opened | undefined;

  async function open(space: Space, run: EstimateRun): Promise<Opened> {
    const { shared: checkpoint } = run;
    const { resolution } = run.fidelity;
    if (checkpoint === undefined) throw new TrialFailure('the study has no supernet');
    if (opened?.space === space && opened.checkpoint === checkpoint && opened.resolution === resolution) return opened;
    await opened?.close();
    opened = undefined;
    const read = await loadCheckpoint(run, checkpoint, 'the candidate cannot be measured');
    if (read === undefined) throw new TrialFailure('the weights of the supernet cannot be read');
    const { info, task, train } = data;
    const on = { network: supernet(space), info, resolution, choices, ...(task && { task }) };
    const { borrow, release } = borrowing();
    try {
      const meter = await openPathMeter({
        ...{ programs, borrow, on, validBatch, batchSize, train, recalibrate },
        // The same samples for all candidates, in whichever process.
        rng: (...labels) => rng('shared weights', ...labels),
      });
      const weights = handedOn(read);
      const own: Record<string, HostTensor> = {};
      for (const { name, shape } of meter.vectors.flatMap(({ parts }) => parts)) {
        const tensor = weights[name];
        if (tensor === undefined) throw new TrialFailure(`the supernet's checkpoint has no tensor "${name}"`);
        if (tensor.shape.join() !== shape.join())
          throw new TrialFailure(
            `in the supernet's checkpoint, "${name}" is [${tensor.shape}]; this space's is [${shape}]`,
          );
        own[name] = tensor;
      }
      const state = engine.createState(joinTensors(meter.vectors, own));
      const close = async () => {
        state.dispose();
        await release();
      };
      opened = { space, checkpoint, resolution, meter, state, close };
      return opened;
    } catch (error) {
      await release();
      throw error instanceof TrainingFailure ? new TrialFailure(messageOf(error), { cause: error }) : error;
    }
  }

  return {
    async estimate({ space, architecture }, run): Promise<Evaluation> {
      run.signal.throwIfAborted();
      const began = now();
      const { meter, state } = await open(space, run);
      const { metrics } = await meter.measure(state, architecture, valid, run.signal);
      const seconds = (now() - began) / 1000;
      const report: Report = { step: run.fidelity.epochs, metrics, seconds };
      await run.report(report, undefined);
      return { state: 'complete', metrics, curve: [report], seconds };
    },
  };
}
