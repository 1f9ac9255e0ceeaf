/** Measures a table of the latencies of a space's blocks, once, and says how well it predicts whole networks. */
import { existsSync } from 'node:fs';
import { kendall } from '../../common/correlation.ts';
import { invalid } from '../../common/errors.ts';
import { rng } from '../../common/random.ts';
import { showMilliseconds } from '../../device/measure.ts';
import { probeModel } from '../../device/probe.ts';
import { type Block, blocksOf } from '../../network/blocks.ts';
import { networkCosts } from '../../network/costs.ts';
import { untrainedPart } from '../../report/export/untrained.ts';
import type { Space } from '../../space/space.ts';
import { architectureKey, checkArchitecture } from '../../space/tree/architecture.ts';
import { resolve } from '../../space/tree/resolve.ts';
import { sample } from '../../space/tree/vary.ts';
import type { LatencySettings } from '../../study/latency.ts';
import { writeWhole } from '../../study/store/files.node.ts';
import { type LatencyMeter, latencyOfNetwork, openMeter } from './meter.ts';
import { keyOf, type LatencyTable, measuredIn, predictorOf, readTable, TABLE_FORMAT } from './table.ts';

export interface ProfileRequest {
  readonly space: Space;
  readonly settings: LatencySettings;
  /** The table's file; what it has already is not measured again. */
  readonly out: string;
  /** Blocks at most. Of a space with more, those of random networks, and the others are predicted from them. */
  readonly blocks: number;
  /** Networks that the sums of blocks are corrected by. */
  readonly calibrate: number;
  /** Other networks, which the table is checked by. */
  readonly check: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  onProgress?(done: number, all: number, what: string): void;
}

/** How well a table predicts networks that it was not calibrated by. */
export interface ProfileCheck {
  readonly networks: number;
  /** Kendall's tau of predicted and measured latencies, and of FLOPs and measured latencies. */
  readonly tau: number;
  readonly flopsTau: number;
  readonly medianError: number;
  /** Nine of ten networks have at most this error. */
  readonly error90: number;
  readonly fastest: number;
  readonly slowest: number;
  /** The share of their blocks that were measured, not predicted. */
  readonly known: number;
}

export interface Profile {
  readonly table: LatencyTable;
  /** Blocks of the space, as far as they were found, and whether these are all that random networks have. */
  readonly found: number;
  readonly complete: boolean;
  /** The median width of the intervals of blocks and networks, as a share of their latencies: how much else the device computed meanwhile. */
  readonly noise: number;
  readonly check?: ProfileCheck;
}

/** After this many random networks in a row without a new block, all blocks count as found. */
const NOTHING_NEW = 200;
/** Of a block: it is short, and there are many. */
const BLOCK_SECONDS = 0.04;
const BLOCK_ROUNDS = { least: 2, most: 6 };
/** Between two writings of the file, ms. */
const WRITING = 5000;

/**
 * Times each block that random networks of the space have, then whole networks: `calibrate` of them correct what the sum of blocks overestimates, and
 * `check` others say how well the table predicts. The file is written now and then, and when the signal aborts, whose reason is then thrown: the same
 * request continues. Throws UserError where the file is no table of this space on this target.
 */
export async function profileSpace(request: ProfileRequest): Promise<Profile> {
  const { space, settings, out, signal } = request;
  const meter = await openMeter(settings);
  try {
    const begun = beginning(request, meter);
    const before =
      begun.overhead > 0 ? begun : { ...begun, overhead: (await meter.ofModel(probeModel(), { signal })).ms };
    const blocks: LatencyTable['blocks'] = { ...before.blocks };
    const networks: LatencyTable['networks'] = [...before.networks];
    let written = performance.now();
    const write = (isLast: boolean) => {
      if (!isLast && performance.now() < written + WRITING) return;
      writeWhole(out, `${JSON.stringify({ ...before, blocks, networks }, null, 1)}\n`);
      written = performance.now();
    };
    try {
      const { found, complete } = collect(request);
      await timeBlocks(request, meter, found, blocks, write);
      await timeNetworks(request, meter, 'calibration', networks, write);
      await timeNetworks(request, meter, 'check', networks, write);
      signal.throwIfAborted();
      const table: LatencyTable = { ...before, blocks, networks };
      const check = request.check > 1 ? checked(table, space) : undefined;
      return { table, found: found.length, complete, noise: noiseOf(table), ...(check && { check }) };
    } finally {
      write(true);
    }
  } finally {
    await meter.close();
  }
}

/** What the file has already, or an empty table. Throws UserError where it is of something else. */
function beginning({ space, settings, out, seed }: ProfileRequest, { description }: LatencyMeter): LatencyTable {
  const { target, threads, batch } = settings;
  const empty: LatencyTable = {
    format: TABLE_FORMAT,
    ...{ space: space.name, spaceOptions: { ...space.options } },
    ...{ input: [...space.task.input], outputs: space.task.outputs },
    ...{ target, device: description, threads, batch, seed, overhead: 0, blocks: {}, networks: [] },
  };
  if (!existsSync(out)) return empty;
  const found = readTable(out, '--out');
  for (const name of [
    'space',
    'spaceOptions',
    'input',
    'outputs',
    'target',
    'device',
    'threads',
    'batch',
    'seed',
  ] as const) {
    const [is, should] = [found[name], empty[name]].map((value) => JSON.stringify(value));
    if (is !== should) throw invalid(`--out "${out}"`, `its ${name} is ${is}, not ${should}`, 'name another file');
  }
  return found;
}

