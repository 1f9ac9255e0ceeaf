import type { Rng } from '../common/random.ts';
import type { DatasetInfo, Samples } from '../data/dataset.ts';
import type { Engine, Feeds, Program, State } from '../engine/engine.ts';
import type { HostTensor } from '../graph/ir.ts';
import { type Pretrained, startingTensors } from '../network/pretrained.ts';
import type { Module } from '../space/tree/module.ts';
import { taskOf } from '../task/index.ts';
import type { TaskDefinition } from '../task/task.ts';
import { type BatchSteps, trainBatches } from './batch-steps.ts';
import { type TrainingBatches, trainingBatches } from './batches.ts';
import type { Checkpoint, EpochRecord } from './checkpoint.ts';
import { borrowing, epochs, type OnStep } from './epochs.ts';
import { TrainingFailure } from './failure.ts';
import { canBeCut } from './forward.ts';
import { type Inference, inferenceOver, type Outputs, zerosOf } from './inference.ts';
import { lengthIn } from './lengths.ts';
import { optimizerOf } from './optimizers.ts';
import { type Pace, paceOf, type TimeLimit } from './pace.ts';
import { freshTensors, type InferenceGraph, type StateParts, type TrainingGraph } from './program.ts';
import { openPrograms, type ProgramLease, type Programs } from './programs.ts';
import { learningRates } from './schedules.ts';
import { checkSettings, type TrainSettings } from './settings.ts';
import { bestEpoch, type EpochObjective, hasStoppedImproving } from './stopping.ts';
import { type Trainable, trainUntil } from './trainable.ts';
import { joinTensors, splitTensors } from './vectors.ts';
import { averaged, averageScalars, averageStart, isAveraged, startAverages } from './weight-average.ts';

/** The least number of samples measured at a time: below it the overhead of a run dominates, and memory does not matter yet. */
export const VALID_BATCH = 64;

/** What a training run is given. */
export interface TrainRequest {
  readonly engine: Engine;
  /** Caches this engine's programs between trainings; by default they are disposed of at the end. */
  readonly programs?: Programs;
  /** Without open choices. */
  readonly network: Module;
  readonly info: DatasetInfo;
  /** The task, if it is one of the user's own. */
  readonly task?: TaskDefinition;
  readonly train: Samples;
  /** Measured after every epoch; without them, only the training loss is known. */
  readonly valid?: Samples;
  /** For `settings.patience`: the metric that epochs are compared by; the task's first one by default. */
  readonly objective?: EpochObjective;
  /** The learning rate is planned for `settings.epochs`, also if fewer are trained. */
  readonly settings: TrainSettings;
  /** Share of the training samples to use; 1 by default. */
  readonly data?: number;
  /** Share of the image's side; 1 by default. */
  readonly resolution?: number;
  /** Streams of this run: initial weights, order of samples, augmentation, dropout. */
  rng(...labels: readonly (string | number)[]): Rng;
  readonly signal?: AbortSignal;
  /** The training continues from this checkpoint. */
  readonly checkpoint?: Checkpoint;
  /** Parameters and statistics to start from, by path, in place of fresh ones; not all need be given. */
  readonly initial?: Readonly<Record<string, HostTensor>>;
  /** What fits of another network's weights takes the place of fresh ones; `initial` comes first. */
  readonly pretrained?: Pretrained;
  /**
   * Trains as many epochs as fit (`Training.epochs`); the learning-rate schedule of `settings` is laid out over them. Another machine, or
   * another load, gives another number, and so other weights.
   */
  readonly time?: TimeLimit;
  readonly onStep?: OnStep;
  /** Milliseconds, for durations; the system's monotonic clock by default. */
  now?(): number;
}

/** A network in training. */
export interface Training extends Trainable {
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  /** Predicted memory of its programs, their state and their batches. */
  readonly memoryBytes: number;
  /** Parameters and statistics by path: of the kept epoch (`keptEpoch`). */
  weights(): Promise<Record<string, HostTensor>>;
  /** The network's outputs for these samples, and their metrics. */
  outputs(samples: Samples): Promise<Outputs>;
}

/**
 * Compiles the programs of a network and puts its weights on the device, fresh or as they were at the checkpoint.
 *
 * The same request gives the same numbers bit for bit on one machine, and a run that is resumed from a
 * checkpoint those of the run that was never stopped.
 *
 * Throws TrainingFailure when the network cannot be built on this data or the checkpoint is of another network,
 * UserError when the settings do not fit the data.
 */
