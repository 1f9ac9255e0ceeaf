/** Species of genomes: who belongs together, how many children each species has, and who may have them. */
import { largest, smallest } from '../../common/extremes.ts';
import { rng } from '../../common/random.ts';
import type { GenomeMoves } from '../../space/genome/moves.ts';
import type { Architecture } from '../../space/space.ts';

/** A network that was measured. Fitness: larger is better. */
export type Individual = { readonly trial: number; readonly architecture: Architecture; readonly fitness: number };

export type Species = {
  readonly id: number;
  /** A random member of the last generation: the next one is compared with it. */
  readonly representative: Architecture;
  /** Of the last generation. */
  readonly size: number;
  /** The best fitness until now, and the generation that reached it. */
  readonly best: number;
  readonly improved: number;
  /** Those that may have children, the best first. */
  readonly parents: readonly Individual[];
  /** How many children it has in the next generation, the copy of its champion included. */
  readonly offspring: number;
};

export interface SpeciesOptions {
  readonly population: number;
  readonly speciation: boolean;
  /** c1, c2, c3 of the compatibility distance. */
  readonly excess: number;
  readonly disjoint: number;
  readonly weight: number;
  /** Pairs of which the larger has at least as many genes divide c1 and c2 by its number of genes; 0: none does. */
  readonly normalizeFrom: number;
  readonly threshold: number;
  readonly survival: number;
  readonly stagnation: number;
  readonly populationStagnation: number;
}

/** What the population remembers from one generation to the next. */
export type Lineage = {
  /** The number of the generation that is being born, from 0. */
  readonly generation: number;
  /** Those that have children in it. */
  readonly species: readonly Species[];
  readonly nextSpecies: number;
  /** The best fitness of all until now (null: none), and the generation that reached it, or in which the search was narrowed to two species. */
  readonly best: number | null;
  readonly improved: number;
};

/** δ = c1·E/N + c2·D/N + c3·W (equation 1 of the paper). O(genes). */
export function distance(moves: GenomeMoves, a: Architecture, b: Architecture, options: SpeciesOptions): number {
  const { genes, disjoint, excess, difference } = moves.align(a, b);
  const n = options.normalizeFrom > 0 && genes >= options.normalizeFrom ? genes : 1;
  return (options.excess * excess + options.disjoint * disjoint) / n + options.weight * difference;
}

/** The next generation's species, from those that were born in this one. O(individuals · species). */
export function nextLineage(
  lineage: Lineage,
  born: readonly Individual[],
  options: SpeciesOptions & { readonly moves: GenomeMoves; readonly seed: number },
): Lineage {
  const { generation } = lineage;
  const { nextSpecies, groups } = speciate(lineage, born, options);
  const all = groups.map(({ known, id, members }): Species => {
    const parents = members.toSorted((a, b) => b.fitness - a.fitness || b.trial - a.trial);
    const top = parents[0]?.fitness ?? Number.NEGATIVE_INFINITY;
    const isBetter = known === undefined || top > known.best;
    const stream = rng(options.seed, 'generation', generation, 'species', id);
    return {
      ...{ id, size: members.length, offspring: 0 },
      representative: stream.pick(members).architecture,
      best: isBetter ? top : known.best,
      improved: isBetter ? generation : known.improved,
      parents: parents.slice(0, Math.floor(options.survival * members.length) + 1),
    };
  });
  const top = largest(born.map(({ fitness }) => fitness));
  const isBetter = lineage.best === null || top > lineage.best;
  const improved = isBetter ? generation : lineage.improved;
  const isStuck = generation - improved > options.populationStagnation;
  const improving = all.filter((one) => generation - one.improved < options.stagnation);
  const isFocus = isStuck || improving.length === 0;
  const breeding = isFocus ? bestTwo(all).map((one) => ({ ...one, improved: generation })) : improving;
  const shares = sharedFitness(groups, born);
  const quotas = apportion(
    options.population,
    breeding.map(({ id }) => shares.get(id) ?? 0),
  );
  const species = breeding.map((one, i) => ({ ...one, offspring: quotas[i] ?? 0 }));
  return {
    ...{ generation: generation + 1, nextSpecies, improved: isFocus ? generation : improved },
    species: species.filter(({ offspring }) => offspring > 0),
    best: isBetter ? top : lineage.best,
  };
}

/** Those that alone have children when no species improves, or the whole population does not. */
function bestTwo(all: readonly Species[]): readonly Species[] {
  const value = ({ parents }: Species) => parents[0]?.fitness ?? Number.NEGATIVE_INFINITY;
  return all.toSorted((a, b) => value(b) - value(a)).slice(0, 2);
}

interface Group {
  readonly id: number;
  readonly known: Species | undefined;
  readonly representative: Architecture;
  readonly members: Individual[];
}

/** Each individual is of the first species whose representative is near, or of a new one. Empty species are left out. */
function speciate(
  { species, nextSpecies }: Lineage,
  born: readonly Individual[],
  options: SpeciesOptions & { readonly moves: GenomeMoves },
): { readonly groups: readonly Group[]; readonly nextSpecies: number } {
  const groups: Group[] = species.map((known) => ({ ...known, known, members: [] }));
  let next = nextSpecies;
  for (const one of born) {
    const isNear = ({ representative }: Group) =>
      !options.speciation || distance(options.moves, one.architecture, representative, options) < options.threshold;
    const home = groups.find(isNear);
    if (home) home.members.push(one);
    else groups.push({ id: next++, known: undefined, representative: one.architecture, members: [one] });
  }
  return { groups: groups.filter(({ members }) => members.length > 0), nextSpecies: next };
}

/**
 * By species: the sum of its members' shared fitness, each one's divided by the size of the species (equation 2 of the paper), which is
 * the mean. Shares need fitness above 0: where one is negative, the smallest is subtracted from all.
 */
function sharedFitness(groups: readonly Group[], born: readonly Individual[]): ReadonlyMap<number, number> {
  const low = Math.min(0, smallest(born.map(({ fitness }) => fitness)));
  const mean = (members: readonly Individual[]) =>
    members.reduce((sum, { fitness }) => sum + fitness - low, 0) / members.length;
  return new Map(groups.map(({ id, members }) => [id, mean(members)]));
}

/** `total` in whole parts proportional to the shares, by largest remainders; equal parts where all shares are 0. */
export function apportion(total: number, shares: readonly number[]): readonly number[] {
  const sum = shares.reduce((all, one) => all + one, 0);
  const exact = shares.map((one) => (sum > 0 ? one / sum : 1 / shares.length) * total);
  const parts = exact.map(Math.floor);
  let left = total - parts.reduce((all, one) => all + one, 0);
  const order = exact.map((_, i) => i).sort((a, b) => remainder(exact[b]) - remainder(exact[a]) || a - b);
  for (const i of order) {
    if (left-- <= 0) break;
    parts[i] = (parts[i] ?? 0) + 1;
  }
  return parts;
}

const remainder = (value = 0): number => value - Math.floor(value);
