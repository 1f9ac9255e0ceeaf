/**
 * How the cost of a training step grows with the batch, the cells and the channels, one at a time. Each point is measured in
 * processes of its own, all points once in each round. Saves the points in bench/results/; `document.ts` draws them.
 *
 *     npx node --conditions=netsmith-source bench/engine/scaling.ts [--network darts-supernet|darts-v2]
 *       [--layout auto|portable] [--rounds 2] [--threads 2] [--only batch|cells|channels]
 *
 * A point that would not fit into memory, judged by the ones before it, is left out and said so.
 */
import { freemem } from 'node:os';
import { parseFlags } from '../support/flags.ts';
import { watchOthers } from './contention.ts';
import { fitLine, type Line } from './line.ts';
import type { Measurement } from './order.ts';
import { ask } from './processes.ts';
import { circumstances, saveResult } from './results.ts';
import type { Axis, AxisResult } from './scaling-figure.ts';
import { median } from './statistics.ts';

/** Held fixed where another grows, and the values of each; channels at a smaller batch, since cost grows with their square. */
const AXES: Readonly<Record<Axis, { readonly values: readonly number[]; readonly batch: number }>> = {
  batch: { values: [16, 32, 64, 128, 256], batch: 64 },
  cells: { values: [2, 5, 8, 14, 20], batch: 32 },
  channels: { values: [16, 32, 48, 64], batch: 16 },
};
const FIXED = { cells: 8, channels: 16 };
const ACTIONS = { 'darts-supernet': 'darts-supernet-weight-step', 'darts-v2': 'darts-v2-step' } as const;
const RUNS = 3;

const flags = parseFlags({
  network: { type: 'string', default: 'darts-supernet' },
  layout: { type: 'string', default: 'auto' },
  rounds: { type: 'string', default: '2' },
  threads: { type: 'string', default: '2' },
  only: { type: 'string', multiple: true, default: Object.keys(AXES) },
});
const network = oneOf('network', flags.network, ['darts-supernet', 'darts-v2']);
const layout = oneOf('layout', flags.layout, ['auto', 'portable']);
const [rounds, threads] = [Number(flags.rounds), Number(flags.threads)];
const say = (line: string) => process.stderr.write(`${line}\n`);

function oneOf<const T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw new Error(`--${name} ${value}: it must be one of ${known.join(', ')}`);
  return found;
}

interface Measured {
  readonly axis: Axis;
  readonly x: number;
  readonly seconds: number[];
  readonly peakMiB: number[];
  /** Why it is left out from here on. */
  reason?: string;
}

const axes = (Object.keys(AXES) as Axis[]).filter((axis) => flags.only.includes(axis));
const points: Measured[] = axes.flatMap((axis) =>
  AXES[axis].values.map((x): Measured => ({ axis, x, seconds: [], peakMiB: [] })),
);
const when = circumstances(threads);
const others = watchOthers();
for (let round = 1; round <= rounds; round++) for (const point of points) measure(point, round);
const otherCores = others() ?? null;

function measure(point: Measured, round: number): void {
  const { axis, x } = point;
  const needed = neededMiB(point);
  if (needed > freemem() / 2 ** 20) point.reason = `it would take ${Math.round(needed)} MiB`;
  if (point.reason !== undefined) {
    say(`round ${round}: ${axis} ${x} left out: ${point.reason}`);
    return;
  }
  const size = { ...FIXED, ...(axis === 'batch' ? {} : { [axis]: x }) };
  try {
    const { actions } = ask<Measurement>('child', {
      ...{ kind: 'work', network, size, task: 'train', layout, threads, runs: RUNS },
      batch: axis === 'batch' ? x : AXES[axis].batch,
      actions: [ACTIONS[network]],
    });
    const found = actions[ACTIONS[network]];
    if (found === undefined) throw new Error('nothing was measured');
    point.seconds.push(found.seconds);
    point.peakMiB.push(found.peakMiB);
    say(`round ${round}: ${axis} ${x}: ${found.seconds.toFixed(3)} s, ${Math.round(found.peakMiB)} MiB`);
  } catch (error) {
    point.reason = error instanceof Error ? error.message : String(error);
    say(`round ${round}: ${axis} ${x} failed: ${point.reason}`);
  }
}

/** What the point took before, or what the two before it on its axis let expect; with a tenth to spare. */
function neededMiB(point: Measured): number {
  const [first, second] = points
    .filter(({ axis, x, peakMiB }) => axis === point.axis && x < point.x && peakMiB.length > 0)
    .slice(-2)
    .map(({ x, peakMiB }) => ({ x, y: Math.max(...peakMiB) }));
  if (point.peakMiB.length > 0) return 1.1 * Math.max(...point.peakMiB);
  if (first === undefined || second === undefined) return 0;
  return 1.1 * (second.y + ((second.y - first.y) / (second.x - first.x)) * (point.x - second.x));
}

const results = axes.map((axis): AxisResult => {
  const own = points.filter((point) => point.axis === axis);
  const measured = own
    .filter(({ seconds }) => seconds.length > 0)
    .map(({ x, seconds, peakMiB }) => ({
      ...{ x, seconds: Number(median(seconds).toPrecision(4)) },
      peakMiB: Math.round(Math.max(...peakMiB)),
    }));
  const line = lineOf(measured.map(({ x, seconds }) => ({ x, y: seconds })));
  const batch = axis === 'batch' ? {} : { batch: AXES[axis].batch };
  const { [axis as 'cells']: _, ...fixed } = { ...FIXED, ...batch };
  const leftOut = own.flatMap(({ x, reason }) => (reason === undefined ? [] : [{ x, reason }]));
  return { axis, fixed, points: measured, line, leftOut };
});

function lineOf(measured: readonly { readonly x: number; readonly y: number }[]): Line | undefined {
  return measured.length < 2 ? undefined : fitLine(measured);
}

const file = saveResult(`scaling-${network}`, when, { network, layout, rounds, otherCores, axes: results });
say(`saved: ${file}`);
for (const { axis, line, points: measured } of results) {
  const at = measured.map(({ x, seconds }) => `${x}: ${seconds.toPrecision(3)} s`).join(', ');
  const deviation = line === undefined ? '' : `; at most ${(100 * line.deviation).toFixed(0)} % off a line`;
  process.stdout.write(`${axis} ${at}${deviation}\n`);
}
