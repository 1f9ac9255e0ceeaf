/** Measures a table of the latencies of a space's blocks, once, and says how well it predicts whole networks. */
import { existsSync } from 'node:fs';
import { invalid } from '../../common/errors.ts';
import { rng } from '../../common/random.ts';
import type { Latency } from '../../device/latency.ts';
import { AGREEING } from '../../device/measure.ts';
import { probeModel } from '../../device/probe.ts';
import { type Block, blocksOf } from '../../network/blocks.ts';
import { networkCosts } from '../../network/costs.ts';
import { untrainedPart } from '../../report/export/untrained.ts';
import type { Architecture, Space } from '../../space/space.ts';
import { architectureKey, checkArchitecture } from '../../space/tree/architecture.ts';
import { resolve } from '../../space/tree/resolve.ts';
import { sample } from '../../space/tree/vary.ts';
import type { LatencySettings } from '../../study/latency.ts';
import { writeWhole } from '../../study/store/files.node.ts';
import { type LatencyMeter, latencyOfNetwork, openMeter } from './meter.ts';
import { checkTable, noiseOf, type Profile } from './profile-result.ts';
import { keyOf, type LatencyTable, readTable, TABLE_FORMAT } from './table.ts';

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

/** After this many random networks in a row without a new block, all blocks count as found. */
const NOTHING_NEW = 200;
/** Of a round of a block: it is short, and there are many. */
const BLOCK_SECONDS = 0.04;
/**
 * Each pass over the blocks and networks gives a round to those whose two fastest rounds do not agree yet. What disturbs the device for minutes
 * disturbs one round of each, not all of some. A command of the user's own has one pass: its device does nothing else.
 */
const PASSES = { least: 2, most: 6 };
const ONE_PASS = { least: 1, most: 1 };
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
    const networks = drawNetworks(request, before.networks);
    const tableNow = (): LatencyTable => ({ ...before, blocks, networks: networks.flatMap(measuredOnly) });
    let written = performance.now();
    const write = (isLast: boolean) => {
      if (!isLast && performance.now() < written + WRITING) return;
      writeWhole(out, `${JSON.stringify(tableNow(), null, 1)}\n`);
      written = performance.now();
    };
    try {
      const { found, complete } = collect(request);
      const passes = settings.target === 'command' ? ONE_PASS : PASSES;
      for (let pass = 1; pass <= passes.most; pass++) {
        const isOpen = (timed: Timed | undefined) => needsRound(timed, pass, passes.least);
        await timeBlocks(request, meter, { found, blocks, isOpen, pass, write });
        await timeNetworks(request, meter, { networks, isOpen, pass, write });
      }
      signal.throwIfAborted();
      const table = tableNow();
      const check = request.check > 1 ? checkTable(table, space) : undefined;
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

/** What rounds of a block or a network have given. */
type Timed = Pick<LatencyTable['blocks'][string], 'ms' | 'interval' | 'rounds'>;

/** A network to be measured as a whole. */
interface DrawnNetwork {
  readonly purpose: LatencyTable['networks'][number]['purpose'];
  readonly architecture: Architecture;
  readonly flops: number;
  timed?: Timed;
}

/** Those of the table, and more from a random stream for each purpose, each another; a space may have fewer than are asked for. */
function drawNetworks(
  { space, seed, calibrate, check }: ProfileRequest,
  measured: LatencyTable['networks'],
): readonly DrawnNetwork[] {
  const networks = measured.map(({ purpose, architecture, flops, ms, interval, rounds }): DrawnNetwork => {
    const timed = { ms, interval, rounds };
    return { purpose, architecture: checkArchitecture(space, architecture), flops, timed };
  });
  const keys = new Set(networks.map(({ architecture }) => architectureKey(architecture)));
  for (const [purpose, all] of [
    ['calibration', calibrate],
    ['check', check],
  ] as const) {
    let count = networks.filter((one) => one.purpose === purpose).length;
    for (let i = 0; count < all && i < all * 20; i++) {
      const architecture = sample(space, rng(seed, purpose, i));
      const key = architectureKey(architecture);
      if (keys.has(key)) continue;
      keys.add(key);
      networks.push({ purpose, architecture, flops: networkCosts(resolve(space, architecture), space.task).flops });
      count++;
    }
  }
  return networks;
}

function measuredOnly({ purpose, architecture, flops, timed }: DrawnNetwork): LatencyTable['networks'] {
  return timed === undefined ? [] : [{ purpose, architecture: { ...architecture }, flops, ...timed }];
}

/** The fastest round counts: whatever else a device computes makes a run slower and never faster. */
function withRound(before: Timed | undefined, { ms, interval }: Latency): Timed {
  const rounds = [...(before?.rounds ?? []), ms];
  if (before !== undefined && before.ms <= ms) return { ms: before.ms, interval: before.interval, rounds };
  return { ms, interval: [...interval], rounds };
}

/** Whether the pass of this number, from 1, is to give it a round. */
function needsRound(timed: Timed | undefined, pass: number, least: number): boolean {
  const rounds = timed?.rounds ?? [];
  if (rounds.length >= pass) return false;
  const [first, second] = rounds.toSorted((a, b) => a - b);
  return rounds.length < least || first === undefined || second === undefined || second > (1 + AGREEING) * first;
}

interface Pass {
  isOpen(timed: Timed | undefined): boolean;
  readonly pass: number;
  write(isLast: boolean): void;
}

const ONE_ROUND = { rounds: { least: 1, most: 1 } };

async function timeBlocks(
  { space, signal, onProgress }: ProfileRequest,
  meter: LatencyMeter,
  {
    found,
    blocks,
    isOpen,
    pass,
    write,
  }: Pass & { readonly found: readonly Block[]; readonly blocks: LatencyTable['blocks'] },
): Promise<void> {
  const open = found.filter((block) => isOpen(blocks[keyOf(block)]));
  for (const [i, block] of open.entries()) {
    signal.throwIfAborted();
    const key = keyOf(block);
    const model = untrainedPart(block.part, space.task, block.input);
    const latency = await meter.ofModel(model, { ...ONE_ROUND, seconds: BLOCK_SECONDS, signal });
    blocks[key] = { ...withRound(blocks[key], latency), features: [...block.features] };
    write(false);
    onProgress?.(i + 1, open.length, `blocks in round ${pass}`);
  }
}

async function timeNetworks(
  { space, signal, onProgress }: ProfileRequest,
  meter: LatencyMeter,
  { networks, isOpen, pass, write }: Pass & { readonly networks: readonly DrawnNetwork[] },
): Promise<void> {
  const open = networks.filter(({ timed }) => isOpen(timed));
  for (const [i, one] of open.entries()) {
    signal.throwIfAborted();
    const network = resolve(space, one.architecture);
    one.timed = withRound(one.timed, await latencyOfNetwork(meter, network, space.task, { ...ONE_ROUND, signal }));
    write(false);
    onProgress?.(i + 1, open.length, `networks in round ${pass}`);
  }
}
