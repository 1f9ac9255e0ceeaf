import { UserError } from '../common/errors.ts';
import type { DatasetInfo, SearchData } from '../data/dataset.ts';
import type { Engine } from '../engine/engine.ts';
import { createGraph } from '../graph/builder.ts';
import type { HostTensor } from '../graph/ir.ts';
import { morphWeights } from '../network/morphism.ts';
import type { Pretrained } from '../network/pretrained.ts';
import type { Module } from '../space/tree/module.ts';
import { resolve, resolveHyperparameters, scaleWidth } from '../space/tree/resolve.ts';
import { spaceTask, taskOf } from '../task/index.ts';
import type { TaskDefinition } from '../task/task.ts';
import { handedOn } from '../train/checkpoint.ts';
import { TrainingFailure } from '../train/failure.ts';
import { lowerOnData } from '../train/forward.ts';
import { openTraining, type Training } from '../train/loop.ts';
import type { Programs } from '../train/programs.ts';
import { someSamples } from '../train/samples.ts';
import { checkSettings, type TrainSettings, withHyperparameters } from '../train/settings.ts';
import type { EpochObjective } from '../train/stopping.ts';
import { estimateByTraining, loadCheckpoint } from './by-training.ts';
import { type Candidate, type EstimateRun, type Estimator, TrialFailure } from './estimator.ts';

/** What an estimate by training needs to know of the study. */
export interface TrainEstimatorOptions {
  readonly engine: Engine;
  /** Where this engine's programs are kept from one candidate to the next; by default they are not. */
  readonly programs?: Programs;
  readonly data: SearchData;
  /** The study's settings; a candidate's hyperparameters take their place, its fidelity that of `epochs`. */
  readonly settings: TrainSettings;
  /** For `settings.patience`: the metric that epochs are compared by; the task's first one by default. */
  readonly objective?: EpochObjective;
  /** Limits each training: as many epochs as fit, those of its fidelity at most. */
  readonly seconds?: number;
  /**
   * What candidates start from that inherit nothing: fresh weights (by default), or the tensors of the same names in the study's supernet
   * (`EstimateRun.shared`), cut to the candidate's width.
   */
  readonly startFrom?: 'fresh' | 'supernet';
  /** Weights of another network that candidates start from, where they fit and nothing is inherited. */
  readonly pretrained?: Pretrained;
  /** Measures on this number of validation samples, the same for all candidates; all by default. */
  readonly validSamples?: number;
  /** Milliseconds, for durations; the system's monotonic clock by default. */
  readonly now?: () => number;
}

/**
 * Estimates a candidate by training it and measuring it on the validation samples.
 *
 * The metrics are those after the last epoch, unless the settings have `patience`: then they are, and the weights too, those after the best
 * epoch, which flatters all candidates a little (docs/recipes.md). They are the validation's (accuracy, precision, recall, f1, loss; or loss,
 * mse, r2) and `trainLoss`. Every epoch is reported with a checkpoint that continues from there. Nothing of the test
 * samples can be reached from here.
 *
 * A candidate that inherits begins with the weights that preserve the other network's function, as far as they can be had
 * (`morphWeights`); its epochs, learning rates and optimizer start from the beginning.
 *
 * So does one that starts from the supernet. It throws TrialFailure where the supernet cannot be read, or lacks a tensor.
 *
 * Fidelity: epochs in all, share of the training samples, resolution of images, width of the network (`scaleWidth`).
 */
export function trainEstimator(options: TrainEstimatorOptions): Estimator {
  return {
    async estimate(candidate, run) {
      run.signal.throwIfAborted();
      let training: Training | undefined;
      try {
        training = await begin(options, candidate, run);
        return await estimateByTraining(training, run);
      } catch (error) {
        throw error instanceof TrainingFailure ? new TrialFailure(error.message, { cause: error }) : error;
      } finally {
        await training?.dispose();
      }
    },
  };
}

/** The network that training a candidate at a width of `width` trains. Throws UserError for no member of the space. */
export function candidateNetwork({ space, architecture }: Candidate, width: number): Module {
  return scaleWidth(resolve(space, architecture), width);
}

/** The settings that a candidate trains with, the schedule planned for `epochs`. Throws UserError when they conflict. */
export function candidateSettings(
  settings: TrainSettings,
  { space, architecture }: Candidate,
  epochs: number,
  info?: DatasetInfo,
  task?: TaskDefinition,
): TrainSettings {
  const hyperparameters = resolveHyperparameters(space, architecture);
  return checkSettings(withHyperparameters({ ...settings, epochs }, hyperparameters), 'training settings', info, task);
}

/** What does not fit here is the candidate's fault; a UserError from anywhere else (a damaged image) is not. */
function make<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw error instanceof UserError ? new TrialFailure(error.message, { cause: error }) : error;
  }
}

