import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random numbers. Two streams made from the same labels are the same stream, on every machine. */
export interface Rng {
  /** Uniform in [0, 1), 32 bits of resolution. */
  float(): number;
  /** Uniform integer in [0, below). */
  int(below: number): number;
  /** Standard normal (Box and Muller). */
  normal(): number;
  /** One element, uniformly. Throws RangeError on an empty list. */
  pick<T>(items: readonly T[]): T;
  /** A new array in random order (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

/**
 * The stream named by `labels`, e.g. `rng(studySeed, 'trial', 12, 'epoch', 3)`. Randomness is addressed, not passed
 * around: what a trial draws never depends on the order in which trials ran.
 */
export function rng(...labels: readonly (string | number)[]): Rng {
  const generator = xoroshiro128plusFromState(hash128(JSON.stringify(labels)));
  const float = () => (generator.next() >>> 0) / 4294967296;
  const int = (below: number) => Math.floor(float() * below);
  return {
    float,
    int,
    normal: () => Math.sqrt(-2 * Math.log(1 - float())) * Math.cos(2 * Math.PI * float()),
    pick(items) {
      if (items.length === 0) throw new RangeError('pick: the list is empty');
      return items[int(items.length)] as (typeof items)[number];
    },
    shuffle(items) {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = int(i + 1);
        const kept = out[i] as (typeof out)[number];
        out[i] = out[j] as (typeof out)[number];
        out[j] = kept;
      }
      return out;
    },
  };
}

/** Four 32-bit words from a text (cyrb128, public domain). Never all zero, as the generator demands. */
function hash128(text: string): [number, number, number, number] {
  let [a, b, c, d] = [1779033703, 3144134277, 1013904242, 2773480762];
  for (let i = 0; i < text.length; i++) {
    const k = text.charCodeAt(i);
    a = b ^ Math.imul(a ^ k, 597399067);
    b = c ^ Math.imul(b ^ k, 2869860233);
    c = d ^ Math.imul(c ^ k, 951274213);
    d = a ^ Math.imul(d ^ k, 2716044179);
  }
  a = Math.imul(c ^ (a >>> 18), 597399067);
  b = Math.imul(d ^ (b >>> 22), 2869860233);
  c = Math.imul(a ^ (c >>> 17), 951274213);
  d = Math.imul(b ^ (d >>> 19), 2716044179);
  const all = a ^ b ^ c ^ d;
  return [all | 1, (b ^ all) | 0, (c ^ all) | 0, (d ^ all) | 0];
}
