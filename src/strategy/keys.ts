import { rng } from '../common/random.ts';
import type { Architecture } from '../space/space.ts';
import { architectureKey } from '../space/tree/architecture.ts';

/** How many architectures a strategy remembers to have measured, so that its state stays small. */
const MEMORY = 1000;

/** The fingerprints of what was measured last, the newest at the end, with one more. */
export function remember(known: readonly string[], architecture: Architecture): readonly string[] {
  return [...known.slice(1 - MEMORY), fingerprint(architecture)];
}

/**
 * An architecture's key in 11 characters, for states: 53 bits, so that among 100,000 architectures two are taken for one with a
 * probability below one in a million.
 */
export function fingerprint(architecture: Architecture): string {
  const stream = rng('architecture', architectureKey(architecture));
  return (stream.int(2 ** 21) * 2 ** 32 + stream.int(2 ** 32)).toString(36);
}
