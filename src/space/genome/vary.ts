/**
 * Mutation, crossover and alignment of genomes. Stanley & Miikkulainen 2002, "Evolving neural networks through augmenting topologies",
 * sections 3.1 and 3.2; what the paper leaves open is as in Stanley's NEAT C++ (its files genome.cpp and *.ne).
 */
import type { Rng } from '../../common/random.ts';
import { alignGenes, crossGenes, fixedOf, newGene, reenabled, splitGene } from './genes.ts';
import { type Connection, type Genome, type GenomeShape, genomeOf, rounded } from './genome.ts';
import { markOf } from './marks.ts';
import type { Alignment, CrossRates, WeightRates } from './moves.ts';

/** Weights of first members and of new connections are uniform in [-1, 1], as in Stanley's code. */
export const FIRST_WEIGHT = 1;
export const uniform = (stream: Rng, power: number): number => (2 * stream.float() - 1) * power;

/** How the genes of two genomes align, by innovation number. O(genes). */
export function align(a: Genome, b: Genome): Alignment {
  return alignGenes(a.connections, b.connections, (one, other) => Math.abs(one.weight - other.weight));
}

/**
 * A child with the nodes and connections of `better` (`crossGenes`). Each gene that both parents have takes its weight from either, by
 * chance.
 *
 * Differs: of two parents of equal fitness the paper's child has genes of both, Stanley's code takes the smaller parent for the better
 * one; a caller who does as the code keeps the child a member of a space without cycles.
 */
export function cross(better: Genome, other: Genome, { disabled, averaging }: CrossRates, stream: Rng): Genome {
  const averaged = averaging > 0 && stream.float() < averaging;
  const mix = (one: Connection, match: Connection): Connection => {
    const weight = averaged
      ? rounded((one.weight + match.weight) / 2, Number.POSITIVE_INFINITY)
      : stream.float() < 0.5
        ? one.weight
        : match.weight;
    return { ...one, weight };
  };
  return genomeOf(better.hidden, crossGenes(better.connections, other.connections, disabled, mix, stream));
}

/** Every weight is changed by a uniform number or, with probability `replaced`, drawn again. */
export function perturb(genome: Genome, { power, replaced }: WeightRates, limit: number, stream: Rng): Genome {
  const connections = genome.connections.map((one) => {
    const base = stream.float() < replaced ? 0 : one.weight;
    return { ...one, weight: rounded(base + uniform(stream, power), limit) };
  });
  return genomeOf(genome.hidden, connections);
}

/**
 * An enabled connection is disabled and a node put in its place: the connection to the node has weight 1, the one that leaves it the old
 * weight.
 */
export function addNode(genome: Genome, shape: GenomeShape, stream: Rng): Genome | undefined {
  const { hidden, connections } = genome;
  const found = splitGene(hidden, connections, shape, stream);
  if (found === undefined) return undefined;
  const { split, node } = found;
  const fixed = fixedOf(shape);
  const added = [wayTo(split.from, node, 1, fixed), wayTo(node, split.to, split.weight, fixed)];
  const others = connections.map((one) => (one === split ? { ...one, enabled: false } : one));
  return genomeOf([...hidden, node], [...others, ...added]);
}

export const wayTo = (from: number, to: number, weight: number, fixed: number): Connection => ({
  ...{ innovation: markOf(from, to, fixed), from, to, weight, enabled: true },
});

/** A new connection of random weight between two nodes (`newGene`). */
export function addConnection({ hidden, connections }: Genome, shape: GenomeShape, stream: Rng): Genome | undefined {
  const make = (from: number, to: number) =>
    wayTo(from, to, rounded(uniform(stream, FIRST_WEIGHT), shape.weightLimit), fixedOf(shape));
  const added = newGene(hidden, connections, shape, make, stream);
  return added && genomeOf(hidden, [...connections, added]);
}

/** A disabled connection, at random, is enabled. */
export function reenable({ hidden, connections }: Genome, stream: Rng): Genome | undefined {
  const enabled = reenabled(connections, stream);
  return enabled && genomeOf(hidden, enabled);
}
