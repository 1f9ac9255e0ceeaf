/** The problems of the paper, and what each contender makes of them. */
import { rng } from '../../../src/common/random.ts';
import type { Environment, Lanes } from '../../../src/control/environment.ts';
import { doublePole, generalizationStarts } from '../../../src/control/environments/poles.ts';
import { XOR_CASES } from '../../../src/control/environments/xor.ts';
import { playGenome } from '../../../src/control/genome-episode.ts';
import { genomeNetwork } from '../../../src/control/genome-network.ts';
import type { Genome, GenomeShape } from '../../../src/space/genome/genome.ts';
import type { NeatSpaceOptions } from '../../../src/space/genome/neat.ts';

export interface Score {
  readonly fitness: number;
  readonly steps: number;
  readonly solved: boolean;
}

export interface BenchProblem {
  readonly name: string;
  readonly space: NeatSpaceOptions;
  /** Options of `neat` where they differ from the defaults. */
  readonly options: Readonly<Record<string, number | boolean>>;
  readonly population: number;
  /** By the paper: mean number of evaluations. */
  readonly paper: number;
  /** Opens it: lanes are used again and again. */
  open(): {
    readonly score: (genome: Genome, shape: GenomeShape) => Score;
    readonly test?: (genome: Genome, shape: GenomeShape) => Test;
  };
}

/** What the champion of a generation is tested by, if its fitness does not say whether the problem is solved. */
export interface Test {
  readonly solved: boolean;
  /** Of 625 starts; -1: it failed before they were tried. */
  readonly starts: number;
}

const START = rng('start'); // The poles begin alike in all episodes.

function player(environment: Environment) {
  const lanes: Lanes = environment.open(1);
  return (genome: Genome, shape: GenomeShape, start: ArrayLike<number> | typeof START = START) =>
    playGenome(genomeNetwork(genome, shape), lanes, environment.action, start);
}

function scored(environment: Environment) {
  const play = player(environment);
  return (genome: Genome, shape: GenomeShape): Score => {
    const { fitness, steps, succeeded } = play(genome, shape);
    return { fitness, steps, solved: succeeded };
  };
}

/**
 * XOR in double precision, as in Stanley's code: fitness (4 - sum of errors)^2. The environment `xor` takes actions in float32, in which
 * large outputs are 1 exactly; then many networks tie at a fitness of 9, three cases right, and count as a population that stagnates.
 */
function scoreXor(genome: Genome, shape: GenomeShape): Score {
  const network = genomeNetwork(genome, shape);
  let [errors, right] = [0, 0];
  for (const { inputs, target } of XOR_CASES) {
    const output = network.activate(inputs)[0] ?? Number.NaN;
    errors += Math.abs(output - target);
    if (target === 1 ? output > 0.5 : output < 0.5) right++;
  }
  return { fitness: (4 - errors) ** 2, steps: XOR_CASES.length, solved: right === XOR_CASES.length };
}

/** Gruau's test: 100,000 steps, then at least 200 of 625 starts for 1,000 steps. */
function generalization(): (genome: Genome, shape: GenomeShape) => Test {
  const long = player(doublePole({ velocities: false, maxSteps: 100_000 }));
  const short = player(doublePole({ velocities: false, maxSteps: 1000 }));
  const starts = generalizationStarts();
  return (genome, shape) => {
    if (!long(genome, shape).succeeded) return { solved: false, starts: -1 };
    const count = starts.filter((start) => short(genome, shape, start).succeeded).length;
    return { solved: count >= 200, starts: count };
  };
}

export const PROBLEMS: readonly BenchProblem[] = [
  {
    ...{ name: 'xor', space: { inputs: 2, outputs: 1 }, options: {}, population: 150, paper: 4755 },
    open: () => ({ score: scoreXor }),
  },
  {
    ...{ name: 'double pole', space: { inputs: 6, outputs: 1, bias: 0.5 }, options: {}, population: 150, paper: 3600 },
    open: () => ({ score: scored(doublePole()) }),
  },
  {
    name: 'double pole without velocities',
    space: { inputs: 3, outputs: 1, bias: 0.5, recurrent: true },
    // The paper's, and the mutation power of Stanley's file for this problem, which the paper leaves open.
    options: { population: 1000, weight: 3, threshold: 4, addConnection: 0.3, power: 1.8 },
    ...{ population: 1000, paper: 33_184 },
    open: () => ({ score: scored(doublePole({ velocities: false })), test: generalization() }),
  },
];
