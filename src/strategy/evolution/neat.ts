import type { Rng } from '../../common/random.ts';
import type { GenomeMoves } from '../../space/genome/moves.ts';
import type { Architecture } from '../../space/space.ts';
import { genomeMovesOf } from '../genome.ts';
import { drawWithin, proposalRng, sampleWithin, withinLimits } from '../limits.ts';
import type { Problem, Strategy } from '../strategy.ts';
import { bornOf } from './breed.ts';
import { type Individual, type Lineage, nextLineage, type Species, type SpeciesOptions } from './species.ts';

export interface NeatOptions extends SpeciesOptions {
  /** A species of more members passes its champion on unchanged. */
  readonly championFrom: number;
  /** Share of the children that have one parent. */
  readonly mutationOnly: number;
  /** Probability that the second parent is the champion of another species. */
  readonly interspecies: number;
  readonly disabled: number;
  readonly averaging: number;
  readonly addNode: number;
  readonly addConnection: number;
  readonly reenable: number;
  /** Probability that the weights of a child change, if its structure does not. */
  readonly weights: number;
  readonly replaced: number;
  readonly power: number;
}

export type NeatState = Lineage & {
  /** Proposals of this generation. */
  readonly asked: number;
  /** Those of this generation that have been measured. */
  readonly born: readonly Individual[];
};

/**
 * NEAT. Stanley & Miikkulainen 2002, "Evolving neural networks through augmenting topologies", Evolutionary Computation 10(2): networks
 * grow from small ones; genes are aligned by historical markings, so that networks of different structure can be crossed; species, within
 * which fitness is shared, protect new structure until its weights are found. For spaces of genomes (`neatSpace`); as `layer-neat`, with
 * other defaults, for genomes of layers that are trained (`layer-genomes`). Each option of `neat` has the paper's value (of its
 * experiments with a population of 150) as default; what the paper leaves open is as in Stanley's NEAT C++: survival 0.2, mutation power
 * 2.5, a change of structure or else of weights, of two equally fit parents the one with fewer genes counts as the better one.
 *
 * Differs: innovation numbers are computed (space/genome/marks.ts), so `excess` genes are those beyond the last number, not the last in
 * time; with c1 = c2, as in the paper, it is the same. No trial waits for a generation: until its last results are in, more children of
 * the same parents are asked for, and late ones are members of the next generation. Asked one at a time it is the paper's loop. Where a
 * fitness is negative, the smallest is subtracted for sharing. Failed, paused and pruned trials have no children. A child beyond a limit
 * is bred anew; after `TRIES` of them it is a random member. Of trials of an earlier study the best `population` are of the first
 * generation.
 *
 * ask: O(genes). tell: O(population · species · genes) at the end of a generation.
 */
export function neat(options: NeatOptions, name = 'neat'): Strategy<NeatState> {
  return {
    name,
    init(problem) {
      genomeMovesOf(problem, name);
      sampleWithin(problem, 0); // Limits that nothing keeps are refused now, not in the middle of a study.
      return { generation: 0, species: [], nextSpecies: 0, best: null, improved: 0, asked: 0, born: [] };
    },
    async ask(problem, state, firstTrial, count) {
      const moves = genomeMovesOf(problem, name);
      const proposals = Array.from({ length: count }, (_, i) => ({
        architecture: propose(problem, moves, state, state.asked + i, firstTrial + i, options),
        fidelity: problem.fidelities.length - 1,
        start: { kind: 'fresh' as const },
      }));
      return [{ ...state, asked: state.asked + count }, proposals];
    },
    async tell(problem, state, outcomes) {
      const { metric, direction } = problem.objectives[0];
      let lineage: Lineage = state;
      let { asked } = state;
      let born = [...state.born];
      for (const { trial, architecture, metrics } of bornOf(problem, outcomes, options.population)) {
        const value = metrics[metric];
        if (value === undefined) continue;
        born.push({ trial, architecture, fitness: direction === 'maximize' ? value : 0 - value });
        if (born.length < options.population) continue;
        const inOrder = born.toSorted((a, b) => a.trial - b.trial); // Not the order of arrival.
        lineage = nextLineage(lineage, inOrder, {
          ...options,
          moves: genomeMovesOf(problem, name),
          seed: problem.seed,
        });
        [asked, born] = [0, []];
      }
      const { generation, species, nextSpecies, best, improved } = lineage;
      return { generation, species, nextSpecies, best, improved, asked, born };
    },
  };
}

/** The child of place `place` in its generation: places go to the species in order, the first of a large species to its champion. */
function propose(
  problem: Problem,
  moves: GenomeMoves,
  { species }: NeatState,
  place: number,
  trial: number,
  options: NeatOptions,
): Architecture {
  const total = species.reduce((sum, { offspring }) => sum + offspring, 0);
  if (total === 0) return sampleWithin(problem, trial);
  let within = place % total;
  const home = species.find(({ offspring }) => {
    if (within < offspring) return true;
    within -= offspring;
    return false;
  });
  if (home === undefined) throw new Error(`neat: no species has place ${place}`);
  const champion = home.parents[0]?.architecture;
  const isCopy = within === 0 && place < total && home.size > options.championFrom;
  if (isCopy && champion !== undefined && withinLimits(problem, champion)) return champion;
  const stream = proposalRng(problem, trial, 'breed');
  const child = drawWithin(problem, () => childOf(moves, home, species, options, stream));
  return child ?? sampleWithin(problem, trial);
}

function childOf(
  moves: GenomeMoves,
  { id, parents }: Species,
  species: readonly Species[],
  options: NeatOptions,
  stream: Rng,
): Architecture {
  const first = stream.pick(parents);
  if (parents.length === 1 || stream.float() < options.mutationOnly)
    return mutated(moves, first.architecture, options, stream);
  const others = species.filter((one) => one.id !== id).flatMap((one) => one.parents.slice(0, 1));
  const isFar = stream.float() < options.interspecies && others.length > 0;
  const second = stream.pick(isFar ? others : parents);
  const isSecondBetter = compare(moves, first, second) < 0;
  const [better, other] = isSecondBetter ? [second, first] : [first, second];
  const child = moves.cross(better.architecture, other.architecture, options, stream);
  return mutated(moves, child, options, stream);
}

/** Above 0: `a` is fitter, or as fit with fewer genes. */
function compare(moves: GenomeMoves, a: Individual, b: Individual): number {
  const genes = ({ architecture }: Individual) => moves.genes(architecture);
  return a.fitness - b.fitness || genes(b) - genes(a);
}

/** A change of structure, or else, by chance, of the weights. */
function mutated(moves: GenomeMoves, parent: Architecture, options: NeatOptions, stream: Rng): Architecture {
  const grown =
    stream.float() < options.addNode
      ? moves.addNode(parent, stream)
      : stream.float() < options.addConnection
        ? moves.addConnection(parent, stream)
        : undefined;
  if (grown !== undefined) return grown;
  const child = stream.float() < options.weights ? moves.perturb(parent, options, stream) : parent;
  return (stream.float() < options.reenable ? moves.reenable(child, stream) : undefined) ?? child;
}
