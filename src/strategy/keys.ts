import type { Architecture } from '../space/space.ts';

/** How many architectures a strategy remembers to have measured, so that its state stays small. */
const MEMORY = 1000;

/** The fingerprints of what was measured last, the newest at the end, with one more. */
export function remember(known: readonly string[], architecture: Architecture): readonly string[] {
  return [...known.slice(1 - MEMORY), fingerprint(architecture)];
}

/** A short name for an architecture, however its keys are ordered: cyrb53 (bryc, public domain), 53 bits in base 36. */
export function fingerprint(architecture: Architecture): string {
  const text = JSON.stringify(Object.entries(architecture).sort(([a], [b]) => (a < b ? -1 : 1)));
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return ((b >>> 0) * 0x200000 + (a >>> 11)).toString(36);
}
