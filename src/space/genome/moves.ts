import type { Rng } from '../../common/random.ts';
import type { Architecture } from '../architecture.ts';

/** How two genomes align: connections are the genes. */
export interface Alignment {
  /** Genes of the larger genome. */
  readonly genes: number;
  /** Genes of either that the other has not, up to the last innovation number of the other. */
  readonly disjoint: number;
  /** Genes beyond it. */
  readonly excess: number;
  /**
   * Mean absolute difference of the weights of genes that both have; of layers, how much their settings differ, from 0 to 1. 0 if there are
   * none.
   */
  readonly difference: number;
}

/** How weights, or the settings of layers, change. */
export interface WeightRates {
  /** A weight changes by a uniform number in [-power, power]. */
  readonly power: number;
  /** Probability that a weight is replaced, by a uniform number in [-power, power], instead; that all settings of a layer are. */
  readonly replaced: number;
}

export interface CrossRates {
  /** Probability that a gene that is disabled in either parent is disabled in the child. */
  readonly disabled: number;
  /** Probability that the child has the means of the parents' weights instead of one of the two, for all its genes. */
  readonly averaging: number;
}

/**
 * What strategies that know genes need of a space (`SearchSpace.genome`); the spaces of `neatSpace` and `layer-genomes` have it. Arguments
 * are members, and so are results, which are frozen. A move that does not apply gives undefined.
 */
export interface GenomeMoves {
  /** Whether the space has members of different structure. If not, `addNode` and `addConnection` never apply. */
  readonly grows: boolean;
  align(a: Architecture, b: Architecture): Alignment;
  /** A child with the structure of `better`; the weights of genes, or the settings of layers, that both have are of either parent. */
  cross(better: Architecture, other: Architecture, rates: CrossRates, rng: Rng): Architecture;
  /** All weights changed, or a setting of one layer. The result may be equal by chance. */
  perturb(architecture: Architecture, rates: WeightRates, rng: Rng): Architecture;
  /** A connection is split by a new node. */
  addNode(architecture: Architecture, rng: Rng): Architecture | undefined;
  /** A new connection between two nodes. */
  addConnection(architecture: Architecture, rng: Rng): Architecture | undefined;
  /** A disabled connection is enabled. */
  reenable(architecture: Architecture, rng: Rng): Architecture | undefined;
  /** How many connections there are. */
  genes(architecture: Architecture): number;
  /** The weights in the order of the connections. Absent where members do not hold their weights; so is `withWeights`. */
  weights?(architecture: Architecture): readonly number[];
  /** The same structure with other weights; those beyond the limit of the space are moved to it. */
  withWeights?(architecture: Architecture, weights: readonly number[]): Architecture;
}