async function begin(
  {
    engine,
    programs,
    data,
    settings,
    objective,
    seconds,
    validSamples,
    startFrom,
    pretrained,
    now,
  }: TrainEstimatorOptions,
  candidate: Candidate,
  run: EstimateRun,
) {
  const { fidelity, fullFidelity, signal } = run;
  const made = make(() => ({
    network: candidateNetwork(candidate, fidelity.width),
    settings: candidateSettings(settings, candidate, fullFidelity.epochs, data.info, data.task),
  }));
  const checkpoint =
    run.checkpoint === undefined ? undefined : await loadCheckpoint(run, run.checkpoint, 'it starts over');
  const begins = startFrom === 'supernet' && run.inherit === undefined ? fromSupernet : inherited;
  const initial = checkpoint === undefined ? await begins(candidate, made.network, data, run) : undefined;
  const isContinued = taskOf(data.info, data.task).spec(data.info).continued;
  return openTraining({
    engine,
    ...(programs && { programs }),
    ...made,
    info: data.info,
    ...(data.task && { task: data.task }),
    train: data.train,
    valid: validSamples === undefined ? data.valid : someSamples(data.valid, validSamples, isContinued),
    ...(objective && { objective }),
    ...(seconds !== undefined && { time: { seconds, mostEpochs: fidelity.epochs } }),
    data: fidelity.data,
    resolution: fidelity.resolution,
    rng: (...labels) => run.rng(...labels),
    signal,
    ...(run.onStep && { onStep: (epoch: number, step: number, loss: number) => run.onStep?.({ epoch, step, loss }) }),
    ...(checkpoint && { checkpoint }),
    ...(initial && { initial }),
    ...(pretrained && { pretrained }),
    ...(now && { now }),
  });
}

/** What a candidate's network begins with, from another's weights (`morphWeights`). */
async function inherited(
  { space }: Candidate,
  network: Module,
  { info, task }: SearchData,
  run: EstimateRun,
): Promise<Readonly<Record<string, HostTensor>> | undefined> {
  if (run.inherit === undefined) return undefined;
  const { inherit } = run;
  const parents = await loadCheckpoint(run, inherit.checkpoint, 'it begins with initial weights and inherits none');
  if (parents === undefined) return undefined;
  const parent = make(() => candidateNetwork({ space, architecture: inherit.architecture }, inherit.width));
  return morphed(parent, network, handedOn(parents), { info, ...(task && { task }) }, run);
}

/** What a candidate's network begins with, from the supernet of the study. */
async function fromSupernet(
  candidate: Candidate,
  network: Module,
  data: Pick<SearchData, 'info' | 'task'>,
  run: EstimateRun,
): Promise<Readonly<Record<string, HostTensor>>> {
  if (run.shared === undefined) throw new TrialFailure('the study has no supernet to start from');
  const read = await loadCheckpoint(run, run.shared, 'the training cannot start from the supernet');
  if (read === undefined) throw new TrialFailure('the weights of the supernet cannot be read');
  const weights = handedOn(read);
  const whole = make(() => candidateNetwork(candidate, 1));
  const { resolution, width } = run.fidelity;
  const { parameters, statistics } = lowerOnData(createGraph(), { network: whole, ...data, resolution }, 1, 'infer');
  const own = [...parameters, ...statistics].map(({ path, shape }) => {
    const tensor = weights[path];
    if (tensor === undefined) throw new TrialFailure(`the supernet has no tensor "${path}" to start from`);
    if (String(tensor.shape) !== String(shape))
      throw new TrialFailure(`in the supernet, "${path}" is [${tensor.shape}]; that of the network is [${shape}]`);
    return [path, tensor] as const;
  });
  const tensors = Object.fromEntries(own);
  return width === 1 ? tensors : morphed(whole, network, tensors, data, run);
}

/** What a network begins with from the weights of another one. */
function morphed(
  parent: Module,
  child: Module,
  weights: Readonly<Record<string, HostTensor>>,
  { info, task }: Pick<SearchData, 'info' | 'task'>,
  run: EstimateRun,
): Readonly<Record<string, HostTensor>> {
  const { fidelity } = run;
  const factor = Math.round(1 / fidelity.resolution);
  const { input, outputs, positions, vocabulary, quantiles } = spaceTask(info, task);
  const seen = input.map((side, axis) => (axis === 0 ? side : Math.floor(side / factor)));
  return make(() => {
    const request = {
      ...{ parent, child, weights, input: seen, outputs },
      ...(positions && { shape: [outputs, ...positions] }),
      ...(vocabulary !== undefined && { vocabulary, dtype: 'int32' as const }),
      ...(quantiles !== undefined && { quantiles }),
    };
    return morphWeights({ ...request, rng: (...labels) => run.rng(...labels) }).weights;
  });
}
