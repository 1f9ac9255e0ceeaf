/** The time of one generation of 1,000 genomes on two poles with velocities, beside neat-python, for the same episodes. */
import { rng } from '../../../src/common/random.ts';
import { doublePole } from '../../../src/control/environments/poles.ts';
import { playGenome } from '../../../src/control/genome-episode.ts';
import { genomeNetwork } from '../../../src/control/genome-network.ts';
import { sourcesOf } from '../../../src/space/genome/genes.ts';
import { neatSpace } from '../../../src/space/genome/neat.ts';
import { layersOf } from '../../../src/space/genome/paths.ts';
import { createStrategy } from '../../../src/strategy/index.ts';
import type { Outcome, Problem } from '../../../src/strategy/strategy.ts';
import { inputToLastLine } from '../../engine/processes.ts';

const POPULATION = 1000;
/** Steps of an episode at most. */
const STEPS = 1000;
/** The generation that is timed. */
const GENERATION = 3;

/** Seconds of the processor that this process has taken, all its threads together: other programs on the machine do not count. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Seconds are of the processor. */
export interface Speed {
  readonly steps: number;
  readonly episodesSeconds: number;
  readonly breedingSeconds: number;
}

/**
 * The episodes of the third generation, and the breeding of the next one, timed here and by neat-python: there the same networks play the
 * same episodes in the same physics, written in Python, and its own population of as many genomes is bred and speciated.
 */
export async function compareSpeed(python: string): Promise<Readonly<Record<string, unknown>>> {
  const space = neatSpace('double pole', { inputs: 6, outputs: 1, bias: 0.5 });
  const strategy = createStrategy('neat', { population: POPULATION });
  const environment = doublePole({ maxSteps: STEPS });
  const lanes = environment.open(1);
  const task: Problem = {
    ...{ space, limits: [], seed: 0, costs: () => ({}) },
    objectives: [{ metric: 'fitness', direction: 'maximize', unit: 'score' }],
    fidelities: [{ epochs: 1, data: 1, resolution: 1, width: 1 }],
  };
  let state = strategy.init(task);
  let [ours, sent] = [{ steps: 0, episodesSeconds: 0, breedingSeconds: 0 }, [] as unknown[]];
  for (let generation = 1; generation <= GENERATION; generation++) {
    const before = cpuSeconds();
    const [asked, proposals] = await strategy.ask(task, state, (generation - 1) * POPULATION, POPULATION);
    const born = cpuSeconds();
    let steps = 0;
    const outcomes = proposals.map(({ architecture, fidelity }, i): Outcome => {
      const played = playGenome(
        genomeNetwork(space.check(architecture), space.shape),
        lanes,
        environment.action,
        rng('start'),
      );
      steps += played.steps;
      const trial = (generation - 1) * POPULATION + i;
      return {
        trial,
        architecture,
        fidelity,
        state: 'complete',
        metrics: { fitness: played.return },
        seconds: 0,
        origin: 'asked',
      };
    });
    const played = cpuSeconds();
    state = await strategy.tell(task, asked, outcomes);
    const told = cpuSeconds();
    ours = { steps, episodesSeconds: played - born, breedingSeconds: told - played + born - before };
    sent = proposals.map(({ architecture }) => networkOf(space.check(architecture), sourcesOf(space.shape)));
  }
  const input = JSON.stringify({
    networks: sent,
    inputs: 6,
    bias: 0.5,
    output: 7,
    population: POPULATION,
    steps: STEPS,
  });
  const theirs = inputToLastLine(python, [`${import.meta.dirname}/neat_python.py`], input) as Speed;
  const total = ({ episodesSeconds, breedingSeconds }: Speed) => episodesSeconds + breedingSeconds;
  return {
    netsmith: ours,
    neatPython: theirs,
    // Observations and actions are float32 here and float64 there, so a few episodes end a few steps earlier or later.
    stepsDifference: theirs.steps / ours.steps - 1,
    factor: total(theirs) / total(ours),
  };
}

/** Nodes in order, each with the nodes that it reads and their weights. */
function networkOf(genome: ReturnType<ReturnType<typeof neatSpace>['sample']>, sources: number) {
  const enabled = genome.connections.filter((one) => one.enabled);
  const nodes = [sources, ...genome.hidden];
  const layers =
    layersOf(
      nodes,
      enabled.filter(({ from }) => from >= sources),
    ) ?? [];
  return layers
    .flat()
    .map((node) => [node, enabled.filter(({ to }) => to === node).map(({ from, weight }) => [from, weight])]);
}
