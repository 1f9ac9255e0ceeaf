/** A table of the latencies of a space's blocks: the file that `netsmith profile` writes, and what it predicts. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { invalid, messageOf } from '../../common/errors.ts';
import { parseJson } from '../../common/json.ts';
import { ruleOf } from '../../common/rules.ts';
import { TARGET_NAMES } from '../../device/index.ts';
import { BLOCK_FEATURES } from '../../network/block-features.ts';
import { type Block, blocksOf } from '../../network/blocks.ts';
import type { Space, Task } from '../../space/space.ts';
import { checkArchitecture } from '../../space/tree/architecture.ts';
import type { Module } from '../../space/tree/module.ts';
import { resolve } from '../../space/tree/resolve.ts';
import type { LatencySettings } from '../../study/latency.ts';
import { fitBlocks } from './block-model.ts';
import { type BlockSums, fitNetworks } from './network-model.ts';

export const TABLE_FORMAT = 'netsmith latency table 1';

const positive = z.number().gt(0);
const count = z.int().min(0);
const optionValue = z.union([z.number(), z.boolean(), z.string()]);

/** ms of the fastest round, its interval, and all rounds. */
const timed = { ms: positive, interval: z.tuple([z.number(), z.number()]), rounds: z.array(positive).min(1) };

const tableSchema = z.strictObject({
  format: z.literal(TABLE_FORMAT),
  space: z.string(),
  spaceOptions: z.record(z.string(), optionValue),
  input: z.array(z.int().min(1)).min(1).max(3),
  outputs: z.int().min(1),
  target: z.enum(TARGET_NAMES),
  /** Runtime, device, threads, in words. */
  device: z.string(),
  threads: z.int().min(1),
  batch: z.int().min(1),
  seed: count,
  /** ms of a model that computes next to nothing: what calling one costs. */
  overhead: z.number().min(0),
  /** By `keyOf`: ms of a block that is timed alone. */
  blocks: z.record(
    z.string(),
    z.strictObject({ ...timed, features: z.array(z.number()).length(BLOCK_FEATURES.length) }),
  ),
  /** Networks that were measured as a whole: those by which the sums of blocks are corrected, and others by which the table is checked. */
  networks: z.array(
    z.strictObject({
      purpose: z.enum(['calibration', 'check']),
      architecture: z.record(z.string(), z.unknown()),
      ...timed,
      flops: z.number().min(0),
    }),
  ),
});

export type LatencyTable = z.infer<typeof tableSchema>;

/** Reads a table. Throws UserError for a file that is none. */
export function readTable(file: string, flag = '--latency-table'): LatencyTable {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(flag, `"${file}"`, messageOf(error));
  }
  const place = `${flag} "${file}"`;
  const parsed = tableSchema.safeParse(parseJson(text, place), { error: ruleOf });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue?.path.join('.') ?? '';
  throw invalid(
    place,
    at === '' ? 'its content' : at,
    `${issue?.message ?? 'is not valid'} (it must be a file of netsmith profile)`,
  );
}

/** Names a block in a table. */
export const keyOf = ({ key }: Pick<Block, 'key'>): string =>
  createHash('sha256').update(key).digest('hex').slice(0, 20);

/** What a table predicts. */
export interface LatencyPredictor {
  /** ms of a network, and how many of its blocks were measured. Throws UserError where it cannot be built. */
  predict(network: Module, task: Task): { readonly ms: number; readonly known: number; readonly blocks: number };
}

/** Networks whose latencies correct the sums of blocks, with their blocks. */
export interface Calibration {
  readonly network: Module;
  readonly task: Task;
  readonly measured: number;
}

/** Learns from a table what it takes to predict any network of its space. */
export function predictorOf(
  { blocks, overhead }: Pick<LatencyTable, 'blocks' | 'overhead'>,
  calibration: readonly Calibration[],
): LatencyPredictor {
  const timed = Object.values(blocks);
  const guess = fitBlocks(timed);
  const known = new Map<string, Block>();
  const times = new Map<string, number>();
  const timeOf = (block: Block): number => {
    const before = times.get(block.key);
    if (before !== undefined) return before;
    const ms = blocks[keyOf(block)]?.ms ?? guess(block.features);
    times.set(block.key, ms);
    return ms;
  };
  const sumsOf = (network: Module, task: Task): BlockSums & { readonly known: number } => {
    const all = blocksOf(network, task, known);
    return {
      ms: all.reduce((sum, block) => sum + Math.max(0, timeOf(block) - overhead), overhead),
      blocks: all.length,
      features: BLOCK_FEATURES.map((_, i) => all.reduce((sum, { features }) => sum + (features[i] ?? 0), 0)),
      known: all.filter((block) => blocks[keyOf(block)] !== undefined).length,
    };
  };
  const whole = fitNetworks(calibration.map(({ network, task, measured }) => ({ ...sumsOf(network, task), measured })));
  return {
    predict(network, task) {
      const sums = sumsOf(network, task);
      return { ms: whole(sums), known: sums.known, blocks: sums.blocks };
    },
  };
}

/** A table that a study looks latencies up in. */
export interface OpenTable extends LatencyPredictor {
  /** Where it was measured. */
  readonly description: string;
}

/** Opens the table of a study on this space. Throws UserError where it was measured of another space, or on another target. */
export function openTable(file: string, settings: LatencySettings, space: Space): OpenTable {
  const table = readTable(file);
  const place = `--latency-table "${file}"`;
  const differs = (what: string, found: unknown, wanted: unknown, flag: string) => {
    if (JSON.stringify(found) === JSON.stringify(wanted)) return;
    throw invalid(
      place,
      `its ${what} is ${JSON.stringify(found)}, that of the study ${JSON.stringify(wanted)}`,
      `both must be the same (${flag})`,
    );
  };
  differs('space', table.space, space.name, '--space');
  differs('input', table.input, space.task.input, 'netsmith profile --input');
  differs('number of outputs', table.outputs, space.task.outputs, 'netsmith profile --outputs');
  differs('space options', sorted(table.spaceOptions), sorted(space.options), '--space-options');
  differs('target', table.target, settings.target, '--device-target');
  differs('number of threads', table.threads, settings.threads, '--device-threads');
  differs('batch', table.batch, settings.batch, '--device-batch');
  return { ...predictorOf(table, measuredIn(table, space, 'calibration')), description: table.device };
}

/** The networks of a table that were measured as a whole. Throws UserError where one is no member of the space. */
export function measuredIn(
  { networks }: LatencyTable,
  space: Space,
  purpose: LatencyTable['networks'][number]['purpose'],
): readonly Calibration[] {
  return networks.flatMap(({ purpose: of, architecture, ms }) =>
    of === purpose
      ? [{ network: resolve(space, checkArchitecture(space, architecture)), task: space.task, measured: ms }]
      : [],
  );
}

const sorted = (options: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1)));
