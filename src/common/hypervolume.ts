import { largest } from './extremes.ts';
import { compareBy, type Metrics, type Objective } from './metrics.ts';
import type { Measured } from './pareto.ts';

/**
 * The share of a box that is dominated by at least one of the items (Zitzler & Thiele 1999): the box lies between `worst`
 * and `best`, which name a value for each objective, and what is beyond `worst` counts for nothing. From 0 to 1; 1: an item
 * is as good as `best` in every objective. Items without a value of each objective dominate nothing.
 *
 * By slices along one objective after another (While et al. 2006, HSO): O(n^(objectives - 1) log n).
 */
export function hypervolume(
  items: readonly Measured[],
  objectives: readonly Objective[],
  worst: Metrics,
  best: Metrics,
): number {
  const points = items.map(({ metrics }) =>
    objectives.map((objective) => {
      const { metric } = objective;
      const [value, from, to] = [
        metrics[metric] ?? Number.NaN,
        worst[metric] ?? Number.NaN,
        best[metric] ?? Number.NaN,
      ];
      // Where all are equal, the box is flat and every point is as good as can be.
      if (from === to) return compareBy(objective, metrics, best) <= 0 ? 1 : 0;
      return Math.min(1, (value - from) / (to - from));
    }),
  );
  return volume(points.filter((point) => point.every((share) => share > 0)));
}

/** Volume of the union of the boxes from the origin to each point. */
function volume(points: readonly (readonly number[])[]): number {
  const [first] = points;
  if (first === undefined) return 0;
  if (first.length === 1) return largest(points.map(([share = 0]) => share));
  const last = (point: readonly number[]) => point.at(-1) ?? 0;
  const sorted = [...points].sort((a, b) => last(b) - last(a));
  return sorted.reduce((sum, point, i) => {
    const height = last(point) - (i + 1 < sorted.length ? last(sorted[i + 1] ?? []) : 0);
    return height === 0 ? sum : sum + height * volume(sorted.slice(0, i + 1).map((one) => one.slice(0, -1)));
  }, 0);
}

/** A box of points, larger being better: from `low` to `high` in each objective; `high` may be infinite. */
export interface Box {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/**
 * Boxes without overlap that together are what lies above the reference point and is dominated by none of the points;
 * larger is better. The hypervolume that a new point adds is the sum of its shares of these boxes (Yang et al. 2019,
 * "Efficient computation of expected hypervolume improvement using box decomposition algorithms", section 3, for any
 * number of objectives, by slices along one objective after another). With two objectives one box more than points;
 * O(points^(objectives - 1)) boxes.
 */
export function nondominatedBoxes(points: readonly (readonly number[])[], reference: readonly number[]): Box[] {
  const floor = reference.at(-1) ?? Number.NaN;
  const above = points.filter((point) => point.every((value, k) => value > (reference[k] ?? Number.NaN)));
  const last = (point: readonly number[]) => point.at(-1) ?? Number.NaN;
  if (reference.length === 1) {
    return [
      { low: [above.reduce((most, point) => Math.max(most, last(point)), floor)], high: [Number.POSITIVE_INFINITY] },
    ];
  }
  const levels = [...new Set(above.map(last))].sort((a, b) => b - a);
  return [...levels, floor].flatMap((level, i) => {
    const high = i === 0 ? Number.POSITIVE_INFINITY : (levels[i - 1] ?? Number.NaN);
    const higher = above.filter((point) => last(point) >= high).map((point) => point.slice(0, -1));
    return nondominatedBoxes(higher, reference.slice(0, -1)).map((box): Box => {
      return { low: [...box.low, level], high: [...box.high, high] };
    });
  });
}
