import { invalid } from '../../common/errors.ts';
import { optionsBy } from '../../common/options.ts';
import { type Rng, rng } from '../../common/random.ts';
import type { SearchSpace } from '../search-space.ts';
import type { Architecture } from '../space.ts';
import { fixedOf } from './genes.ts';
import { checkGenome, type Genome, type GenomeShape, genomeOf, rounded } from './genome.ts';
import type { GenomeMoves } from './moves.ts';
import { formatGenome, parseGenome } from './notation.ts';
import { firstGenome } from './start.ts';
import { addConnection, addNode, align, cross, perturb, reenable } from './vary.ts';

/** The options of `neatSpace`. */
export const NEAT_SPACE_OPTIONS = {
  /** The value of a node that is always the same, such as the 0.5 of Stanley's pole balancing; 0: no such node. */
  bias: { default: 1, min: -1000, max: 1000 },
  /** Whether connections may form cycles: then a network has a state from step to step. */
  recurrent: false,
  /**
   * The structure of samples. minimal: all inputs to all outputs, no hidden node; layered: one layer of `hidden` nodes between them, fully
   * connected; random: 1 to `hidden` hidden nodes and connections at random.
   */
  start: { default: 'minimal', words: ['minimal', 'layered', 'random'] },
  hidden: { default: 10, whole: true, min: 1, max: 10_000 },
  /** Whether structure changes. If not, all members have the structure of `start`, which cannot be random, and differ in their weights. */
  growth: true,
  /** Weights are in [-weightLimit, weightLimit]; 8 as in Stanley's code. */
  weightLimit: { default: 8, above: 0, max: 1e6 },
} as const;

/** What `mutate` does, in turn: the paper's rates for small populations; everything else changes weights. */
const [ADD_NODE, ADD_CONNECTION, REENABLE] = [0.03, 0.05, 0.01];
/** As in Stanley's code and the paper. */
const WEIGHTS = { power: 2.5, replaced: 0.1 } as const;
const CROSSING = { disabled: 0.75, averaging: 0 } as const;

export interface NeatSpaceOptions {
  /** Number of inputs, from 1 to 10,000. */
  readonly inputs: number;
  /** Number of outputs, from 1 to 10,000. */
  readonly outputs: number;
  /** What each input is multiplied by, a finite number; 1 by default. */
  readonly scale?: readonly number[];
  readonly bias?: number;
  readonly recurrent?: boolean;
  readonly start?: 'minimal' | 'layered' | 'random';
  readonly hidden?: number;
  readonly growth?: boolean;
  readonly weightLimit?: number;
}

/** A space of genomes: its members hold their weights, so there is no `build`; `genomeNetwork` runs them, `genomeGraph` lowers them. */
export interface NeatSpace extends SearchSpace {
  readonly shape: GenomeShape;
  readonly genome: Required<GenomeMoves>;
  sample(rng: Rng): Genome;
  check(found: unknown): Genome;
  mutate(architecture: Architecture, rng: Rng): Genome;
  crossover(a: Architecture, b: Architecture, rng: Rng): Genome;
  parse(text: string): Genome;
}

/** Whether a space's members are genomes that are networks. */
export const isNeatSpace = (space: SearchSpace): space is NeatSpace => space.genome !== undefined && 'shape' in space;

/**
 * The genomes of NEAT (Stanley & Miikkulainen 2002): networks of any structure with their weights, found by mutation from small ones.
 * Innovation numbers are computed, not counted: see marks.ts for why and for the differences. The genome is in genome.ts, its moves
 * are in vary.ts. The text of a member is in notation.ts: `0>3:1.5 1>3:-0.25!`.
 *
 * `crossover` knows no fitness: the child has the structure of the first parent. Throws UserError for options that break their rules.
 */
