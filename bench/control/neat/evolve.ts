/** One search, generation by generation, as in the paper: until the problem is solved, or for a number of generations. */

import { genomeCosts } from '../../../src/network/genome.ts';
import type { NeatSpaceOptions } from '../../../src/space/genome/neat.ts';
import { neatSpace } from '../../../src/space/genome/neat.ts';
import type { Architecture } from '../../../src/space/space.ts';
import type { NeatState } from '../../../src/strategy/evolution/neat.ts';
import type { Species } from '../../../src/strategy/evolution/species.ts';
import { createStrategy } from '../../../src/strategy/index.ts';
import type { Outcome, Problem } from '../../../src/strategy/strategy.ts';
import type { BenchProblem } from './problems.ts';

export interface Contender {
  readonly name: string;
  readonly strategy: string;
  readonly options?: Readonly<Record<string, number | boolean | string>>;
  readonly space?: Partial<NeatSpaceOptions>;
}

/** NEAT, its four ablations (section 5 of the paper), and searches of the weights alone. */
export const CONTENDERS: readonly Contender[] = [
  { name: 'neat', strategy: 'neat' },
  { name: 'no growth', strategy: 'neat', space: { growth: false, start: 'layered', hidden: 10 } },
  { name: 'initial random', strategy: 'neat', space: { start: 'random', hidden: 10 } },
  { name: 'no speciation', strategy: 'neat', options: { speciation: false } },
  {
    name: 'no speciation, initial random',
    strategy: 'neat',
    options: { speciation: false },
    space: { start: 'random', hidden: 10 },
  },
  { name: 'no mating', strategy: 'neat', options: { mutationOnly: 1 } },
  {
    name: 'genetic algorithm',
    strategy: 'evolution',
    space: { growth: false, start: 'layered', hidden: 10 },
    options: { replacement: 'generational', population: 150, elite: 5 },
  },
  { name: 'cma-es', strategy: 'cma-es', space: { growth: false, start: 'layered', hidden: 10 } },
];

/** How a search ended: a row of the results. */
export interface Row {
  readonly problem: string;
  readonly contender: string;
  readonly seed: number;
  readonly solved: boolean;
  /** Up to and with the one that solved the problem; of a champion that passed its test, up to the end of its generation. */
  readonly evaluations: number;
  readonly generations: number;
  readonly hidden: number;
  readonly connections: number;
  /** Of the test of generalization, of 625. */
  readonly starts?: number;
  readonly steps: number;
  readonly seconds: number;
}

export async function evolve(
  problem: BenchProblem,
  contender: Contender,
  seed: number,
  generations: number,
): Promise<Row> {
  const started = performance.now();
  const space = neatSpace(problem.name, { ...problem.space, ...contender.space });
  const options = { ...(contender.strategy === 'neat' && problem.options), ...contender.options };
  const strategy = createStrategy(contender.strategy, options);
  const task: Problem = {
    ...{ space, limits: [], seed, costs: (one) => genomeCosts(space.check(one)) },
    objectives: [{ metric: 'fitness', direction: 'maximize', unit: 'score' }],
    fidelities: [{ epochs: 1, data: 1, resolution: 1, width: 1 }],
  };
  const { score, test } = problem.open();
  let state = strategy.init(task);
  let [evaluations, steps] = [0, 0];
  const end = (solved: boolean, generation: number, best?: Architecture, starts?: number): Row => {
    const { hidden, params } = best === undefined ? { hidden: 0, params: 0 } : genomeCosts(space.check(best));
    return {
      ...{ problem: problem.name, contender: contender.name, seed, solved, evaluations, generations: generation },
      ...{ hidden, connections: params, ...(starts !== undefined && { starts }), steps },
      seconds: Math.round(performance.now() - started) / 1000,
    };
  };
  let best: Outcome | undefined;
  const tested = new Map<number, number>();
  for (let generation = 1; generation <= generations; generation++) {
    const [asked, proposals] = await strategy.ask(task, state, evaluations, problem.population);
    const outcomes: Outcome[] = [];
    best = undefined;
    for (const { architecture, fidelity } of proposals) {
      const { fitness, steps: played, solved } = score(space.check(architecture), space.shape);
      steps += played;
      const metrics = { fitness };
      const outcome: Outcome = {
        trial: evaluations++,
        architecture,
        fidelity,
        state: 'complete',
        metrics,
        seconds: 0,
        origin: 'asked',
      };
      if (solved && test === undefined) return end(true, generation, architecture);
      if (best === undefined || fitness > (best.metrics.fitness ?? 0)) best = outcome;
      outcomes.push(outcome);
    }
    state = await strategy.tell(task, asked, outcomes);
    const champion = hasSpecies(state) ? championToTest(state.species, tested) : best?.architecture;
    if (test !== undefined && champion !== undefined) {
      const { solved, starts } = test(space.check(champion), space.shape);
      if (solved) return end(true, generation, champion, starts);
    }
  }
  return end(false, generations, best?.architecture);
}

const hasSpecies = (state: unknown): state is NeatState =>
  typeof state === 'object' && state !== null && 'species' in state;

/**
 * The champion that is tested after a generation, as in Stanley's code: that of the best species that was not tested since its best fitness
 * rose; where all were, of the best one. So one that fails the test again and again does not stand before the others. `tested` holds, by
 * species, the best fitness at its last test. Differs: species without children in the next generation are not tested.
 */
function championToTest(species: readonly Species[], tested: Map<number, number>): Architecture | undefined {
  const inOrder = species.toSorted((a, b) => fitnessOf(b) - fitnessOf(a));
  const chosen = inOrder.find(({ id, best }) => best > (tested.get(id) ?? Number.NEGATIVE_INFINITY)) ?? inOrder[0];
  if (chosen === undefined) return undefined;
  tested.set(chosen.id, chosen.best);
  return chosen.parents[0]?.architecture;
}

const fitnessOf = ({ parents }: Species): number => parents[0]?.fitness ?? Number.NEGATIVE_INFINITY;
