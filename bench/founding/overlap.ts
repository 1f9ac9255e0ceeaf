/** How alike found cells are. */

type Decisions = Readonly<Record<string, unknown>>;

/** The share of decisions that both make equally, of those that either makes; 1 where there are none. */
export function overlap(a: Decisions, b: Decisions): number {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const equal = names.filter((name) => JSON.stringify(a[name]) === JSON.stringify(b[name]));
  return names.length === 0 ? 1 : equal.length / names.length;
}

/** The mean over all pairs; undefined for fewer than two. */
export function meanOverlap(all: readonly Decisions[]): number | undefined {
  const pairs = all.flatMap((a, i) => all.slice(i + 1).map((b) => overlap(a, b)));
  return pairs.length === 0 ? undefined : pairs.reduce((sum, value) => sum + value, 0) / pairs.length;
}
