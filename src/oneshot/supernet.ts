/** What the supernets have in common: how they are opened, their state, and how they become a `Trainable`. */
import type { Samples } from '../data/dataset.ts';
import type { Feeds, Program, State } from '../engine/engine.ts';
import { type HostTensor, type Shape, sizeOf } from '../graph/ir.ts';
import type { Architecture, Space } from '../space/space.ts';
import type { Module } from '../space/tree/module.ts';
import { supernet } from '../space/tree/resolve.ts';
import type { Measured } from '../task/metrics.ts';
import type { EpochRecord } from '../train/checkpoint.ts';
import { type Borrowed, borrowing, epochs } from '../train/epochs.ts';
import { TrainingFailure } from '../train/failure.ts';
import type { NetworkOnData } from '../train/forward.ts';
import { inferenceOver } from '../train/inference.ts';
import { initialTensors, type TrainRequest, VALID_BATCH } from '../train/loop.ts';
import type { StateParts } from '../train/program.ts';
import { openPrograms, type ProgramLease, type Programs } from '../train/programs.ts';
import type { Trainable } from '../train/trainable.ts';
import { joinTensors, splitTensors } from '../train/vectors.ts';
import type { CostGoals } from './cost/goals.ts';
import { mixtureWithin } from './cost/keep-limits.ts';

/** As a `TrainRequest`, for all networks of a space at once. `settings` are those of the weights. */
export interface SupernetRequest extends Omit<TrainRequest, 'network' | 'initial' | 'time'> {
  /** Its choices must be between modules; where a choice decides a size, TrainingFailure says which. */
  readonly space: Space;
  /** What the study asks of costs, of methods that find an architecture. */
  readonly costs?: CostGoals;
}

/** A supernet in training. */
export interface Supernet extends Trainable {
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  /** Predicted memory of its programs. */
  readonly memoryBytes: number;
  /**
   * Of a method that finds weights: one network of the space with the shared weights as they are. Throws UserError if the architecture is not
   * in the space.
   */
  measurePath?(architecture: Architecture, samples: Samples): Promise<Measured>;
}

/** What a method of training supernets adds. */
export interface Method {
  readonly choices: NonNullable<NetworkOnData['choices']>;
  /** The supernet, where it is not that of the space. */
  readonly network?: Module;
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  open(given: {
    readonly programs: Programs;
    readonly borrow: Borrowed['borrow'];
    readonly on: NetworkOnData;
    readonly validBatch: number;
  }): Promise<Opened>;
}

/** The programs of a method. */
export interface Opened {
  readonly parts: StateParts;
  readonly training: readonly Program[];
  readonly inference: ProgramLease<object>;
  /** Trains the epoch of this index, from 0. `nextStep` counts the updates, from 1. Returns the mean training loss. */
  train(index: number, state: State, nextStep: () => number): Promise<number>;
  /**
   * How the supernet is measured. A list: what inference is fed besides the samples, once for each of the networks whose metrics'
   * mean it is.
   */
  readonly measured: readonly Feeds[] | ((state: State, samples: Samples) => Promise<Measured>);
  /** Tensors that it keeps outside the state, which checkpoints have too; `open` takes them from the request's checkpoint. */
  readonly own?: { readonly names: readonly string[]; read(): Readonly<Record<string, HostTensor>> };
  /** State entries that are worth nothing between steps: zeros at first, and in no checkpoint. */
  readonly scratch?: readonly { readonly name: string; readonly shape: Shape }[];
  /** What the record of an epoch holds besides. It leaves the state as it is, scratch entries aside. */
  more?(after: AfterEpoch): Promise<Pick<EpochRecord, 'mixture' | 'guards'>>;
}

/** A supernet after an epoch. */
export interface AfterEpoch {
  readonly tensors: Readonly<Record<string, HostTensor>>;
  readonly state: State;
  /** The records of the epochs before. */
  readonly history: readonly EpochRecord[];
}

/** A supernet, its state, and how one of its networks is measured with the shared weights. */
export interface OpenSupernet extends Supernet {
  readonly state: State;
  measureWith(more: Feeds, samples: Samples): Promise<Measured>;
}

