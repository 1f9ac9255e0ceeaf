import { UserError } from '../common/errors.ts';
import type { Rng } from '../common/random.ts';
import type { GenomeMoves } from './genome/moves.ts';
import type { Architecture, Space } from './space.ts';
import type { Module } from './tree/module.ts';

/**
 * Pillar 1 as a contract: a set of architectures and the moves within it. Strategies and studies that use only this contract work
 * with every space: a tree with open choices (`Space`, adapted by `searchSpaceOf`), and spaces without decisions or without a
 * largest member, such as networks that grow.
 *
 * An architecture is a plain JSON object, so a study can store it. Two architectures are equal if their JSON is, regardless of key
 * order (`architectureKey`). All methods are pure: a result depends only on the arguments and the random stream, is a member of the
 * space, and is frozen. `checkSearchSpace` tests these rules.
 */
export interface SearchSpace {
  /** Shown in messages and reports. */
  readonly name: string;
  /** A random member. A space of growing members starts with small ones. */
  sample(rng: Rng): Architecture;
  /** Plain data as a frozen member. Throws UserError with place, value and rule if it is not a member. */
  check(found: unknown): Architecture;
  /** A different member, similar to this one. Throws UserError if there is no other. */
  mutate(architecture: Architecture, rng: Rng): Architecture;
  /** A member that combines both. Combining a member with itself gives that member. */
  crossover(a: Architecture, b: Architecture, rng: Rng): Architecture;
  /** The member as one line of text. Different members have different texts. */
  format(architecture: Architecture): string;
  /** Reads what `format` wrote. Throws UserError with the place in the text. */
  parse(text: string): Architecture;
  /** Number of members; undefined if unlimited or not counted. */
  size?(): bigint | undefined;
  /**
   * The network of a member; training finds its weights. Absent if members are complete without training (they hold their weights, or
   * are rules or programs): an estimator of the user's own scores those.
   */
  build?(architecture: Architecture): Module;
  /** Training settings chosen by a member, by name; they override the study's settings. */
  hyperparameters?(architecture: Architecture): Readonly<Record<string, number | string | boolean>>;
  /**
   * The space as data for one task, if it is that: what trains, exports and draws its networks takes it. It is a tree with open choices,
   * which strategies that model single decisions, supernets, encodings and enumeration need, unless it has `members` of another form.
   */
  readonly tree?: Space;
  /** The moves on genes, if members are genomes. Needed by strategies that align genes by history (`neat`, `layer-neat`), or search weights (`cma-es`). */
  readonly genome?: GenomeMoves;
}

/** Whether the space has a single member, so that no mutation is possible. */
export function isFixed({ size }: Pick<SearchSpace, 'size'>): boolean {
  return size?.() === 1n;
}

/** Whether an architecture is a member: those of a space without constraints need not be members under them. */
export function isMember(space: SearchSpace, architecture: Architecture): boolean {
  try {
    space.check(architecture);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
