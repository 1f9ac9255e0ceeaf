import { compareBy, dominates, type Metrics, type Objective } from './metrics.ts';

/** Anything that has metrics. */
export interface Measured {
  readonly metrics: Metrics;
}

/** The items that no other dominates, in the order given. O(n²). */
export function paretoFront<T extends Measured>(items: readonly T[], objectives: readonly Objective[]): T[] {
  return items.filter((item) => !items.some((other) => dominates(objectives, other.metrics, item.metrics)));
}

/**
 * All items, best first. One objective: by its value. Several: front by front, and within a front those that stand in the
 * emptiest surroundings first (crowding distance; Deb et al. 2002, NSGA-II, section III). Equals keep their order.
 */
export function rank<T extends Measured>(items: readonly T[], objectives: readonly Objective[]): T[] {
  const [first, ...others] = objectives;
  if (first && others.length === 0) return [...items].sort((a, b) => compareBy(first, a.metrics, b.metrics));
  const ranked: T[] = [];
  let left = [...items];
  while (left.length > 0) {
    const front = paretoFront(left, objectives);
    for (const item of byCrowding(front, objectives)) ranked.push(item);
    left = left.filter((item) => !front.includes(item));
  }
  return ranked;
}

/**
 * How many of the others lie on an earlier front than the item, when all are sorted by dominance. O(n) for one objective; for several, O(n²)
 * for each front before its own.
 */
export function countAhead<T extends Measured>(
  item: T,
  others: readonly T[],
  objectives: readonly Objective[],
): number {
  const better = (other: T) => dominates(objectives, other.metrics, item.metrics);
  if (objectives.length === 1) return others.filter(better).length;
  let left = others;
  while (left.some(better)) {
    const front = new Set(paretoFront(left, objectives));
    left = left.filter((other) => !front.has(other));
  }
  return others.length - left.length;
}

function byCrowding<T extends Measured>(front: readonly T[], objectives: readonly Objective[]): T[] {
  const distance = new Map<T, number>(front.map((item) => [item, 0]));
  for (const objective of objectives) {
    const value = (item: T | undefined) => item?.metrics[objective.metric] ?? 0;
    const sorted = [...front].sort((a, b) => compareBy(objective, a.metrics, b.metrics));
    const range = Math.abs(value(sorted.at(-1)) - value(sorted[0])) || 1;
    for (const [i, item] of sorted.entries()) {
      const end = i === 0 || i === sorted.length - 1;
      const gap = end ? Number.POSITIVE_INFINITY : Math.abs(value(sorted[i + 1]) - value(sorted[i - 1])) / range;
      distance.set(item, (distance.get(item) ?? 0) + gap);
    }
  }
  const of = (item: T) => distance.get(item) ?? 0;
  return [...front].sort((a, b) => (of(a) === of(b) ? 0 : of(b) - of(a)));
}
