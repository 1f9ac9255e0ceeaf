import { invalid } from '../common/errors.ts';
import { type Rng, rng } from '../common/random.ts';
import type { DatasetInfo, Samples } from '../data/dataset.ts';
import type { Feeds } from '../engine/engine.ts';
import { type HostTensor, type IntTensor, type Shape, sizeOf } from '../graph/ir.ts';
import { taskOf } from '../task/index.ts';
import {
  type Arrays,
  allocate,
  type FloatArrays,
  mapValues,
  rowsOf,
  type TaskSpec,
  type TensorSpecs,
} from '../task/spec.ts';
import type { TaskDefinition } from '../task/task.ts';
import { blendRows, symmetricBeta } from './augment.ts';
import { augmentation } from './augment-samples.ts';
import { balancedWeights } from './class-weights.ts';
import { batchesByLength, cutFeeds, lengthsFor } from './lengths.ts';
import { readSamples } from './samples.ts';
import type { TrainSettings } from './settings.ts';

/**
 * The number of feeds: one is being prepared while the engine works on one, and another keeps it busy should
 * JavaScript be held up.
 */
export const SLOTS = 3;

/** The batches of one epoch, to be prepared one after another. */
export interface Epoch {
  /**
   * What one training step is fed: the raw inputs and the encoded targets by name, the batch first. The arrays are used again
   * SLOTS batches later.
   */
  prepare(): Promise<Feeds>;
}

/** Named random streams. */
type Streams = (...labels: readonly (string | number)[]) => Rng;

export interface TrainingBatches {
  /** The setting's, or the number of samples when there are fewer. */
  readonly batchSize: number;
  /** Whole batches only: up to batchSize - 1 samples sit each epoch out, different ones each time. */
  readonly stepsPerEpoch: number;
  /**
   * The epoch of this index, from 0: its samples in random order. Its order, crops and all other randomness come from the stream `('epoch', index, ...labels)`; where
   * epochs have a number of samples of their own, the order comes from the streams of the passes over the data, `('pass', n, ...labels)`.
   */
  epoch(index: number, rng: Streams, ...labels: readonly string[]): Epoch;
  /** Lengths that the tokens of samples are worth being cut to, ascending, the last that of the data; [] for other inputs (lengths.ts). */
  readonly lengths: readonly number[];
  /** What samples are cut to, on average. */
  readonly meanLength: number;
  /** An epoch whose batches have samples of similar length, each cut to one of `lengths`. */
  epochByLength(index: number, rng: Streams): Epoch;
  /**
   * The same of samples that follow one another, in order: each sample of a batch goes on where the one at its place in the batch before
   * ended, in the epoch before, too. `startsOver` says of the step that is prepared next whether its samples begin anew.
   */
  continuedEpoch(index: number, rng: Streams): Epoch & { startsOver(): boolean };
}

/**
 * Cuts training samples into batches: shuffled, augmented, targets spread (label smoothing), weighed (class weights) and mixed (mixup).
 * Class weights are those of the samples that are used.
 *
 * `share` of the samples is used, the same for every candidate, and a smaller share is part of a larger one: random ones, and of samples
 * that follow one another the first. An epoch
 * depends on nothing but its stream, so a training that is resumed at an epoch continues bit for bit.
 * Cropping pads with 0 in raw values (black), as PyTorch's transforms do; cutout fills with the mean.
 */