export function neatSpace(name: string, given: NeatSpaceOptions): NeatSpace {
  const place = `space "${name}"`;
  const { inputs, outputs, scale, ...rest } = given;
  for (const [field, count] of Object.entries({ inputs, outputs }))
    if (!Number.isSafeInteger(count) || count < 1 || count > 10_000)
      throw invalid(place, `${field} is ${count}`, 'must be a whole number from 1 to 10,000');
  if (scale !== undefined && (scale.length !== inputs || !scale.every(Number.isFinite)))
    throw invalid(place, `scale is ${JSON.stringify(scale)}`, `must be ${inputs} finite numbers`);
  const { bias, recurrent, weightLimit, growth, ...start } = optionsBy(NEAT_SPACE_OPTIONS, rest, place);
  if (!growth && start.start === 'random')
    throw invalid(place, 'growth is false and start is "random"', 'a fixed structure is minimal or layered');
  const shape: GenomeShape = Object.freeze({
    ...{ inputs, outputs, bias, recurrent, weightLimit },
    ...(scale && { scale: Object.freeze([...scale]) }),
  });
  const first = (stream: Rng): Genome => firstGenome(shape, start.start, start.hidden, stream);
  const fixed = growth ? undefined : structureOf(first(rng('structure')));

  // The very objects that are known to be members: moves need not check them again.
  const members = new WeakSet<object>();
  const isMember = (found: unknown): found is Genome =>
    typeof found === 'object' && found !== null && members.has(found);
  const own = (genome: Genome): Genome => {
    members.add(genome);
    return genome;
  };
  const check = (found: unknown): Genome => {
    if (isMember(found)) return found;
    const genome = checkGenome(found, shape, `architecture of ${place}`);
    if (fixed !== undefined && structureOf(genome) !== fixed)
      throw invalid(
        `architecture of ${place}`,
        'has another structure',
        'all members have the structure of its samples',
      );
    return own(genome);
  };
  const ownIf = (genome: Genome | undefined): Genome | undefined => (genome === undefined ? undefined : own(genome));
  const whenGrowing = (make: () => Genome | undefined): Genome | undefined => (growth ? ownIf(make()) : undefined);

  const genome: Required<GenomeMoves> = {
    grows: growth,
    align: (a, b) => align(check(a), check(b)),
    cross: (better, other, rates, stream) => own(cross(check(better), check(other), rates, stream)),
    perturb: (one, rates, stream) => own(perturb(check(one), rates, weightLimit, stream)),
    addNode: (one, stream) => whenGrowing(() => addNode(check(one), shape, stream)),
    addConnection: (one, stream) => whenGrowing(() => addConnection(check(one), shape, stream)),
    reenable: (one, stream) => ownIf(reenable(check(one), stream)),
    genes: (one) => check(one).connections.length,
    weights: (one) => check(one).connections.map(({ weight }) => weight),
    withWeights: (one, weights) => own(withWeights(check(one), weights, weightLimit, place)),
  };

  function mutate(architecture: Architecture, stream: Rng): Genome {
    const parent = check(architecture);
    const kind = stream.float();
    const moved =
      kind < ADD_NODE
        ? whenGrowing(() => addNode(parent, shape, stream))
        : kind < ADD_NODE + ADD_CONNECTION
          ? whenGrowing(() => addConnection(parent, shape, stream))
          : kind < ADD_NODE + ADD_CONNECTION + REENABLE
            ? ownIf(reenable(parent, stream))
            : undefined;
    if (moved !== undefined) return moved;
    if (parent.connections.length === 0) return whenGrowing(() => addConnection(parent, shape, stream)) ?? parent;
    return own(different(parent, perturb(parent, WEIGHTS, weightLimit, stream), weightLimit));
  }

  return {
    name,
    shape,
    genome,
    check,
    mutate,
    sample: (stream) => own(first(stream)),
    crossover(a, b, stream) {
      const [one, other] = [check(a), check(b)];
      // The same member twice: its disabled genes stay disabled.
      return formatGenome(one) === formatGenome(other) ? one : own(cross(one, other, CROSSING, stream));
    },
    format: (architecture) => formatGenome(check(architecture)),
    parse: (text) => check(parseGenome(text, fixedOf(shape), `architecture of ${place}`)),
  };
}

/** Nodes and connections, without weights. */
function structureOf({ hidden, connections }: Genome): string {
  return JSON.stringify([hidden, connections.map(({ innovation, enabled }) => [innovation, enabled])]);
}

/** The mutant, or where it is the parent by chance (weights are cut at the limit), the parent with its first weight moved. */
function different(parent: Genome, mutant: Genome, limit: number): Genome {
  if (mutant.connections.some(({ weight }, i) => weight !== parent.connections[i]?.weight)) return mutant;
  const [first, ...others] = parent.connections;
  if (first === undefined) return parent;
  return genomeOf(parent.hidden, [
    { ...first, weight: rounded(first.weight - Math.sign(first.weight || 1) * limit, limit) },
    ...others,
  ]);
}

function withWeights(genome: Genome, weights: readonly number[], limit: number, place: string): Genome {
  const { hidden, connections } = genome;
  if (weights.length !== connections.length)
    throw invalid(place, `there are ${weights.length} weights`, `the genome has ${connections.length} connections`);
  return genomeOf(
    hidden,
    connections.map((one, i) => ({ ...one, weight: rounded(weights[i] ?? 0, limit) })),
  );
}