export async function openTraining(request: TrainRequest): Promise<Training> {
  const { engine, network, info, task, settings, signal, data = 1, resolution = 1 } = request;
  const programs = request.programs ?? openPrograms(engine, { keep: 0 });
  const now = request.now ?? (() => performance.now());
  const opened = now();
  checkSettings(settings, 'training settings', info, task);
  if (request.train.count === 0) throw new TrainingFailure('there are no training samples');
  const spec = taskOf(info, task).spec(info);
  const isContinued = spec.continued === true;
  const on = { network, info, resolution, ...(task && { task }), ...(isContinued && { state: true }) };
  const batches = trainingBatches(request.train, info, settings, data, task);
  const { batchSize, stepsPerEpoch } = batches;
  const validBatch = Math.max(batchSize, Math.min(VALID_BATCH, request.valid?.count ?? VALID_BATCH));
  const rates = learningRates(settings, stepsPerEpoch);
  const optimizer = optimizerOf(settings);
  const history: EpochRecord[] = [...(request.checkpoint?.history ?? [])];
  let steps = request.checkpoint?.steps ?? 0;

  const { borrow, bytes, release } = borrowing();
  /** Programs for samples that are cut to fewer tokens than the longest. */
  const byLength = new Map<number, ProgramLease<StepParts>>();
  const shorter = new Map<number, Program>();
  let state: State | undefined;
  async function dispose(): Promise<void> {
    await release();
    state?.dispose();
  }
  let ready: Ready;
  let compile: number;
  try {
    const asked = now();
    const training = await borrow(programs.training(on, settings, batchSize));
    for (const length of shorterLengths(request, batches))
      byLength.set(length, await borrow(programs.training({ ...on, length }, settings, batchSize)));
    const inference = await borrow(programs.inference(on, validBatch));
    for (const length of byLength.keys())
      shorter.set(length, (await borrow(programs.inference({ ...on, length }, validBatch))).program);
    compile = (now() - asked) / 1000;
    state = engine.createState(joinTensors(training.built.vectors, initialTensors(request, training.built)));
    ready = { state, training, inference };
  } catch (error) {
    await dispose();
    throw error;
  }
  const pace: Pace | undefined = request.time && paceOf(request.time, history, opened, now);
  const { built } = ready.training;
  const programOf = (batch: Feeds) => byLength.get(lengthIn(batch, spec) ?? Number.NaN) ?? ready.training;
  const statesBefore = zerosOf(built.carried);
  const tensors = async () => splitTensors(built.vectors, await ready.state.read());
  const stopsEarly = settings.patience > 0 && request.valid !== undefined;
  const objective = request.objective ?? taskOf(info, task).metrics[0];
  const keptEpoch = () => (stopsEarly ? bestEpoch(history, objective) : undefined) ?? history.length;
  const weightsNow = async () => ownTensors(built, averaged(await tensors()));
  const inferenceFrom = ({ program, built: { states } }: Ready['inference'], from: State) =>
    inferenceOver(program, on, from, validBatch, {}, { carried: states, shorter });
  /** Calls `use` with the network as it is measured and handed on. */
  async function inferring<T>(use: (inference: Inference) => Promise<T>): Promise<T> {
    const { inference } = ready;
    if (!isAveraged(settings)) return use(inferenceFrom(inference, ready.state));
    const averages = engine.createState(averaged(await ready.state.read()));
    try {
      return await use(inferenceFrom(inference, averages));
    } finally {
      averages.dispose();
    }
  }
  const measure = async (samples: Samples) => inferring((network) => network.measure(samples, signal));
  /** Weights of the best epoch, where that is not the last one. */
  let best =
    stopsEarly && request.checkpoint?.best
      ? fitting('the checkpoint', request.checkpoint.best.weights, await weightsNow())
      : undefined;

  /** A state can be written by one program at a time. */
  function inTurn(): BatchSteps['run'] {
    let before: Promise<unknown> = Promise.resolve();
    return (feeds) => {
      const result = before.then(() => programOf(feeds).program.run(feeds, ready.state));
      before = result;
      return result;
    };
  }

  const trainEpoch = (index: number): Promise<number> => {
    const started = isAveraged(settings) ? averageStart(history, objective, settings.averageAfter) : undefined;
    const averagedFrom = started === undefined ? undefined : started * stepsPerEpoch;
    return trainBatches(request, index, {
      batches,
      byLength: byLength.size > 0,
      randomInputs: (batch) => programOf(batch).built.randomInputs,
      ...(built.carried.length > 0 && { statesBefore }),
      progress: pace ? pace.share(0) : index / settings.epochs,
      scalars(step) {
        steps++;
        const rate = rates(index, step, pace?.share(step / stepsPerEpoch));
        return { ...optimizer.scalars(rate, steps), ...averageScalars(settings, steps, averagedFrom) };
      },
      run: byLength.size === 0 ? (feeds) => ready.training.program.run(feeds, ready.state) : inTurn(),
      ...(pace && { isOver: () => pace.isOver() }),
    });
  };

  const trainAndValidate = epochs({
    history,
    now,
    opened,
    compileSeconds: compile,
    training: [ready.training, ...byLength.values()].map(({ program }) => program),
    validation: [ready.inference.program, ...shorter.values()],
    train: trainEpoch,
    ...(pace && { more: async () => ({ progress: pace.share(1) }) }),
    validate: async () => (request.valid === undefined ? {} : (await measure(request.valid)).metrics),
  });

  return {
    history,
    batchSize,
    stepsPerEpoch,
    memoryBytes: bytes(),
    ...(pace && { epochs: pace.epochs }),
    ...(stopsEarly && {
      hasStopped: () => hasStoppedImproving(history, objective, settings.patience, pace?.epochs() ?? settings.epochs),
      keptEpoch,
    }),
    async epoch() {
      // Weights that are the best so far are read before the next epoch changes them.
      const before = stopsEarly && history.length > 0 && best === undefined ? await weightsNow() : best;
      const record = await trainAndValidate();
      best = keptEpoch() === history.length ? undefined : before;
      return record;
    },
    checkpoint: async () => ({
      history: [...history],
      steps,
      tensors: await tensors(),
      ...(best && { best: { epoch: keptEpoch(), weights: best } }),
    }),
    weights: async () => best ?? (await weightsNow()),
    measure,
    outputs: (samples) => inferring((network) => network.outputs(samples, signal)),
    dispose,
  };
}

