/**
 * The largest of the numbers, as Math.max finds it: NaN where one is NaN, -Infinity of none. `Math.max(...values)`
 * overflows the stack from about 120,000 values on.
 */
export function largest(values: Iterable<number>): number {
  let found = Number.NEGATIVE_INFINITY;
  for (const value of values) found = Math.max(found, value);
  return found;
}

/** The smallest, likewise; Infinity of none. */
export function smallest(values: Iterable<number>): number {
  let found = Number.POSITIVE_INFINITY;
  for (const value of values) found = Math.min(found, value);
  return found;
}