export function trainingBatches(
  samples: Samples,
  info: DatasetInfo,
  settings: Pick<
    TrainSettings,
    'batchSize' | 'epochSamples' | 'labelSmoothing' | 'classWeights' | 'cropPadding' | 'flip' | 'cutout' | 'mixup'
  >,
  share = 1,
  own?: TaskDefinition,
): TrainingBatches {
  const task = taskOf(info, own);
  const spec = task.spec(info);
  const used = usedSamples(samples.count, share, spec.continued);
  const batchSize = Math.min(settings.batchSize, used.length);
  const samplesPerEpoch = settings.epochSamples === 0 ? used.length : Math.max(settings.epochSamples, batchSize);
  const stepsPerEpoch = Math.floor(samplesPerEpoch / batchSize);
  const { inputs, targets } = spec;
  const encoded = task.encoding?.specs(info);
  const raw = allocate(encoded === undefined ? {} : targets, batchSize);
  const fed = { ...inputs, ...(encoded ?? targets) };
  const slots = Array.from({ length: SLOTS }, () => allocate(fed, batchSize));
  const augment = augmentation(task, info, settings);
  const mixed = Object.entries(fed).map(([name, { shape }]) => {
    const size = sizeOf(shape);
    return { name, size, scratch: new Float32Array(settings.mixup > 0 ? batchSize * size : 0) };
  });

  let weights: Promise<Float64Array> | undefined;
  /** Counted before the first batch. */
  const classWeights = () => {
    weights ??= balancedWeights(samples, used, Object.keys(targets)[0] ?? '', info.outputs);
    return weights;
  };

  function mix(arrays: Arrays, random: Rng): void {
    const lambda = symmetricBeta(settings.mixup, random);
    const partners = random.shuffle(indicesOf(batchSize));
    for (const { name, size, scratch } of mixed) {
      const values = arrays[name];
      if (values instanceof Float32Array) blendRows(values, scratch, size, lambda, partners);
    }
  }

  /** What a step reads: these samples of `from`, cut to a length where there is one. */
  interface Part {
    readonly from: Samples;
    readonly indices: readonly number[];
    readonly length?: number;
  }

  function epochOf(stream: Rng, of: (step: number) => Part): Epoch {
    let step = 0;
    return {
      async prepare() {
        const arrays = slots[step % SLOTS] as Arrays;
        const read = { ...arrays, ...raw };
        const { from, indices, length } = of(step++);
        await readSamples(from, indices, read);
        augment(read, batchSize, stream);
        if (encoded !== undefined) {
          const into = floats(arrays, encoded);
          task.encoding?.fill(raw, into, info, settings.labelSmoothing);
          if (settings.classWeights === 'balanced') task.encoding?.weigh?.(raw, into, info, await classWeights());
        }
        if (settings.mixup > 0) mix(arrays, stream);
        const feeds = feedsOf(arrays, fed, batchSize);
        return length === undefined ? feeds : cutFeeds(feeds, spec, length);
      },
    };
  }

  /** The samples of an epoch in random order; whole batches alone are taken. */
  function orderOf(index: number, stream: Rng, rng: Streams, labels: readonly string[]): readonly number[] {
    const count = stepsPerEpoch * batchSize;
    if (settings.epochSamples === 0) return stream.shuffle(used).slice(0, count);
    return partOfPasses(used, index * count, count, (pass) => rng('pass', pass, ...labels));
  }

  const { lengths, meanLength } = lengthsFor(samples, used, spec);
  return {
    batchSize,
    stepsPerEpoch,
    ...{ lengths, meanLength },
    epoch(index, rng, ...labels) {
      const stream = rng('epoch', index, ...labels);
      const order = orderOf(index, stream, rng, labels);
      const from = samples.shifted?.(stream.float()) ?? samples;
      return epochOf(stream, (step) => ({ from, indices: order.slice(step * batchSize, (step + 1) * batchSize) }));
    },
    epochByLength(index, rng) {
      const stream = rng('epoch', index);
      const order = orderOf(index, stream, rng, []);
      const batches = batchesByLength(order, (sample) => samples.lengthOf?.(sample) ?? 0, lengths, batchSize);
      return epochOf(stream, (step) => ({ from: samples, ...(batches[step] ?? { indices: [] }) }));
    },
    continuedEpoch(index, rng) {
      const rows = Math.max(1, Math.floor(used.length / batchSize));
      const first = index * stepsPerEpoch;
      const cut = (pass: number) => samples.shifted?.(rng('pass', pass).float()) ?? samples;
      let from = cut(Math.floor(first / rows));
      let at = first;
      const { prepare } = epochOf(rng('epoch', index), () => {
        const row = at % rows;
        if (row === 0) from = cut(at / rows);
        at++;
        return { from, indices: Array.from({ length: batchSize }, (_, lane) => lane * rows + row) };
      });
      return { prepare, startsOver: () => at % rows === 0 };
    },
  };
}

/** 0, 1, ... */
const indicesOf = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** At least one sample; the order is that of one shuffle for all, so shares are nested. */
function usedSamples(count: number, share: number, continued = false): number[] {
  const all = indicesOf(count);
  if (share >= 1) return all;
  const order = continued ? all : rng('share of the training samples', count).shuffle(all);
  return order.slice(0, Math.max(1, Math.round(share * count)));
}

/** `count` samples from number `first` on, of endless passes over the samples, each shuffled by its own stream. */
function partOfPasses(samples: readonly number[], first: number, count: number, streamOf: (pass: number) => Rng) {
  const { length } = samples;
  const order: number[] = [];
  for (let pass = Math.floor(first / length); order.length < count; pass++) {
    const from = Math.max(0, first - pass * length);
    order.push(
      ...streamOf(pass)
        .shuffle(samples)
        .slice(from, from + count - order.length),
    );
  }
  return order;
}

