/**
 * Fills the tables of docs/performance.md from bench/results/, and draws its figures: between `<!-- NAME -->` and `<!-- end -->` goes what the newest
 * results say, and which files these are.
 *
 *     npx node --conditions=netsmith-source bench/engine/document.ts
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseFlags } from '../support/flags.ts';
import type { Row } from './compare.ts';
import type { Profile } from './profile-operators.ts';
import type { Circumstances } from './results.ts';
import { type Axis, type AxisResult, scalingFigure } from './scaling-figure.ts';
import {
  comparisonTable,
  compileTable,
  operatorTable,
  type SessionPoint,
  scalingTable,
  sessionTable,
  type TurnPoint,
  turnTable,
  type WidthPoint,
  widthTable,
} from './tables.ts';
import { NAMES } from './workloads.ts';

parseFlags({});
const RESULTS = join(import.meta.dirname, '../results');
const PAGE = join(import.meta.dirname, '../../docs/performance.md');
/** Operators that take less of a step are left out. */
const SMALLEST_SHARE = 0.01;

type Result<T> = Circumstances & { readonly otherCores: number | null } & T;

/** All results of a kind, the newest first. */
function resultsOf<T>(kind: string): readonly Origin<T>[] {
  const files = readdirSync(RESULTS).filter((file) => new RegExp(`^${kind}-\\d.*\\.json$`, 'u').test(file));
  return files
    .sort()
    .reverse()
    .map((file) => ({ file, result: JSON.parse(readFileSync(join(RESULTS, file), 'utf8')) as Result<T> }));
}

interface Origin<T> {
  readonly file: string;
  readonly result: Result<T>;
}

/** Of several results, the parts that no newer one measured again, in their order, and where they come from. */
function collected<T, Part>(
  results: readonly Origin<T>[],
  partsOf: (result: T) => readonly Part[],
  keyOf: (part: Part) => string,
): { readonly parts: readonly Part[]; readonly origins: string } | undefined {
  const known = new Set<string>();
  const used = results.flatMap((from) => {
    const parts = partsOf(from.result).filter((part) => !known.has(keyOf(part)));
    for (const part of parts) known.add(keyOf(part));
    return parts.length === 0 ? [] : [{ from, parts }];
  });
  if (used.length === 0) return undefined;
  return { parts: used.flatMap(({ parts }) => parts), origins: used.map(({ from }) => origin(from)).join('\n\n') };
}

function origin({ file, result }: Origin<unknown>): string {
  const { date, cpu, threads, onnxruntime, commit, otherCores } = result;
  const others = otherCores === null ? '' : `Other processes kept ${otherCores.toFixed(2)} cores busy meanwhile.\n`;
  return (
    `${date.slice(0, 10)}, ${cpu}, ${threads} threads, onnxruntime-node ${onnxruntime}, commit ${commit}.\n` +
    `${others}[bench/results/${file}](../bench/results/${file})`
  );
}

interface Engine {
  readonly rows: readonly Row[];
  readonly profiles: readonly Profile[];
}

const engines = resultsOf<Engine>('engine');

/** A comparison is of one run, row by row; a table's rows may be of several. */
function rows(text: (rows: readonly Row[]) => string, holds: (row: Row) => boolean): string | undefined {
  const found = collected(
    engines,
    (result) => result.rows.filter(holds),
    ({ name, network, batch, layout, peer }) => `${name} ${network} ${batch} ${layout} ${peer}`,
  );
  const order = (a: Row, b: Row) => NAMES.indexOf(a.name) - NAMES.indexOf(b.name) || a.batch - b.batch;
  return found && `${found.origins}\n\n${text(found.parts.toSorted(order))}`;
}

function operators(): string | undefined {
  const found = collected(
    engines,
    ({ profiles }) => profiles,
    ({ name, network, batch, layout }) => `${name} ${network} ${batch} ${layout}`,
  );
  const tables = found?.parts.map(({ name, network, batch, layout, operators: all }) => {
    const large = all.filter(({ share }) => share >= SMALLEST_SHARE);
    return `**${name}**, ${network}, batch ${batch}, ${layout}\n\n${operatorTable(large)}`;
  });
  return found && `${found.origins}\n\n${tables?.join('\n\n')}`;
}

function scaling(network: string): string | undefined {
  const found = collected(
    resultsOf<{ readonly axes: readonly AxisResult[] }>(`scaling-${network}`),
    ({ axes }) => axes,
    ({ axis }) => axis,
  );
  if (found === undefined) return undefined;
  const axes = found.parts.toSorted((a, b) => AXES.indexOf(a.axis) - AXES.indexOf(b.axis));
  writeFileSync(join(PAGE, `../scaling-${network}.svg`), scalingFigure(axes));
  return `${found.origins}\n\n![](scaling-${network}.svg)\n\n${scalingTable(axes)}`;
}
const AXES: readonly Axis[] = ['batch', 'cells', 'channels'];

function sessions(): string | undefined {
  const [found] = resultsOf<{ readonly points: readonly SessionPoint[] }>('sessions');
  return found && `${origin(found)}\n\n${sessionTable(found.result.points)}`;
}

function widths(): string | undefined {
  const [found] = resultsOf<{ readonly points: readonly WidthPoint[]; readonly block: number }>('widths');
  return found && `${origin(found)}\n\n${widthTable(found.result.points, found.result.block)}`;
}

function turns(): string | undefined {
  const found = collected(
    resultsOf<{ readonly points: readonly TurnPoint[] }>('turns'),
    ({ points }) => points,
    ({ network }) => network,
  );
  return (
    found && `${found.origins}\n\n${turnTable(found.parts.toSorted((a, b) => a.network.localeCompare(b.network)))}`
  );
}

/** By name. */
const BLOCKS: Readonly<Record<string, () => string | undefined>> = {
  comparison: () => rows(comparisonTable, ({ peer }) => peer !== null),
  compiling: () => rows(compileTable, ({ peer }) => peer !== null),
  sessions,
  operators,
  widths,
  turns,
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
