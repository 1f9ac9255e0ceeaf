import { type Latency, latencyOf } from './latency.ts';
import type { OpenTarget, Timing } from './target.ts';

/** What is known of a network's latency, and of the memory that it took. */
export interface Measured extends Latency {
  readonly peakBytes?: number;
}

export interface MeasureRequest {
  readonly batch?: number;
  /** How thoroughly: of what was disturbed more rounds are made, up to the most. By default 2 and 8. */
  readonly rounds?: { readonly least: number; readonly most: number };
  /** Of each round, 0.3 s by default. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
}

/** Two rounds agree where their latencies differ by at most this share. */
export const AGREEING = 0.05;
const USUAL_ROUNDS = { least: 2, most: 8 };
const USUAL_SECONDS = 0.3;
const WARMUP = 5;
const LEAST_RUNS = 20;

/**
 * The latency of a model, in rounds, until the two fastest agree: whatever else the device computes meanwhile (trainings of the search, say)
 * makes a run slower and never faster, so the fastest rounds are those that were disturbed least. They alone count. Where no two agree, the
 * interval holds the latencies of both, and so is wider than 10 % where they differ by that. A device that is asked in one round alone, because it
 * has nothing else to do, has the interval of its runs.
 */
export async function measureLatency(
  target: Pick<OpenTarget, 'time'>,
  model: Uint8Array,
  { batch = 1, rounds: { least, most } = USUAL_ROUNDS, seconds = USUAL_SECONDS, signal }: MeasureRequest = {},
): Promise<Measured> {
  const timings: Timing[] = [];
  for (;;) {
    const request = { batch, warmup: WARMUP, runs: LEAST_RUNS, seconds, ...(signal && { signal }) };
    timings.push(await target.time(model, request));
    const enough = timings.length >= least && (timings.length >= most || agree(fastest(timings)));
    if (enough) return combined(timings);
  }
}

/** The two fastest rounds, or the only one. */
function fastest(timings: readonly Timing[]): readonly Latency[] {
  const latencies = timings.map(({ milliseconds }) => latencyOf(milliseconds));
  return latencies.toSorted((a, b) => a.ms - b.ms).slice(0, 2);
}

function agree([first, second]: readonly Latency[]): boolean {
  return first !== undefined && (second === undefined || second.ms <= (1 + AGREEING) * first.ms);
}

function combined(timings: readonly Timing[]): Measured {
  const counted = fastest(timings);
  const ms = counted.reduce((sum, one) => sum + one.ms, 0) / counted.length;
  const low = Math.min(...counted.map(({ interval }) => interval[0]));
  const high = Math.max(...counted.map(({ interval }) => interval[1]));
  const runs = timings.reduce((sum, { milliseconds }) => sum + milliseconds.length, 0);
  const peaks = timings.flatMap(({ peakBytes }) => peakBytes ?? []);
  return { ms, interval: [low, high], runs, ...(peaks.length > 0 && { peakBytes: Math.max(...peaks) }) };
}

/** `2.41 ms (2.38 to 2.52)` */
export function showLatency({ ms, interval: [low, high] }: Pick<Latency, 'ms' | 'interval'>): string {
  return `${showMilliseconds(ms)} ms (${showMilliseconds(low)} to ${showMilliseconds(high)})`;
}

/** Three digits, and no fractions of what has more. */
export function showMilliseconds(ms: number): string {
  return ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3);
}
