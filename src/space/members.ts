import type { Rng } from '../common/random.ts';
import type { Architecture } from './architecture.ts';
import type { GenomeMoves } from './genome/moves.ts';
import type { Module } from './tree/module.ts';

/** What a space says of its members, and the moves within them; the rules are those of `SearchSpace`. */
export interface Members {
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
  /**
   * The network of a member; training finds its weights. Absent if members are complete without training (they hold their weights, or
   * are rules or programs): an estimator of the user's own scores those.
   */
  build?(architecture: Architecture): Module;
  /** The moves on genes, if members are genomes. Needed by strategies that align genes by history (`neat`, `layer-neat`), or search weights (`cma-es`). */
  readonly genome?: GenomeMoves;
}
