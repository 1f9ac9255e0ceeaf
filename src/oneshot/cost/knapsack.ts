/**
 * The best of one alternative from each group within limits on sums of costs: the multiple-choice knapsack problem. Exact, but for numbers of
 * partial solutions above `MOST`. Groups are taken one after the other; a partial solution goes where another one of the same groups is as
 * good and no dearer, where it cannot be completed within the limits, or where its bound is below a solution that is known. The bound relaxes the
 * limits (Lagrange) with the multiplier at which it is tightest.
 */

export interface Alternative {
  /** One for each limit. */
  readonly costs: readonly number[];
  /** The larger, the better. */
  readonly score: number;
}

/** Partial solutions that are kept; those with the best bounds, where there are more. */
const MOST = 50_000;
/** What a limit of 0 counts as, to be divided by; far less than any cost. */
const LEAST = 1e-9;
/** Against rounding of sums: relative. */
const SLACK = 1e-12;

interface Partial {
  readonly costs: readonly number[];
  readonly score: number;
  /** The alternatives taken, the last one first. */
  readonly taken: Taken | undefined;
}

interface Taken {
  readonly index: number;
  readonly before: Taken | undefined;
}

/**
 * The index of an alternative for each group, so that the sum of scores is largest; undefined where nothing keeps the limits. Costs may be below 0.
 */
export function bestWithin(
  groups: readonly (readonly Alternative[])[],
  limits: readonly number[],
): readonly number[] | undefined {
  const least = groups.map((group) => limits.map((_, i) => Math.min(...group.map(({ costs }) => costs[i] ?? 0))));
  const left = limits.map((limit, i) => limit - least.reduce((sum, costs) => sum + (costs[i] ?? 0), 0));
  if (left.some((limit, i) => limit < -SLACK * Math.abs(limits[i] ?? 0))) return undefined;
  const above = groups.map((group, g) =>
    group.map(({ costs, score }) => ({ score, costs: costs.map((cost, i) => cost - (least[g]?.[i] ?? 0)) })),
  );
  return bestAbove(
    above,
    left.map((limit) => Math.max(0, limit)),
  );
}

/** The same, where each group has an alternative that costs nothing. */
function bestAbove(
  groups: readonly (readonly Alternative[])[],
  limits: readonly number[],
): readonly number[] | undefined {
  // Limits count alike: costs in shares of them. A limit of 0 leaves nothing but costs of 0.
  const sizeOf = ({ costs }: Pick<Alternative, 'costs'>) =>
    costs.reduce((sum, cost, i) => sum + cost / Math.max(limits[i] ?? 0, LEAST), 0);
  const capacity = limits.length;
  const isWithin = (costs: readonly number[]) =>
    costs.every((cost, i) => cost <= (limits[i] ?? 0) * (1 + SLACK) + LEAST);
  const lagrangian = (one: Alternative, multiplier: number) => one.score - multiplier * sizeOf(one);
  const boundAt = (some: readonly (readonly Alternative[])[], multiplier: number) =>
    some.reduce((sum, group) => sum + Math.max(...group.map((one) => lagrangian(one, multiplier))), 0);

  const multiplier = minimumOf((value) => boundAt(groups, value) + value * capacity);
  const known = feasible(multiplier);
  const rest = groups.map((_, i) => groups.slice(i + 1));
  const bounds = rest.map((some) => boundAt(some, multiplier));

  let states: readonly Partial[] = [{ costs: limits.map(() => 0), score: 0, taken: undefined }];
  for (const [g, group] of groups.entries()) {
    const after = bounds[g] ?? 0;
    const boundOf = (state: Partial) => state.score + after + multiplier * (capacity - sizeOf(state));
    const next = states.flatMap((state) =>
      group.flatMap(({ costs, score }, index): Partial[] => {
        const sums = state.costs.map((cost, i) => cost + (costs[i] ?? 0));
        if (!isWithin(sums)) return [];
        const found = { costs: sums, score: state.score + score, taken: { index, before: state.taken } };
        return boundOf(found) < known - SLACK * Math.abs(known) ? [] : [found];
      }),
    );
    const left = limits.length === 1 ? undominated(next) : next;
    states = left.length <= MOST ? left : left.toSorted((a, b) => boundOf(b) - boundOf(a)).slice(0, MOST);
  }
  if (states.length === 0) return undefined;
  const best = states.reduce((a, b) => (b.score > a.score ? b : a));
  const indices: number[] = [];
  for (let at = best.taken; at !== undefined; at = at.before) indices.unshift(at.index);
  return indices;

  /** The score of a solution within the limits, found by raising the multiplier; -Infinity where that finds none. */
  function feasible(from: number): number {
    for (let value = Math.max(from, 1e-9); value < 1e12; value *= 1.1) {
      const taken = groups.map((group) =>
        group.reduce((a, b) => (lagrangian(b, value) > lagrangian(a, value) ? b : a)),
      );
      if (isWithin(limits.map((_, i) => taken.reduce((sum, { costs }) => sum + (costs[i] ?? 0), 0))))
        return taken.reduce((sum, { score }) => sum + score, 0);
    }
    return Number.NEGATIVE_INFINITY;
  }
}

/** Those that no other one equals or beats in both cost and score; one of equals. For a single limit. */
function undominated(states: readonly Partial[]): readonly Partial[] {
  const rising = states.toSorted((a, b) => (a.costs[0] ?? 0) - (b.costs[0] ?? 0) || b.score - a.score);
  let best = Number.NEGATIVE_INFINITY;
  return rising.filter(({ score }) => {
    if (score <= best) return false;
    best = score;
    return true;
  });
}

/** Where a convex function of a number from 0 is smallest, nearly. */
function minimumOf(of: (value: number) => number): number {
  let [low, high] = [0, 1];
  while (high < 1e9 && of(2 * high) < of(high)) high *= 2;
  high *= 2;
  for (let i = 0; i < 60; i++) {
    const third = (high - low) / 3;
    if (of(low + third) <= of(high - third)) high -= third;
    else low += third;
  }
  return (low + high) / 2;
}
