import { type Rng, rng } from '../common/random.ts';
import type { DatasetInfo, Samples } from '../data/dataset.ts';
import type { HostTensor } from '../graph/ir.ts';
import { taskOf } from '../task/index.ts';
import { blendRows, cutout, type ImageShape, mirror, randomCrop, symmetricBeta } from './augment.ts';
import { readSamples, sampleSizes } from './samples.ts';
import type { TrainSettings } from './settings.ts';

/**
 * Feeds exist so many times: one is being prepared while the engine works on one, and another keeps it at work should
 * JavaScript be held up.
 */
export const SLOTS = 3;

/** What one training step is fed. The arrays are used again SLOTS batches later. */
export interface Batch {
  /** [B, ...input], raw values. */
  readonly x: HostTensor;
  /** Classification: a distribution over the classes, [B, classes]. Regression: standardized targets, [B, outputs]. */
  readonly targets: HostTensor;
}

/** The batches of one epoch, to be prepared one after another. */
export interface Epoch {
  prepare(): Promise<Batch>;
}

export interface TrainingBatches {
  /** The setting's, or the number of samples when there are fewer. */
  readonly batchSize: number;
  /** Whole batches only: up to batchSize - 1 samples sit each epoch out, different ones each time. */
  readonly stepsPerEpoch: number;
  /** `stream` names the epoch's own random stream, of which the order, the crops and all the rest are drawn. */
  epoch(stream: Rng): Epoch;
}

/**
 * Cuts training samples into batches: shuffled, augmented, targets spread (label smoothing) and mixed (mixup).
 *
 * `share` of the samples is used, the same for every candidate, and a smaller share is part of a larger one. An epoch
 * depends on nothing but its stream, so training that is taken up again at an epoch goes on bit for bit.
 * Cropping pads with 0 in raw values (black), as PyTorch's transforms do; cutout fills with the mean.
 */
export function trainingBatches(
  samples: Samples,
  info: DatasetInfo,
  settings: Pick<TrainSettings, 'batchSize' | 'labelSmoothing' | 'cropPadding' | 'flip' | 'cutout' | 'mixup'>,
  share = 1,
): TrainingBatches {
  const used = usedSamples(samples.count, share);
  const batchSize = Math.min(settings.batchSize, used.length);
  const stepsPerEpoch = Math.floor(used.length / batchSize);
  const task = taskOf(info);
  const sizes = sampleSizes(info);
  const raw = new Float32Array(batchSize * sizes.target);
  const scratch = new Float32Array(batchSize * Math.max(sizes.input, info.outputs));
  const slots = Array.from({ length: SLOTS }, () => ({
    x: { shape: [batchSize, ...info.input], data: new Float32Array(batchSize * sizes.input) },
    targets: { shape: [batchSize, info.outputs], data: new Float32Array(batchSize * info.outputs) },
  }));
  const [channels, height, width] = info.input;
  const image: ImageShape | undefined =
    channels !== undefined && height !== undefined && width !== undefined ? [channels, height, width] : undefined;

  function augment(inputs: Float32Array, random: Rng): void {
    if (image === undefined) return;
    for (let i = 0; i < batchSize; i++) {
      const one = inputs.subarray(i * sizes.input, (i + 1) * sizes.input);
      if (settings.cropPadding > 0) {
        randomCrop(one, scratch.subarray(0, sizes.input), image, settings.cropPadding, 0, random);
      }
      if (settings.flip && random.float() < 0.5) mirror(one, image);
      if (settings.cutout > 0) cutout(one, image, settings.cutout, info.mean, random);
    }
  }

  function mix(batch: Batch, random: Rng): void {
    const lambda = symmetricBeta(settings.mixup, random);
    const partners = random.shuffle(Array.from({ length: batchSize }, (_, i) => i));
    const { x, targets } = batch;
    blendRows(x.data, scratch.subarray(0, x.data.length), sizes.input, lambda, partners);
    blendRows(targets.data, scratch.subarray(0, targets.data.length), info.outputs, lambda, partners);
  }

  return {
    batchSize,
    stepsPerEpoch,
    epoch(stream) {
      const order = stream.shuffle(used);
      let step = 0;
      return {
        async prepare() {
          const batch = slots[step % SLOTS] as Batch;
          const indices = order.slice(step * batchSize, (step + 1) * batchSize);
          step++;
          await readSamples(samples, indices, batch.x.data, raw);
          task.targets(raw, batch.targets.data, info, settings.labelSmoothing);
          augment(batch.x.data, stream);
          if (settings.mixup > 0) mix(batch, stream);
          return batch;
        },
      };
    },
  };
}

/** At least one sample; the order is that of one shuffle for all, so shares are nested. */
function usedSamples(count: number, share: number): number[] {
  const all = Array.from({ length: count }, (_, i) => i);
  if (share >= 1) return all;
  return rng('share of the training samples', count)
    .shuffle(all)
    .slice(0, Math.max(1, Math.round(share * count)));
}

/**
 * Reads samples in their order, `batchSize` at a time. The arrays are used again SLOTS batches later; the last batch is
 * filled up with zeros, and `truths` has those of samples alone.
 */
export function orderedBatches(
  samples: Samples,
  info: DatasetInfo,
  batchSize: number,
): { readonly steps: number; read(step: number): Promise<{ x: HostTensor; truths: Float32Array }> } {
  const sizes = sampleSizes(info);
  const slots = Array.from({ length: SLOTS }, () => ({
    x: new Float32Array(batchSize * sizes.input),
    truths: new Float32Array(batchSize * sizes.target),
  }));
  return {
    steps: Math.ceil(samples.count / batchSize),
    async read(step) {
      const slot = slots[step % SLOTS] as Slot;
      const first = step * batchSize;
      const count = Math.min(batchSize, samples.count - first);
      const x = slot.x.fill(0, count * sizes.input);
      const truths = slot.truths.subarray(0, count * sizes.target);
      const indices = Array.from({ length: count }, (_, i) => first + i);
      await readSamples(samples, indices, x.subarray(0, count * sizes.input), truths);
      return { x: { shape: [batchSize, ...info.input], data: x }, truths };
    },
  };
}

interface Slot {
  readonly x: Float32Array;
  readonly truths: Float32Array;
}

/** Runs of a program, one for each batch. */
interface Runs<Feeds, Result> {
  readonly count: number;
  /** May use the memory of what it gave SLOTS calls before. */
  prepare(index: number): Promise<Feeds>;
  run(feeds: Feeds): Promise<Result>;
  /** Gets the results, in order. */
  take(result: Result, index: number): void;
}

/**
 * Asks for runs while those before are at work or wait their turn, so that the engine goes from one to the next by itself;
 * batches are prepared meanwhile. Whatever throws, here or there, is thrown when nothing is at work any more.
 */
export async function runAhead<F, R>({ count, prepare, run, take }: Runs<F, R>): Promise<void> {
  const asked: Promise<R>[] = [];
  let taken = 0;
  const takeNext = async () => {
    const [next] = asked;
    take(await (next as Promise<R>), taken++);
    asked.shift();
  };
  try {
    for (let index = 0; index < count; index++) {
      const latest = run(await prepare(index));
      // It may fail while another is awaited; it is awaited in its turn.
      latest.catch(() => {});
      asked.push(latest);
      if (asked.length === SLOTS) await takeNext();
    }
    while (asked.length > 0) await takeNext();
  } finally {
    await Promise.allSettled(asked);
  }
}
