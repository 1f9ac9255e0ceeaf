import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../../common/random.ts';
import type { Genome } from '../../space/genome/genome.ts';
import { neatSpace } from '../../space/genome/neat.ts';
import { SPACES, searchSpaceOf } from '../../space/index.ts';
import type { SearchSpace } from '../../space/search-space.ts';
import type { Architecture } from '../../space/space.ts';
import { createStrategy } from '../index.ts';
import type { Outcome, Problem } from '../strategy.ts';
import { strategyConformance } from '../testing/conformance.ts';
import { nasBench201, problemOf, pseudoCosts, pseudoOutcome, tinySpace } from '../testing/problems.ts';
import { apportion, distance, type Lineage, nextLineage } from './species.ts';

const growing = neatSpace('growing', { inputs: 2, outputs: 1 });
const fixed = neatSpace('fixed', { inputs: 2, outputs: 1, growth: false, start: 'layered', hidden: 2 });

function problemOn(space: SearchSpace, changes: Partial<Problem> = {}): Problem {
  return {
    ...{ space, limits: [], seed: 1, costs: pseudoCosts, ...changes },
    objectives: [{ metric: 'accuracy', direction: 'maximize', unit: 'share' }],
    fidelities: [{ epochs: 1, data: 1, resolution: 1, width: 1 }],
  };
}

strategyConformance(() => createStrategy('neat', { population: 6 }), problemOn(growing));
strategyConformance(
  () => createStrategy('neat', { population: 5, mutationOnly: 0, interspecies: 1 }),
  problemOn(fixed),
);
strategyConformance(() => createStrategy('cma-es', { population: 4 }), problemOn(fixed));

const layers = searchSpaceOf(
  SPACES['layer-genomes'].create({ kind: 'classification', input: [3, 8, 8], outputs: 10 }, { layers: 6 }),
);
strategyConformance(() => createStrategy('layer-neat', { population: 6 }), problemOn(layers));

/** Plays `trials`, one at a time. */
async function play(name: string, options: object, problem: Problem, trials: number, value: (one: Genome) => number) {
  const strategy = createStrategy(name, { ...options });
  let state = strategy.init(problem);
  const told: Outcome[] = [];
  for (let trial = 0; trial < trials; trial++) {
    const [asked, proposals] = await strategy.ask(problem, state, trial, 1);
    for (const proposal of proposals) {
      const accuracy = value(genomeOf(problem.space, proposal.architecture));
      told.push({ ...pseudoOutcome(proposal, trial), metrics: { accuracy } });
    }
    state = await strategy.tell(problem, asked, told.slice(-1));
  }
  return { state, told };
}

/** A member of one of the two spaces; the second has the structure of its own alone. */
const genomeOf = (space: SearchSpace, one: Architecture): Genome => (space === fixed ? fixed : growing).check(one);

const keyOf = (one: Architecture | undefined) => JSON.stringify(one);

suite('layer-neat', () => {
  const strategy = createStrategy('layer-neat', { population: 8, threshold: 2 });
  const problem = problemOn(layers);
  /** How many separable convolutions a network has. */
  const separable = (one: Architecture) => layers.format(one).split('sepConv').length - 1;

  test('networks grow towards what is fitter, in species, as random search does not', async () => {
    let state = strategy.init(problem);
    let best = 0;
    for (let trial = 0; trial < 160; trial++) {
      const [asked, proposals] = await strategy.ask(problem, state, trial, 1);
      const told = proposals.map((proposal): Outcome => {
        best = Math.max(best, separable(proposal.architecture));
        return { ...pseudoOutcome(proposal, trial), metrics: { accuracy: separable(proposal.architecture) / 6 } };
      });
      state = await strategy.tell(problem, asked, told);
    }
    assert.ok(best >= 5, `the best network has ${best} separable convolutions`);
    assert.ok((state as unknown as Lineage).species.length > 1);
  });

  test('refuses a space without genes; cma-es refuses genomes without weights', () => {
    assert.throws(() => strategy.init(problemOf(nasBench201)), /the members of space "nas-bench-201" are no genomes/);
    assert.throws(() => createStrategy('cma-es').init(problem), /differ in their structure/);
    assert.throws(() => createStrategy('tpe').init(problem), /space "layer-genomes" has no decisions/);
  });
});

