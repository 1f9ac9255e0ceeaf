/** What the counted runs of a network say of its latency. */
export interface Latency {
  /** The median after the slowest runs are trimmed, for the whole batch. */
  readonly ms: number;
  /** A 95 % interval of the median, ms; wider where the device became faster or slower meanwhile. */
  readonly interval: readonly [low: number, high: number];
  /** Counted runs, trimmed ones included. */
  readonly runs: number;
}

/** The share of runs, the slowest, that other processes on the machine are assumed to have disturbed. */
const TRIMMED = 0.1;
/** Consecutive runs form segments, whose medians show whether the device keeps its speed. */
const SEGMENTS = 10;
/** With fewer runs in a segment, its median says little. */
const LEAST_IN_SEGMENT = 5;

/**
 * The latency by the times of consecutive runs, ms. The interval holds both a 95 % interval of the median by order statistics of
 * the runs, as if they were independent, and one by the medians of ten consecutive segments, which is the wider one where the speed
 * changes during the measurement. Throws RangeError without runs.
 */
export function latencyOf(milliseconds: readonly number[]): Latency {
  if (milliseconds.length === 0) throw new RangeError('a latency needs at least 1 run');
  const kept = trimmed(milliseconds);
  const ms = quantile(kept, 0.5);
  const intervals = [orderInterval(kept), ...segmentInterval(milliseconds)];
  const low = Math.min(ms, ...intervals.map(([from]) => from));
  const high = Math.max(ms, ...intervals.map(([, to]) => to));
  return { ms, interval: [low, high], runs: milliseconds.length };
}

/** Sorted, without the slowest tenth. */
function trimmed(milliseconds: readonly number[]): readonly number[] {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  return sorted.slice(0, sorted.length - Math.floor(sorted.length * TRIMMED));
}

function segmentInterval(milliseconds: readonly number[]): readonly (readonly [number, number])[] {
  if (milliseconds.length < SEGMENTS * LEAST_IN_SEGMENT) return [];
  const bound = (segment: number) => Math.round((segment * milliseconds.length) / SEGMENTS);
  const medians = Array.from({ length: SEGMENTS }, (_, segment) =>
    quantile(trimmed(milliseconds.slice(bound(segment), bound(segment + 1))), 0.5),
  );
  return [orderInterval(medians.toSorted((a, b) => a - b))];
}

/** The two order statistics between which the median lies in at least 95 % of samples; the extremes where no two are enough. */
function orderInterval(sorted: readonly number[]): readonly [number, number] {
  const first = outside(sorted.length);
  return [sorted[first] ?? Number.NaN, sorted[sorted.length - 1 - first] ?? Number.NaN];
}

/** How many values of `count` to leave out on either side: the most that at most 2.5 % of samples have beyond their median, by the binomial distribution. */
function outside(count: number): number {
  if (count > 1000) return Math.floor((count - 1.96 * Math.sqrt(count)) / 2);
  let [left, probability, sum] = [0, 0.5 ** count, 0.5 ** count];
  while (sum <= 0.025) {
    probability *= (count - left) / (left + 1);
    sum += probability;
    left++;
  }
  return Math.max(0, left - 1);
}

/** Of sorted values, interpolated between neighbors. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return low + (high - low) * (at - Math.floor(at));
}