/**
 * Trains `epochs` epochs in all (`settings.epochs` by default; a checkpoint's count among them) and hands back the
 * training, to be read, measured and disposed of by the caller. Throws as `openTraining` and `Training.epoch` do.
 */
export async function trainNetwork(
  request: TrainRequest & {
    readonly epochs?: number;
    /** After each epoch; training continues when it resolves. */
    onEpoch?(record: EpochRecord, training: Training): void | Promise<void>;
  },
): Promise<Training> {
  const training = await openTraining(request);
  try {
    await trainUntil(training, request.epochs ?? request.settings.epochs, (record) =>
      request.onEpoch?.(record, training),
    );
    return training;
  } catch (error) {
    await training.dispose();
    throw error;
  }
}

/** Fewer steps take less time than compiling another program for them. */
const FEWEST_STEPS = 200;

/** The lengths, below that of the longest samples, that programs are worth being compiled for; none where a network cannot be cut. */
export function shorterLengths(
  { network, info, settings, task, resolution = 1 }: TrainRequest,
  { lengths, stepsPerEpoch }: TrainingBatches,
): readonly number[] {
  const shorter = lengths.slice(0, -1);
  const on = { network, info, resolution, ...(task && { task }) };
  const isWorth = stepsPerEpoch * settings.epochs >= FEWEST_STEPS;
  return isWorth && shorter.every((length) => canBeCut(on, length)) ? shorter : [];
}

/** What a training works with once it is open. */
interface Ready {
  readonly state: State;
  readonly training: ProgramLease<StepParts>;
  readonly inference: ProgramLease<Pick<InferenceGraph, 'states'>>;
}

type StepParts = Omit<TrainingGraph, 'graph'>;

/** The tensors to begin with: a checkpoint's, or fresh ones with the given and the pretrained ones in their place. */
export function initialTensors(
  request: Pick<TrainRequest, 'rng' | 'checkpoint' | 'initial' | 'pretrained'>,
  built: StateParts,
): Record<string, HostTensor> {
  const fresh = { ...freshTensors(built, (...labels) => request.rng(...labels)), ...zerosOf(built.carried) };
  if (request.checkpoint !== undefined) {
    const { tensors } = request.checkpoint;
    const missing = Object.keys(fresh).find((name) => !Object.hasOwn(tensors, name));
    if (missing !== undefined) throw new TrainingFailure(`the checkpoint has no tensor "${missing}"`);
    return { ...fresh, ...fitting('the checkpoint', tensors, fresh) };
  }
  const given = fitting('the given weights', request.initial ?? {}, ownTensors(built, fresh));
  const { parameters, statistics } = built;
  const found = request.pretrained && startingTensors([...parameters, ...statistics], fresh, request.pretrained);
  return startAverages({ ...fresh, ...found?.tensors, ...given });
}

/** Parameters and statistics, without the optimizer's tensors. */
function ownTensors({ parameters, statistics }: StateParts, all: Readonly<Record<string, HostTensor>>) {
  return Object.fromEntries([...parameters, ...statistics].map(({ path }) => [path, all[path] as HostTensor]));
}

/** The given tensors, when each is one of the network's, with its shape. */
function fitting(
  source: string,
  given: Readonly<Record<string, HostTensor>>,
  wanted: Readonly<Record<string, HostTensor>>,
): Readonly<Record<string, HostTensor>> {
  for (const [name, { shape }] of Object.entries(given)) {
    const own = Object.hasOwn(wanted, name) ? wanted[name] : undefined;
    if (own === undefined) throw new TrainingFailure(`${source}: "${name}" is no tensor of this network`);
    if (own.shape.join() !== shape.join()) {
      throw new TrainingFailure(`${source}: "${name}" is [${shape}]; this network's is [${own.shape}]`);
    }
  }
  return given;
}