/** The blocks of random networks. */
function collect({ space, blocks: most, seed }: ProfileRequest): {
  readonly found: readonly Block[];
  readonly complete: boolean;
} {
  const known = new Map<string, Block>();
  const found = new Map<string, Block>();
  for (let i = 0, last = 0; i - last < NOTHING_NEW; i++) {
    for (const block of blocksOf(resolve(space, sample(space, rng(seed, 'profile', i))), space.task, known)) {
      if (found.has(block.key)) continue;
      if (found.size >= most) return { found: [...found.values()], complete: false };
      found.set(block.key, block);
      last = i;
    }
  }
  return { found: [...found.values()], complete: true };
}

async function timeBlocks(
  { space, signal, onProgress }: ProfileRequest,
  meter: LatencyMeter,
  found: readonly Block[],
  blocks: LatencyTable['blocks'],
  write: (isLast: boolean) => void,
): Promise<void> {
  for (const [i, block] of found.entries()) {
    signal.throwIfAborted();
    const key = keyOf(block);
    if (blocks[key] === undefined) {
      const model = untrainedPart(block.part, space.task, block.input);
      const { ms, interval } = await meter.ofModel(model, { rounds: BLOCK_ROUNDS, seconds: BLOCK_SECONDS, signal });
      blocks[key] = { ms, interval: [...interval], features: [...block.features] };
      write(false);
    }
    onProgress?.(i + 1, found.length, 'blocks');
  }
}

/** Whole networks of a stream of their own, each another. */
async function timeNetworks(
  { space, seed, calibrate, check, signal, onProgress }: ProfileRequest,
  meter: LatencyMeter,
  purpose: 'calibration' | 'check',
  networks: LatencyTable['networks'],
  write: (isLast: boolean) => void,
): Promise<void> {
  const all = purpose === 'calibration' ? calibrate : check;
  const keys = new Set(networks.map(({ architecture }) => architectureKey(checkArchitecture(space, architecture))));
  let done = networks.filter((one) => one.purpose === purpose).length;
  // A space may have fewer.
  for (let i = 0; done < all && i < all * 20; i++) {
    signal.throwIfAborted();
    const architecture = sample(space, rng(seed, purpose, i));
    const key = architectureKey(architecture);
    if (keys.has(key)) continue;
    keys.add(key);
    const network = resolve(space, architecture);
    const { ms, interval } = await latencyOfNetwork(meter, network, space.task, { signal });
    const { flops } = networkCosts(network, space.task);
    networks.push({ purpose, architecture: { ...architecture }, measured: ms, interval: [...interval], flops });
    done++;
    write(false);
    onProgress?.(done, all, purpose === 'calibration' ? 'networks to calibrate by' : 'networks to check by');
  }
}

/** Predicts the networks that the table is checked by. */
function checked(table: LatencyTable, space: Space): ProfileCheck {
  const predictor = predictorOf(table, measuredIn(table, space, 'calibration'));
  const networks = measuredIn(table, space, 'check');
  const predicted = networks.map(({ network, task }) => predictor.predict(network, task));
  const measured = networks.map((one) => one.measured);
  const flops = table.networks.flatMap((one) => (one.purpose === 'check' ? [one.flops] : []));
  const errors = predicted.map(({ ms }, i) => Math.abs(ms / (measured[i] ?? Number.NaN) - 1)).toSorted((a, b) => a - b);
  const times = predicted.map(({ ms }) => ms);
  const sum = (name: 'known' | 'blocks') => predicted.reduce((total, one) => total + one[name], 0);
  return {
    networks: networks.length,
    tau: kendall(times, measured),
    flopsTau: kendall(flops, measured),
    medianError: at(errors, 0.5),
    error90: at(errors, 0.9),
    fastest: Math.min(...measured),
    slowest: Math.max(...measured),
    known: sum('known') / Math.max(1, sum('blocks')),
  };
}

function noiseOf({ blocks, networks }: LatencyTable): number {
  const all = [
    ...Object.values(blocks).map(({ ms, interval: [low, high] }) => (high - low) / ms),
    ...networks.map(({ measured, interval: [low, high] }) => (high - low) / measured),
  ];
  return at(
    all.toSorted((a, b) => a - b),
    0.5,
  );
}

/** Above this, a table says little. */
const NOISY = 0.1;

const at = (sorted: readonly number[], share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** The result in words. */
export function profileText(out: string, { table, found, complete, noise, check }: Profile): string {
  const count = Object.keys(table.blocks).length;
  const which = complete
    ? `all ${found} blocks of random networks`
    : `${count} blocks; those of other networks are predicted from them`;
  const isNoisy = noise > NOISY;
  const busy = `Noise    half of the intervals are wider than ${percent(noise)}: something else computed meanwhile; measure again without it`;
  const lines = [`Table    ${out}: ${which}`, `Device   ${table.device}`, ...(isNoisy ? [busy] : [])];
  if (check === undefined) return lines.join('\n');
  const { networks, tau, flopsTau, medianError, error90, fastest, slowest } = check;
  return [
    ...lines,
    `Check    ${networks} other networks of ${showMilliseconds(fastest)} to ${showMilliseconds(slowest)} ms:`,
    `         Kendall's tau ${tau.toFixed(3)} (FLOPs: ${flopsTau.toFixed(3)}), median error ${percent(medianError)}, nine of ten within ${percent(error90)}`,
  ].join('\n');
}