/** Opens a supernet whose settings have been checked. Throws as `openTraining` does; nothing stays open then. */
export async function openSupernet(request: SupernetRequest, method: Method): Promise<OpenSupernet> {
  const { engine, space, info, task, signal, valid, resolution = 1 } = request;
  const programs = request.programs ?? openPrograms(engine, { keep: 0 });
  const now = request.now ?? (() => performance.now());
  const began = now();
  const { batchSize, stepsPerEpoch, choices } = method;
  if (!(batchSize > 0)) throw new TrainingFailure('there are too few training samples');
  const validBatch = Math.max(batchSize, Math.min(VALID_BATCH, valid?.count ?? VALID_BATCH));
  const on: NetworkOnData = {
    network: method.network ?? supernet(space),
    info,
    resolution,
    choices,
    ...(task && { task }),
  };
  const history: EpochRecord[] = [...(request.checkpoint?.history ?? [])];
  let steps = request.checkpoint?.steps ?? 0;
  const withinLimits = mixtureWithin(request);

  const { borrow, bytes, release } = borrowing();
  let created: State | undefined;
  const dispose = async () => {
    await release();
    created?.dispose();
  };
  try {
    const asked = now();
    const {
      parts,
      scratch = [],
      training,
      inference,
      train,
      measured,
      more,
      own,
    } = await method.open({
      programs,
      borrow,
      on,
      validBatch,
    });
    const compileSeconds = (now() - asked) / 1000;
    const initial = joinTensors(parts.vectors, initialTensors(without(request, own?.names ?? []), parts));
    const zeros = scratch.map(({ name, shape }) => [name, { shape, data: new Float32Array(sizeOf(shape)) }] as const);
    const state = engine.createState({ ...initial, ...Object.fromEntries(zeros) });
    created = state;
    const tensors = async () => ({
      ...splitTensors(parts.vectors, await state.read(Object.keys(initial))),
      ...own?.read(),
    });
    const measureWith: OpenSupernet['measureWith'] = (feeds, samples) =>
      inferenceOver(inference.program, on, state, validBatch, feeds).measure(samples, signal);
    const measure: Trainable['measure'] = async (samples) => {
      if (typeof measured === 'function') return measured(state, samples);
      const all: Measured[] = [];
      for (const feeds of measured) all.push(await measureWith(feeds, samples));
      return meanOf(all);
    };
    return {
      history,
      state,
      batchSize,
      stepsPerEpoch,
      memoryBytes: bytes(),
      epoch: epochs({
        history,
        now,
        opened: began,
        compileSeconds,
        training,
        validation: [inference.program],
        train: (index) => train(index, state, () => ++steps),
        validate: async () => (valid === undefined ? {} : (await measure(valid)).metrics),
        ...(more && {
          async more() {
            const { mixture, ...found } = await more({ tensors: await tensors(), state, history });
            // Whatever the method derives.
            return { ...found, ...(mixture && { mixture: withinLimits(mixture) }) };
          },
        }),
      }),
      checkpoint: async () => ({ history: [...history], steps, tensors: await tensors() }),
      measure,
      measureWith,
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The request whose checkpoint lacks tensors of these names. */
function without(request: SupernetRequest, names: readonly string[]): SupernetRequest {
  const { checkpoint } = request;
  if (checkpoint === undefined || names.length === 0) return request;
  const others = Object.entries(checkpoint.tensors).filter(([name]) => !names.includes(name));
  return { ...request, checkpoint: { ...checkpoint, tensors: Object.fromEntries(others) } };
}

/** The mean of each metric; a single network's measurements as they are. */
export function meanOf(all: readonly Measured[]): Measured {
  const [first, ...others] = all;
  if (first === undefined) throw new RangeError('no network was measured');
  if (others.length === 0) return first;
  const mean = (name: string) => all.reduce((sum, { metrics }) => sum + (metrics[name] ?? Number.NaN), 0) / all.length;
  return { metrics: Object.fromEntries(Object.keys(first.metrics).map((name) => [name, mean(name)])) };
}