suite('neat', () => {
  test('the champion of a species of more than five is proposed again, unchanged, first of its species', async () => {
    const { told } = await play('neat', { population: 10 }, problemOn(growing), 20, (one) => sumOf(one));
    const first = told.slice(0, 10);
    const best = first.reduce((a, b) => ((b.metrics.accuracy ?? 0) > (a.metrics.accuracy ?? 0) ? b : a));
    assert.equal(keyOf(told[10]?.architecture), keyOf(best.architecture));
    const { told: others } = await play(
      'neat',
      { population: 10, championFrom: 10, weights: 1 },
      problemOn(growing),
      20,
      sumOf,
    );
    assert.ok(others.slice(10).every((one) => keyOf(one.architecture) !== keyOf(best.architecture)));
  });

  test('children do not depend on the order in which a generation was measured', async () => {
    const strategy = createStrategy('neat', { population: 10 });
    const problem = problemOn(growing);
    const [asked, proposals] = await strategy.ask(problem, strategy.init(problem), 0, 10);
    const outcomes = proposals.map(pseudoOutcome);
    const after = async (order: readonly Outcome[]) => {
      let state = asked;
      for (const one of order) state = await strategy.tell(problem, state, [one]);
      return (await strategy.ask(problem, state, 10, 10))[1];
    };
    assert.deepEqual(await after(outcomes.toReversed()), await after(outcomes));
  });

  test('without growth rates no network grows', async () => {
    const still = { population: 10, addNode: 0, addConnection: 0 };
    const { told } = await play('neat', still, problemOn(growing), 60, sumOf);
    assert.ok(told.every(({ architecture }) => growing.check(architecture).connections.length === 3));
    const grows = await play('neat', { population: 10, addNode: 0.5 }, problemOn(growing), 60, sumOf);
    assert.ok(grows.told.some(({ architecture }) => growing.check(architecture).hidden.length > 1));
  });

  test('without mating a child has the weights of one parent, with it also those of two', async () => {
    const rates = { population: 10, survival: 1, weights: 0, addNode: 0, addConnection: 0 };
    const areCopies = async (mutationOnly: number) => {
      const { told } = await play('neat', { ...rates, mutationOnly }, problemOn(growing), 20, sumOf);
      const first = told.slice(0, 10).map(({ architecture }) => keyOf(architecture));
      return told.slice(10).every(({ architecture }) => first.includes(keyOf(architecture)));
    };
    assert.deepEqual([await areCopies(1), await areCopies(0)], [true, false]);
  });

  test('a space without genomes is refused by name', () => {
    for (const name of ['neat', 'cma-es'])
      assert.throws(() => createStrategy(name).init(problemOf(nasBench201)), {
        name: 'UserError',
        message: `strategy "${name}": the members of space "nas-bench-201" are no genomes; needs a space of genomes (\`layer-genomes\`, \`neatSpace\`)`,
      });
    assert.throws(() => createStrategy('neat').init(problemOf(tinySpace)), /are no genomes/);
    assert.throws(() => createStrategy('cma-es').init(problemOn(growing)), /needs a space with one structure/);
  });

  test('cma-es finds the weights of a target, a thousandth of the distance of random ones', async () => {
    const target = fixed.genome.weights(fixed.sample(rng('target')));
    const far = (one: Genome) => Math.hypot(...fixed.genome.weights(one).map((w, i) => w - (target[i] ?? 0)));
    const { told } = await play('cma-es', {}, problemOn(fixed), 800, (one) => -far(one));
    const best = Math.max(...told.map(({ metrics }) => metrics.accuracy ?? 0));
    assert.ok(best > -0.002, `${best}`);
  });
});

/** The sum of weights: fitness that grows by mutation alone. */
const sumOf = ({ connections }: Genome): number => connections.reduce((sum, { weight }) => sum + weight, 100);

