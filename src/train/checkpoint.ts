import type { Metrics } from '../common/metrics.ts';
import type { Spent } from '../common/spent.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import type { Architecture } from '../space/space.ts';
import { averaged } from './weight-average.ts';

/** The results of one epoch of training. */
export interface EpochRecord {
  /** Counted from 1. */
  readonly epoch: number;
  /** Mean training loss over the epoch's steps: of the network as it was at each step, augmentation included. */
  readonly loss: number;
  /** On the validation samples after the epoch; empty when there are none. */
  readonly valid: Metrics;
  /** Seconds that the epoch took, evaluation included; the first also compiling. */
  readonly seconds: number;
  /** What these seconds went to; older checkpoints do not say. */
  readonly spent?: Spent;
  /** Of a training with a time limit: how much of it is done after the epoch, from 0 to 1. */
  readonly progress?: number;
  /** For a mixture supernet: its mixture weights and architecture after the epoch. */
  readonly mixture?: Mixture;
  /** For a supernet: the signs of known failures after the epoch. */
  readonly guards?: Guards;
}

/** The architecture parameters of a mixture supernet, as a reader wants them. */
export type Mixture = {
  /** Mixture weights by decision: the share of each option, in the order of the options; each row sums to 1. */
  readonly weights: Readonly<Record<string, readonly number[]>>;
  /** Of a supernet whose nodes weigh the edges that come in: the share of each, by the decision that picks them (`NODE<-`). */
  readonly edges?: Readonly<Record<string, readonly number[]>>;
  /** Of a search in stages: the one of this epoch, from 1. Options that earlier stages dropped have the weight 0. */
  readonly stage?: number;
  /** Where costs count in the search: what an architecture costs on average whose options are drawn by their shares. */
  readonly costs?: Readonly<Record<string, number>>;
  /** The architecture that would be derived now. */
  readonly genotype: Architecture;
};

/** The signs by which known failures of one-shot search are seen, after an epoch; plain JSON. Those of a genotype where there is one. */
export type Guards = Partial<GenotypeSigns> & {
  /**
   * A metric of the mixture, and of the genotype's network with the same weights, on the same validation samples; batch norm has the
   * statistics of each batch.
   */
  readonly gap?: {
    readonly metric: string;
    readonly mixture: number;
    readonly genotype: number;
    readonly samples: number;
  };
  /** The eigenvalue of largest magnitude of the Hessian of the architecture's loss in the architecture's parameters, on one batch. */
  readonly eigenvalue?: number;
  /** The effective rank of the features that the classifier reads, on one batch, and the largest that is possible there (`of`). */
  readonly effectiveRank?: { readonly value: number; readonly of: number };
  /**
   * How far a training step on one path moves the loss of another one, on one batch: the mean over `pairs` pairs of paths of the relative
   * change (above 0: steps harm other paths), and of its magnitude.
   */
  readonly interference?: { readonly pairs: number; readonly change: number; readonly magnitude: number };
};

/** What the genotype and the mixture weights tell. */
export type GenotypeSigns = {
  /** The share of the genotype's operations that have no weights: skip connections, pooling, none. From 0 to 1. */
  readonly parameterFree: number;
  /** How many of the genotype's operations are of each kind; depthwise: with a convolution in groups, other: with other weights. */
  readonly operations: Readonly<Record<'none' | 'skip' | 'pool' | 'depthwise' | 'other', number>>;
  /** The operation that most edges have, on how many of how many. */
  readonly most: { readonly operation: string; readonly edges: number; readonly of: number };
  /** The mixtures' mean entropy: 1 where all options weigh the same, 0 where one has all the weight. */
  readonly entropy: number;
  /** The mean weight of skip connections in the mixtures that have one, times the number of options: 1 at first. */
  readonly skipWeight?: number;
  /** The genotype was drawn from the mixture weights, as a controller does; otherwise it has the options that weigh most. */
  readonly isSampled?: true;
  /** The cells of the genotype, in the order of the space. */
  readonly cells: readonly CellShape[];
};

/** The wiring of one cell of a genotype. */
export type CellShape = {
  /** Edges whose operation puts out something. */
  readonly edges: number;
  /** Edges that the genotype may have. */
  readonly of: number;
  /** Skip connections among the edges. */
  readonly skips: number;
  /** The longest way through the cell from an input, in edges. */
  readonly depth: number;
  /** Nodes that read an input of the cell. */
  readonly width: number;
  /** shallow: no node reads another; over-connected: no edge is left out that may be. */
  readonly shape?: 'shallow' | 'over-connected';
};

/** Everything needed to continue after an epoch without a difference. */
export interface Checkpoint {
  /** One for each epoch done. */
  readonly history: readonly EpochRecord[];
  /** Optimizer updates done in all (Adam's corrections count them). */
  readonly steps: number;
  /** Parameters, statistics, optimizer state and averages of the weights by name. */
  readonly tensors: Readonly<Record<string, HostTensor>>;
  /** Of a training that keeps its best epoch, unless that is the last one: its number, and parameters and statistics by path. */
  readonly best?: { readonly epoch: number; readonly weights: Readonly<Record<string, HostTensor>> };
}

/** The weights that a training hands on: those of its best epoch, if it keeps them. Those of the last epoch lie among the optimizer's tensors. */
export const handedOn = ({ best, tensors }: Checkpoint): Readonly<Record<string, HostTensor>> =>
  best?.weights ?? averaged(tensors);

