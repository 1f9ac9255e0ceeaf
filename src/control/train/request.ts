/** What every training of a policy is given, and what all of them have in common. */
import type { Rng } from '../../common/random.ts';
import type { Samples } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import type { HostTensor } from '../../graph/ir.ts';
import type { RandomInput } from '../../network/network.ts';
import type { Module } from '../../space/tree/module.ts';
import type { Checkpoint, EpochRecord } from '../../train/checkpoint.ts';
import { TrainingFailure } from '../../train/failure.ts';
import type { Programs } from '../../train/programs.ts';
import { bestEpoch, type EpochObjective } from '../../train/stopping.ts';
import type { Trainable } from '../../train/trainable.ts';
import type { Environment } from '../environment.ts';

export interface PolicyRequest {
  readonly engine: Engine;
  /** Caches this engine's programs between trainings; by default they are disposed of at the end. */
  readonly programs?: Programs;
  /** Without open choices. Its outputs are those of `environmentData`. */
  readonly network: Module;
  readonly environment: Environment;
  /** Episodes that are played after each epoch (`episodes`): the epoch that hands its weights on is chosen by them. */
  readonly valid: Samples;
  /** Streams of this training: initial weights, episodes, actions, order. */
  rng(...labels: readonly (string | number)[]): Rng;
  readonly signal?: AbortSignal;
  readonly checkpoint?: Checkpoint;
  /** Milliseconds, for durations; the system's monotonic clock by default. */
  now?(): number;
}

/** How weights are updated: by Adam, with clipped gradients. */
export const adamUpdate = (clipNorm: number) =>
  ({ optimizer: 'adam', momentum: 0, nesterov: false, weightDecay: 0, clipNorm }) as const;

type Tensors = Readonly<Record<string, HostTensor>>;

/** A policy in training. Its metrics are return, success and steps: means over episodes, by greedy actions. */
export interface PolicyTraining extends Trainable {
  /** Parameters by path, and the statistics that observations are scaled by, of the epoch that is kept. */
  weights(): Promise<Tensors>;
  keptEpoch(): number;
  /** Epochs that it was planned for, and their environment steps. */
  readonly plannedEpochs: number;
  readonly plannedSteps: number;
}

/** What epochs are compared by. */
const OBJECTIVE = { metric: 'return', direction: 'maximize' } as const satisfies EpochObjective;

/** Keeps the weights of the epoch with the largest return on the validation episodes. */
export interface Best {
  keptEpoch(): number;
  /** Calls `train`, which adds an epoch to the history. */
  around(train: () => Promise<EpochRecord>): Promise<EpochRecord>;
  weights(): Promise<Tensors>;
  /** What a checkpoint has of it. */
  checkpoint(): Pick<Checkpoint, 'best'>;
}

/** `current`: the weights as they are. */
export function keepBest(
  history: readonly EpochRecord[],
  saved: Checkpoint['best'],
  current: () => Promise<Tensors>,
): Best {
  const keptEpoch = () => bestEpoch(history, OBJECTIVE) ?? history.length;
  let kept: Tensors | undefined = saved?.weights;
  return {
    keptEpoch,
    async around(train) {
      // The next epoch changes weights that are the best so far.
      const before = kept ?? (await current());
      const record = await train();
      kept = keptEpoch() === history.length ? undefined : before;
      return record;
    },
    weights: async () => kept ?? (await current()),
    checkpoint: () => (kept === undefined ? {} : { best: { epoch: keptEpoch(), weights: kept } }),
  };
}

/** Throws TrainingFailure for a network that draws in training: what it did when it acted could not be computed again. */
export function checkRandomness(inputs: readonly RandomInput[]): void {
  if (inputs.length > 0)
    throw new TrainingFailure('the network draws random numbers (dropout), which policies are not trained with');
}

/** The tensors of a checkpoint: those of the training program, and those of others by what their names begin with. */
export function partTensors(
  tensors: Tensors,
  others: readonly string[],
): { readonly own: Record<string, HostTensor>; readonly other: Record<string, HostTensor> } {
  const isOther = ([name]: readonly [string, unknown]) => others.some((start) => name.startsWith(`${start}/`));
  const entries = Object.entries(tensors);
  return {
    own: Object.fromEntries(entries.filter((entry) => !isOther(entry))),
    other: Object.fromEntries(entries.filter(isOther)),
  };
}