suite('species', () => {
  const options = {
    ...{ population: 10, speciation: true, excess: 1, disjoint: 1, weight: 0.4, normalizeFrom: 0, threshold: 3 },
    ...{ survival: 0.2, stagnation: 15, populationStagnation: 20, moves: growing.genome, seed: 0 },
  };
  const start = { generation: 0, species: [], nextSpecies: 0, best: null, improved: 0 };
  const small = growing.sample(rng('small'));
  /** Four splits: eight genes that the small one has not. */
  const large = [0, 1, 2, 3].reduce(
    (genome: Architecture, step) => growing.genome.addNode(genome, rng('split', step)) ?? genome,
    small,
  );
  const born = (fitness: readonly (readonly [Architecture, number])[]) =>
    fitness.map(([architecture, value], trial) => ({ trial, architecture, fitness: value }));

  test('different structures are different species, and share children by their mean fitness', () => {
    const all = born([...[5, 5, 5, 5].map((f) => [small, f] as const), [large, 10]]);
    const { species } = nextLineage(start, all, options);
    assert.deepEqual(
      species.map(({ size, offspring }) => [size, offspring]),
      [
        [4, 3],
        [1, 7],
      ],
    );
    const { species: one } = nextLineage(start, all, { ...options, speciation: false });
    assert.deepEqual(
      one.map(({ size, offspring }) => [size, offspring]),
      [[5, 10]],
    );
  });

  test('the best fifth, and one more, have children', () => {
    const { species } = nextLineage(start, born([1, 5, 3, 4, 2, 0, 0, 0, 0, 0].map((f) => [small, f])), options);
    assert.deepEqual(
      species[0]?.parents.map(({ fitness }) => fitness),
      [5, 4, 3],
    );
  });

  test('a species that has not improved for 15 generations has no children, whatever its fitness', () => {
    const step = (lineage: Lineage, value: number) =>
      nextLineage(
        lineage,
        born([
          [small, 9],
          [large, value],
        ]),
        options,
      );
    const ids = ({ species: found }: Lineage) => found.map(({ id }) => id);
    let lineage = nextLineage(
      start,
      born([
        [small, 9],
        [large, 1],
      ]),
      options,
    );
    for (let generation = 1; generation < 15; generation++) lineage = step(lineage, 1 + generation / 100);
    assert.deepEqual(ids(lineage), [0, 1]);
    assert.deepEqual(ids(step(lineage, 1.15)), [1]);
  });

  test('where no species improves, the best two have children and begin to count again', () => {
    let lineage: Lineage = start;
    const others = [large, growing.genome.addNode(large, rng('third')) ?? large];
    const step = () => {
      lineage = nextLineage(
        lineage,
        born([
          [small, 9],
          [others[0] ?? small, 2],
          [others[1] ?? small, 1],
        ]),
        { ...options, threshold: 0.5 },
      );
      return lineage.species.map(({ id, improved }) => [id, improved]);
    };
    for (let generation = 0; generation < 15; generation++) step();
    assert.deepEqual(step(), [
      [0, 15],
      [1, 15],
    ]);
  });

  test('N of the distance is the number of genes from a size on, if one is given', () => {
    const { genes, disjoint, excess, difference } = growing.genome.align(small, large);
    const rest = 0.4 * difference;
    const at = (normalizeFrom: number) => distance(growing.genome, small, large, { ...options, normalizeFrom });
    assert.equal(at(0), disjoint + excess + rest);
    assert.equal(at(genes), (disjoint + excess) / genes + rest);
    assert.equal(at(genes + 1), at(0));
  });

  test('negative fitness is shifted, and nothing is lost in the shares', () => {
    const { species } = nextLineage(
      start,
      born([
        [small, -10],
        [small, -10],
        [large, -5],
      ]),
      options,
    );
    assert.deepEqual(
      species.map(({ id, offspring }) => [id, offspring]),
      [[1, 10]],
    );
    assert.deepEqual(apportion(10, [1, 1, 1]), [4, 3, 3]);
    assert.deepEqual(apportion(3, [0, 0]), [2, 1]);
  });
});
