/**
 * Historical markings without a shared counter. In Stanley & Miikkulainen 2002 a global counter numbers structural changes as they
 * occur, and a list of the present generation gives equal changes equal numbers. Here the number is computed from the change: a
 * connection's from its two ends, a node's from the connection that it splits. Equal changes have equal numbers in every generation,
 * process and study, so a space mutates by itself, workers need no common state, and a run can be replayed.
 *
 * Differs: the same change in two generations has one number, where the paper gives two (so more genes match); numbers do not follow
 * the order of time. Their upper part is the level: 0 among the nodes that all members have, and one more for a node than for the
 * connection that it splits, so a gene has a larger number than those that it descends from. Lower parts are a hash of 32 bits: two
 * changes of one level share a number with probability 2^-32, and then the second cannot be in a genome that has the first.
 */

const LEVEL = 2 ** 32;
/** Deeper, no node is split: numbers stay below 2^53. */
export const MOST_LEVELS = 2 ** 20;

/** How many splits a node or a connection is away from the nodes that all members have. */
export const levelOf = (mark: number): number => Math.floor(mark / LEVEL);

/** The innovation number of the connection between two nodes; `fixed`: how many nodes all members have. */
export function markOf(from: number, to: number, fixed: number): number {
  const level = Math.max(levelOf(from), levelOf(to));
  return level === 0 ? from * fixed + to : level * LEVEL + hash(from, to);
}

/** The number of the node that splits a connection; `again`: how many nodes of the genome have split it before. */
export function splitMark(innovation: number, again: number): number {
  return (levelOf(innovation) + 1) * LEVEL + hash(innovation, again);
}

/** 32 bits of two numbers below 2^53 (the mixing steps of MurmurHash3, public domain). */
function hash(a: number, b: number): number {
  let h = 0x9747b28c;
  for (const word of [a >>> 0, levelOf(a), b >>> 0, levelOf(b)]) {
    const k = Math.imul(word, 0xcc9e2d51);
    h ^= Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