/** "NSCK" and the version of the form. */
const MAGIC = [0x4e, 0x53, 0x43, 0x4b];
const VERSION = 1;
const PRELUDE = 12;

type Listed = readonly (readonly [name: string, shape: readonly number[]])[];

interface Header {
  readonly history: readonly EpochRecord[];
  readonly steps: number;
  /** Name, shape; the data follow one another in this order, those of `best` at the end. */
  readonly tensors: Listed;
  readonly best?: { readonly epoch: number; readonly tensors: Listed };
}

/**
 * The file form: "NSCK", version and header length (32-bit, little-endian), a JSON header padded with spaces to a
 * multiple of 4 bytes, then the tensors' float32 values, little-endian, in the header's order. Equal checkpoints give
 * equal bytes whatever the order of their tensors' names.
 */
export function encodeCheckpoint({ history, steps, tensors, best }: Checkpoint): Uint8Array {
  const [last, kept] = [sorted(tensors), sorted(best?.weights ?? {})];
  const entries = [...last, ...kept];
  const header: Header = {
    history,
    steps,
    tensors: listed(last),
    ...(best && { best: { epoch: best.epoch, tensors: listed(kept) } }),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(text.length / 4) * 4;
  const length = entries.reduce((sum, [, { data }]) => sum + 4 * data.length, PRELUDE + headerLength);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, headerLength, true);
  bytes.fill(0x20, PRELUDE, PRELUDE + headerLength);
  bytes.set(text, PRELUDE);
  let at = PRELUDE + headerLength;
  for (const [name, { shape, data }] of entries) {
    if (sizeOf(shape) !== data.length) throw new Error(`tensor "${name}": ${data.length} values for shape [${shape}]`);
    for (let i = 0; i < data.length; i++, at += 4) view.setFloat32(at, data[i] ?? Number.NaN, true);
  }
  return bytes;
}

const sorted = (tensors: Readonly<Record<string, HostTensor>>) =>
  Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1));
const listed = (entries: ReturnType<typeof sorted>): Listed => entries.map(([name, { shape }]) => [name, shape]);

/** Reads what `encodeCheckpoint` wrote. Throws Error for anything else: foreign, newer, truncated, or too long. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < PRELUDE || MAGIC.some((byte, i) => bytes[i] !== byte)) throw broken('it does not begin as one');
  const version = view.getUint32(4, true);
  if (version !== VERSION) throw broken(`its version is ${version}; this program reads version ${VERSION}`);
  const dataFrom = PRELUDE + view.getUint32(8, true);
  if (dataFrom > bytes.length) throw broken(`its header ends at byte ${dataFrom}, the file at byte ${bytes.length}`);
  const { history, steps, tensors, best } = readHeader(bytes.subarray(PRELUDE, dataFrom));
  const expected = [...tensors, ...(best?.tensors ?? [])].reduce((sum, [, shape]) => sum + 4 * sizeOf(shape), dataFrom);
  if (expected !== bytes.length) throw broken(`its tensors end at byte ${expected}, the file at byte ${bytes.length}`);
  let at = dataFrom;
  const read = ([name, shape]: Listed[number]): [string, HostTensor] => {
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++, at += 4) data[i] = view.getFloat32(at, true);
    return [name, { shape, data }];
  };
  const last = Object.fromEntries(tensors.map(read));
  return {
    history,
    steps,
    tensors: last,
    ...(best && { best: { epoch: best.epoch, weights: Object.fromEntries(best.tensors.map(read)) } }),
  };
}

function readHeader(bytes: Uint8Array): Header {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw broken('its header is not JSON');
  }
  if (!isHeader(value)) throw broken('its header lacks the history, the steps or the tensors');
  return value;
}

function isHeader(value: unknown): value is Header {
  if (!isObject(value)) return false;
  const { history, steps, tensors, best } = value;
  return (
    isCount(steps) &&
    Array.isArray(history) &&
    history.every((entry, i) => isEpochRecord(entry) && entry.epoch === i + 1) &&
    isListed(tensors) &&
    (best === undefined || (isObject(best) && isCount(best.epoch) && isListed(best.tensors)))
  );
}

function isListed(value: unknown): value is Listed {
  return (
    Array.isArray(value) &&
    value.every(
      (entry) =>
        Array.isArray(entry) &&
        entry.length === 2 &&
        typeof entry[0] === 'string' &&
        Array.isArray(entry[1]) &&
        entry[1].every(isCount),
    )
  );
}

function isEpochRecord(value: unknown): value is EpochRecord {
  if (!isObject(value) || !isObject(value.valid)) return false;
  const numbers = [value.epoch, value.loss, value.seconds, ...Object.values(value.valid)];
  return (
    numbers.every(Number.isFinite) &&
    (value.mixture === undefined || isMixture(value.mixture)) &&
    (value.guards === undefined || isObject(value.guards))
  );
}

function isMixture(value: unknown): value is Mixture {
  if (!isObject(value) || !isObject(value.weights) || !isObject(value.genotype)) return false;
  return Object.values(value.weights).every((row) => Array.isArray(row) && row.every(Number.isFinite));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function broken(reason: string): Error {
  return new Error(`not a readable checkpoint: ${reason}`);
}
