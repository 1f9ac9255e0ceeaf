import { activeDecisions, decided, domainSize, formatValue } from '../space/index.ts';
import type { Subject } from './measure.ts';

/** Bits of a real number: the significand of a float32. */
const REAL_BITS = 24;

/**
 * Bits that describe the architecture to one who has the space (minimum description length, Rissanen 1978). The active
 * decisions are coded in the space's order. A value costs −log2((c + 1) / (n + k)) bits: of n earlier decisions with
 * the same k possible values, c had this value (Laplace's rule; a predictive code as in Rissanen 1984). So an
 * architecture is simple that decides little and repeats itself. A real number counts as one of 2^24 values.
 */
export function descriptionLength({ space, architecture }: Pick<Subject, 'space' | 'architecture'>): number {
  const seen = new Map<string, Map<string, number>>();
  let bits = 0;
  for (const [name, domain] of activeDecisions(space, architecture)) {
    const value = decided(architecture, name);
    if (value === undefined) continue;
    const key = JSON.stringify(domain);
    const counts = seen.get(key) ?? new Map<string, number>();
    seen.set(key, counts);
    const before = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const text = formatValue(value);
    const size = Number(domainSize(domain) ?? 2n ** BigInt(REAL_BITS));
    const count = counts.get(text) ?? 0;
    bits += Math.log2((before + size) / (count + 1));
    counts.set(text, count + 1);
  }
  return bits;
}
