/**
 * Batches of texts of similar lengths. A text is filled up to the length of its batch, and most texts are far shorter than the longest: a program
 * for each of a few lengths spends less time on the filling. Lengths are few, since each is compiled by itself (bucketing, as in Khomenko et al. 2016,
 * arXiv:1708.05604). Networks give a text the same output in a batch of any length (network/padding.ts).
 */
import type { Samples } from '../data/dataset.ts';
import type { Feeds } from '../engine/engine.ts';
import { isPadded, mapValues, type TaskSpec, type TensorSpecs } from '../task/spec.ts';

/** Lengths are multiples of it, but for the longest. */
const MULTIPLE = 8;
/** More are compiled for longer than they save. */
const MOST_LENGTHS = 3;
/** A further length must leave at most this share of the positions. */
const WORTH = 0.9;

/** What samples are cut to. */
export interface Lengths {
  /** Ascending; the last is that of the data. [] where samples do not say how long they are. */
  readonly lengths: readonly number[];
  /** Over all samples. */
  readonly meanLength: number;
}

/** Each length but the last is the multiple of 8 that leaves the fewest positions, as long as it saves a tenth of them. */
export function lengthsFor(samples: Samples, used: readonly number[], spec: TaskSpec): Lengths {
  const longest = paddedLength(spec);
  const { lengthOf } = samples;
  if (longest === undefined || lengthOf === undefined) return { lengths: [], meanLength: longest ?? 0 };
  const counts = new Map<number, number>();
  for (const index of used) {
    const rounded = Math.min(longest, Math.max(MULTIPLE, MULTIPLE * Math.ceil(lengthOf(index) / MULTIPLE)));
    counts.set(rounded, (counts.get(rounded) ?? 0) + 1);
  }
  const meanOf = (lengths: readonly number[]) => {
    const cut = (own: number) => lengths.find((length) => length >= own) ?? longest;
    return [...counts].reduce((sum, [own, count]) => sum + count * cut(own), 0) / used.length;
  };
  let best = { lengths: [longest], meanLength: longest };
  while (best.lengths.length < MOST_LENGTHS) {
    const [further] = [...counts.keys()]
      .filter((length) => !best.lengths.includes(length))
      .map((length) => [...best.lengths, length].sort((a, b) => a - b))
      .map((lengths) => ({ lengths, meanLength: meanOf(lengths) }))
      .sort((a, b) => a.meanLength - b.meanLength);
    if (further === undefined || further.meanLength > WORTH * best.meanLength) break;
    best = further;
  }
  return best;
}

/** The number of tokens that samples are filled up to; undefined for tasks without padded inputs. */
function paddedLength(spec: TaskSpec): number | undefined {
  return isPadded(spec) ? Object.values(spec.inputs).find(({ padded }) => padded)?.shape[0] : undefined;
}

/** The inputs of samples that are cut to this length. */
export function cutSpecs(specs: TensorSpecs, length: number | undefined): TensorSpecs {
  if (length === undefined) return specs;
  return mapValues(specs, (spec) => (spec.padded ? { ...spec, shape: [length, ...spec.shape.slice(1)] } : spec));
}

/** Samples of one batch. */
export interface LengthBatch {
  readonly length: number;
  readonly indices: readonly number[];
}

/**
 * Batches of samples in random order. Each is cut to the shortest length that all of its samples fit. Where the samples of a length fill
 * no whole number of batches, the rest goes to the next longer one. The lengths take turns: any part of an epoch has about the same share of
 * each.
 */
export function batchesByLength(
  order: readonly number[],
  lengthOf: (index: number) => number,
  lengths: readonly number[],
  batchSize: number,
): readonly LengthBatch[] {
  const longest = lengths.at(-1) ?? 0;
  let left: readonly number[] = [];
  const placed = lengths.flatMap((length, i) => {
    const above = lengths[i - 1] ?? -1;
    const own = order.filter((index) => lengthOf(index) > above && (lengthOf(index) <= length || length === longest));
    const all = [...left, ...own];
    const count = Math.floor(all.length / batchSize);
    left = all.slice(count * batchSize);
    return Array.from({ length: count }, (_, k) => ({
      place: (k + 0.5) / count,
      batch: { length, indices: all.slice(k * batchSize, (k + 1) * batchSize) },
    }));
  });
  return placed.sort((a, b) => a.place - b.place).map(({ batch }) => batch);
}

/** What a step is fed, [rows, ...], with its padded inputs cut to a length. This changes the arrays: their rows move together. */
export function cutFeeds(feeds: Feeds, { inputs }: TaskSpec, length: number): Feeds {
  return mapValues(feeds, (fed, name) => {
    const [rows = 0, whole = 0] = fed.shape;
    const { data } = fed;
    if (!inputs[name]?.padded || whole <= length || !(data instanceof Int32Array)) return fed;
    for (let row = 1; row < rows; row++) data.copyWithin(row * length, row * whole, row * whole + length);
    return { shape: [rows, length], data: data.subarray(0, rows * length) };
  });
}

/** The number of tokens in each sample of a step; undefined for tasks without padded inputs. */
export function lengthIn(feeds: Feeds, { inputs }: TaskSpec): number | undefined {
  const [name = ''] = Object.entries(inputs).find(([, { padded }]) => padded) ?? [];
  return feeds[name]?.shape[1];
}
