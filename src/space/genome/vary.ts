/**
 * Mutation, crossover and alignment of genomes. Stanley & Miikkulainen 2002, "Evolving neural networks through augmenting topologies",
 * sections 3.1 and 3.2; what the paper leaves open is as in Stanley's NEAT C++ (its files genome.cpp and *.ne).
 */
import type { Rng } from '../../common/random.ts';
import { type Connection, fixedOf, type Genome, type GenomeShape, genomeOf, rounded, sourcesOf } from './genome.ts';
import { levelOf, MOST_LEVELS, markOf, splitMark } from './marks.ts';
import type { Alignment, CrossRates, WeightRates } from './moves.ts';
import { leadsTo } from './paths.ts';

/** Weights of first members and of new connections are uniform in [-1, 1], as in Stanley's code. */
export const FIRST_WEIGHT = 1;
/** Pairs of nodes that are drawn to find one without a connection: `newlink_tries` of Stanley's code. */
const TRIES = 20;

export const uniform = (stream: Rng, power: number): number => (2 * stream.float() - 1) * power;

/** How the genes of two genomes align, by innovation number. O(genes). */
export function align(a: Genome, b: Genome): Alignment {
  const [left, right] = [a.connections, b.connections];
  let [i, j, matching, difference, disjoint] = [0, 0, 0, 0, 0];
  for (let [one, other] = [left[0], right[0]]; one !== undefined && other !== undefined; ) {
    if (one.innovation === other.innovation) {
      matching++;
      difference += Math.abs(one.weight - other.weight);
      one = left[++i];
      other = right[++j];
      continue;
    }
    disjoint++;
    if (one.innovation < other.innovation) one = left[++i];
    else other = right[++j];
  }
  return {
    genes: Math.max(left.length, right.length),
    disjoint,
    excess: left.length - i + right.length - j,
    difference: matching === 0 ? 0 : difference / matching,
  };
}

/**
 * A child with the nodes and connections of `better`. Each gene that both parents have takes its weight from either, by chance. One that
 * is disabled in either parent is disabled in the child with probability `disabled`, else enabled (in Stanley's code a gene stays disabled
 * that neither parent has enabled).
 *
 * Differs: of two parents of equal fitness the paper's child has genes of both, Stanley's code takes the smaller parent for the better
 * one; a caller who does as the code keeps the child a member of a space without cycles.
 */
export function cross(better: Genome, other: Genome, { disabled, averaging }: CrossRates, stream: Rng): Genome {
  const averaged = averaging > 0 && stream.float() < averaging;
  let j = 0;
  const connections = better.connections.map((one): Connection => {
    let match = other.connections[j];
    while (match !== undefined && match.innovation < one.innovation) match = other.connections[++j];
    if (match === undefined || match.innovation !== one.innovation)
      return one.enabled ? one : { ...one, enabled: stream.float() >= disabled };
    const weight = averaged
      ? rounded((one.weight + match.weight) / 2, Number.POSITIVE_INFINITY)
      : stream.float() < 0.5
        ? one.weight
        : match.weight;
    const enabled = (one.enabled && match.enabled) || stream.float() >= disabled;
    return { ...one, weight, enabled };
  });
  return genomeOf(better.hidden, connections);
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
 * weight. As in Stanley's code, connections from the bias are not split.
 */
export function addNode(genome: Genome, shape: GenomeShape, stream: Rng): Genome | undefined {
  const bias = shape.bias === 0 ? -1 : shape.inputs;
  const candidates = genome.connections.filter(({ from, enabled }) => enabled && from !== bias);
  if (candidates.length === 0) return undefined;
  const split = stream.pick(candidates);
  if (levelOf(split.innovation) >= MOST_LEVELS) return undefined;
  const id = freeMark(genome, split.innovation);
  const fixed = fixedOf(shape);
  const added = [wayTo(split.from, id, 1, fixed), wayTo(id, split.to, split.weight, fixed)];
  if (added.some(({ innovation }) => isTaken(genome, innovation))) return undefined;
  const others = genome.connections.map((one) => (one === split ? { ...one, enabled: false } : one));
  return genomeOf([...genome.hidden, id], [...others, ...added]);
}

/** The number of the node that splits this connection next. */
function freeMark({ hidden }: Genome, innovation: number): number {
  let again = 0;
  while (hidden.includes(splitMark(innovation, again))) again++;
  return splitMark(innovation, again);
}

export const wayTo = (from: number, to: number, weight: number, fixed: number): Connection => ({
  ...{ innovation: markOf(from, to, fixed), from, to, weight, enabled: true },
});

const isTaken = ({ connections }: Genome, mark: number) => connections.some(({ innovation }) => innovation === mark);

/** Up to 20 pairs of nodes are drawn, until one has no connection and, in a feed-forward network, closes no cycle. */
export function addConnection(genome: Genome, shape: GenomeShape, stream: Rng): Genome | undefined {
  const [sources, fixed] = [sourcesOf(shape), fixedOf(shape)];
  const { hidden, connections } = genome;
  const starts = (shape.recurrent ? fixed : sources) + hidden.length;
  const nodeAt = (i: number, many: number) => (i < many ? i : (hidden[i - many] ?? 0));
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const from = nodeAt(stream.int(starts), shape.recurrent ? fixed : sources);
    const to = nodeAt(sources + stream.int(shape.outputs + hidden.length), fixed);
    const added = wayTo(from, to, rounded(uniform(stream, FIRST_WEIGHT), shape.weightLimit), fixed);
    if (isTaken(genome, added.innovation)) continue;
    if (!shape.recurrent && leadsTo(connections, to, from)) continue;
    return genomeOf(hidden, [...connections, added]);
  }
  return undefined;
}

/** A disabled connection, at random, is enabled. */
export function reenable(genome: Genome, stream: Rng): Genome | undefined {
  const disabled = genome.connections.filter(({ enabled }) => !enabled);
  if (disabled.length === 0) return undefined;
  const chosen = stream.pick(disabled);
  const connections = genome.connections.map((one) => (one === chosen ? { ...one, enabled: true } : one));
  return genomeOf(genome.hidden, connections);
}
