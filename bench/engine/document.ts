/**
 * Fills the tables of docs/performance.md from bench/results/: between `<!-- NAME -->` and `<!-- end -->` goes what the newest
 * results of that name say, and which file that is.
 *
 *     npx node --conditions=netsmith-source bench/engine/document.ts
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from './compare.ts';
import type { Profile } from './profile-operators.ts';
import type { Circumstances } from './results.ts';
import type { AxisResult } from './scaling-figure.ts';
import {
  comparisonTable,
  compileTable,
  operatorTable,
  type SessionPoint,
  scalingTable,
  sessionTable,
} from './tables.ts';

const RESULTS = join(import.meta.dirname, '../results');
const PAGE = join(import.meta.dirname, '../../docs/performance.md');
/** Operators that take less of a step are left out. */
const SMALLEST_SHARE = 0.01;

type Result<T> = Circumstances & { readonly otherCores: number | null } & T;

/** The newest results of a kind that hold what is wanted; undefined where there are none. */
function newest<T>(
  kind: string,
  holds: (result: Result<T>) => boolean,
): { file: string; result: Result<T> } | undefined {
  const files = readdirSync(RESULTS).filter((file) => new RegExp(`^${kind}-\\d.*\\.json$`, 'u').test(file));
  for (const file of files.sort().reverse()) {
    const result = JSON.parse(readFileSync(join(RESULTS, file), 'utf8')) as Result<T>;
    if (holds(result)) return { file, result };
  }
  return undefined;
}

function origin({ file, result }: { readonly file: string; readonly result: Result<unknown> }): string {
  const { date, cpu, threads, onnxruntime, commit, otherCores } = result;
  const others = otherCores === null ? '' : ` Other processes kept ${otherCores.toFixed(2)} cores busy meanwhile.`;
  return (
    `${date.slice(0, 10)}, ${cpu}, ${threads} threads, onnxruntime-node ${onnxruntime}, commit ${commit}.${others} ` +
    `[bench/results/${file}](../bench/results/${file})`
  );
}

interface Engine {
  readonly rows: readonly Row[];
  readonly profiles: readonly Profile[];
}

function engineBlock(text: (result: Engine) => string, holds: (result: Engine) => boolean): string | undefined {
  const found = newest<Engine>('engine', holds);
  return found && `${origin(found)}\n\n${text(found.result)}`;
}

function operators({ profiles }: Engine): string {
  return profiles
    .map(({ name, network, batch, layout, operators: all }) => {
      const large = all.filter(({ share }) => share >= SMALLEST_SHARE);
      return `**${name}**, ${network}, batch ${batch}, ${layout}\n\n${operatorTable(large)}`;
    })
    .join('\n\n');
}

function scaling(network: string): string | undefined {
  const found = newest<{ readonly axes: readonly AxisResult[] }>(`scaling-${network}`, ({ axes }) => axes.length > 0);
  return found && `${origin(found)}\n\n![](scaling-${network}.svg)\n\n${scalingTable(found.result.axes)}`;
}

function sessions(): string | undefined {
  const found = newest<{ readonly points: readonly SessionPoint[] }>('sessions', () => true);
  return found && `${origin(found)}\n\n${sessionTable(found.result.points)}`;
}

/** By name. */
const BLOCKS: Readonly<Record<string, () => string | undefined>> = {
  comparison: () =>
    engineBlock(
      ({ rows }) => comparisonTable(rows),
      ({ rows }) => rows.some(({ peer }) => peer !== null),
    ),
  compiling: () =>
    engineBlock(
      ({ rows }) => compileTable(rows),
      ({ rows }) => rows.length > 0,
    ),
  sessions,
  operators: () => engineBlock(operators, ({ profiles }) => profiles.length > 0),
  'scaling-darts-supernet': () => scaling('darts-supernet'),
  'scaling-darts-v2': () => scaling('darts-v2'),
};

const page = readFileSync(PAGE, 'utf8');
const filled = page.replaceAll(/<!-- ([\w-]+) -->\n[\s\S]*?<!-- end -->/gu, (_, name: string) => {
  const block = BLOCKS[name];
  if (block === undefined) throw new Error(`docs/performance.md asks for "${name}", which there is not`);
  return `<!-- ${name} -->\n${block() ?? 'Not measured yet.'}\n<!-- end -->`;
});
writeFileSync(PAGE, filled);
