/** The steps of an epoch of one training program: its batches, and what a step is fed besides. */
import type { Rng } from '../common/random.ts';
import type { Feeds } from '../engine/engine.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import type { RandomInput } from '../network/network.ts';
import { SLOTS, type TrainingBatches } from './batches.ts';
import { type OnStep, runSteps } from './epochs.ts';

/** What one epoch of a single program needs. */
export interface BatchSteps {
  readonly batches: TrainingBatches;
  /** Whether batches have samples of similar length, cut to it (`TrainingBatches.epochByLength`). */
  readonly byLength?: boolean;
  /** Those of the program that runs the batch. */
  randomInputs(batch: Feeds): readonly RandomInput[];
  /** The states that samples begin with: the epoch's samples follow one another. */
  readonly statesBefore?: Feeds;
  /** How much of the training is done before this epoch, from 0 to 1. */
  readonly progress: number;
  /** The numbers that a step is fed, such as its learning rate; called once for each step, in order. */
  scalars(step: number): Readonly<Record<string, number>>;
  /** Further inputs of a step. */
  feeds?(step: number): Feeds;
  run(feeds: Feeds): Promise<Record<string, HostTensor>>;
  /** Whether the epoch ends with its next step, because time is up. */
  isOver?(): boolean;
}

/** What a request of any training says of its steps. */
interface StepsRequest {
  rng(...labels: readonly (string | number)[]): Rng;
  readonly signal?: AbortSignal;
  readonly onStep?: OnStep;
}

/** Trains the epoch of this index, from 0, and returns its mean loss. Throws as `runSteps` does, and the signal's reason. */
export function trainBatches(
  request: StepsRequest,
  index: number,
  { batches, byLength = false, randomInputs, statesBefore, progress, scalars, feeds, run, isOver }: BatchSteps,
): Promise<number> {
  const streams = (...labels: readonly (string | number)[]) => request.rng(...labels);
  const continued = statesBefore && batches.continuedEpoch(index, streams);
  const epoch = continued ?? (byLength ? batches.epochByLength(index, streams) : batches.epoch(index, streams));
  const random = request.rng('epoch', index, 'noise');
  const noises = new Map<readonly RandomInput[], () => Feeds>();
  const noiseOf = (batch: Feeds): Feeds => {
    const inputs = randomInputs(batch);
    const noise = noises.get(inputs) ?? noiseFor(inputs, random, progress);
    noises.set(inputs, noise);
    return noise();
  };
  const asTensors = scalarFeeds();
  return runSteps({
    epoch: index,
    count: batches.stepsPerEpoch,
    async prepare(step) {
      const states = continued?.startsOver() ? statesBefore : {};
      const batch = await epoch.prepare();
      request.signal?.throwIfAborted();
      return { ...batch, ...states, ...asTensors(scalars(step)), ...noiseOf(batch), ...feeds?.(step) };
    },
    run,
    ...(isOver && { isOver }),
    onStep: request.onStep?.bind(request),
  });
}

/**
 * Refills the random inputs at each call, from one stream; `progress`: how much of the training is done, from 0 to 1. The arrays are used
 * again SLOTS calls later.
 */
export function noiseFor(
  inputs: readonly RandomInput[],
  random: Rng,
  progress: number,
): () => Record<string, HostTensor> {
  const slots = Array.from({ length: SLOTS }, () =>
    Object.fromEntries(inputs.map(({ name, shape }) => [name, { shape, data: new Float32Array(sizeOf(shape)) }])),
  );
  let calls = 0;
  return () => {
    const tensors = slots[calls++ % SLOTS] as Record<string, HostTensor>;
    for (const { name, isProgress } of inputs) {
      const { data } = tensors[name] as HostTensor;
      if (isProgress) data.fill(progress);
      else for (let i = 0; i < data.length; i++) data[i] = random.int(2 ** 24) / 2 ** 24; // exact in float32, never 1
    }
    return tensors;
  };
}

/** Numbers as tensors of shape []. They are used again SLOTS calls later. */
export function scalarFeeds(): (values: Readonly<Record<string, number>>) => Record<string, HostTensor> {
  const slots = Array.from({ length: SLOTS }, (): Record<string, HostTensor> => ({}));
  let calls = 0;
  return (values) => {
    const tensors = slots[calls++ % SLOTS] as Record<string, HostTensor>;
    for (const [name, value] of Object.entries(values)) {
      tensors[name] ??= { shape: [], data: new Float32Array(1) };
      tensors[name].data[0] = value;
    }
    return tensors;
  };
}