/** The arrays of these tensors, which are all float32. */
function floats(arrays: Arrays, specs: TensorSpecs): FloatArrays {
  return mapValues(specs, (_, name) => {
    const found = arrays[name];
    if (found instanceof Float32Array) return found;
    throw invalid('task', `encodes the target "${name}" as integers`, 'encoded targets must be float32');
  });
}

/** Arrays with their shapes, the batch first. */
export function feedsOf(arrays: Arrays, specs: TensorSpecs, count: number): Feeds {
  return mapValues(specs, ({ shape }, name) => tensorOf([count, ...shape], arrays[name] ?? new Float32Array()));
}

function tensorOf(shape: Shape, data: Float32Array | Int32Array): HostTensor | IntTensor {
  return data instanceof Float32Array ? { shape, data } : { shape, data };
}

/** One batch of samples that are all read once. */
interface OrderedBatch {
  readonly feeds: Feeds;
  /** Raw targets of the samples alone. */
  readonly truths: Arrays;
  readonly indices: readonly number[];
}

/** In which order samples are read; that of the data by default. */
export interface ReadingOrder {
  /** Each sample of a batch goes on where the one at its place in the batch before ended. */
  readonly continued?: boolean;
  /** Ascending lengths: samples are read from the shortest to the longest, and a batch is cut to the shortest of these that it fits. */
  readonly lengths?: readonly number[];
}

/**
 * Reads all samples, `batchSize` at a time. The arrays are used again SLOTS batches later; a batch that is not full is filled up with
 * zeros.
 */
export function orderedBatches(
  samples: Samples,
  spec: TaskSpec,
  batchSize: number,
  { continued = false, lengths = [] }: ReadingOrder = {},
): { readonly steps: number; read(step: number): Promise<OrderedBatch> } {
  const { inputs, targets } = spec;
  const specs = { ...inputs, ...targets };
  const slots = Array.from({ length: SLOTS }, () => allocate(specs, batchSize));
  const steps = Math.ceil(samples.count / batchSize);
  const [stride, next] = continued ? [steps, 1] : [1, batchSize];
  const lengthOf = lengths.length > 0 ? samples.lengthOf : undefined;
  const order = lengthOf && indicesOf(samples.count).sort((a, b) => lengthOf(a) - lengthOf(b));
  const lengthFor = (indices: readonly number[]) => {
    const longest = lengthOf?.(indices.at(-1) ?? 0);
    return longest === undefined ? undefined : lengths.find((length) => length >= longest);
  };
  return {
    steps,
    async read(step) {
      const slot = slots[step % SLOTS] as Arrays;
      const places = indicesOf(batchSize).map((i) => i * stride + step * next);
      const indices = places.filter((place) => place < samples.count).map((place) => order?.[place] ?? place);
      const length = lengthFor(indices);
      const count = indices.length;
      if (count < batchSize) for (const values of Object.values(slot)) values.fill(0);
      const filled = rowsOf(slot, specs, 0, count);
      await readSamples(samples, indices, filled);
      const truths = Object.fromEntries(Object.entries(filled).filter(([name]) => targets[name] !== undefined));
      const feeds = feedsOf(slot, inputs, batchSize);
      return { feeds: length === undefined ? feeds : cutFeeds(feeds, spec, length), truths, indices };
    },
  };
}

/** Runs of a program, one for each batch. */
interface Runs<Feeds, Result> {
  readonly count: number;
  /** May use the memory of what it gave SLOTS calls before. */
  prepare(index: number): Promise<Feeds>;
  run(feeds: Feeds): Promise<Result>;
  /** Gets the results, in order. */
  take(result: Result, index: number): void;
  /** Whether no further run is to be prepared; asked before each but the first. */
  isOver?(): boolean;
}

/**
 * Queues runs while earlier ones run or wait, so that the engine goes from one to the next without a gap;
 * batches are prepared meanwhile. Whatever throws, here or there, is thrown when nothing runs any more.
 */
export async function runAhead<F, R>({ count, prepare, run, take, isOver }: Runs<F, R>): Promise<void> {
  const asked: Promise<R>[] = [];
  let taken = 0;
  const takeNext = async () => {
    const [next] = asked;
    take(await (next as Promise<R>), taken++);
    asked.shift();
  };
  try {
    for (let index = 0; index < count && (index === 0 || !isOver?.()); index++) {
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
