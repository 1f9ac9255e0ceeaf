import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { interpret } from '../graph/interpret.ts';
import { genomeGraph } from '../network/genome.ts';
import { GENOME_SPACES } from '../space/genome/definition.ts';
import { neatSpace } from '../space/genome/neat.ts';
import { spaceTask } from '../task/index.ts';
import { mountainCar } from './environments/mountain-car.ts';
import { doublePole } from './environments/poles.ts';
import { xor } from './environments/xor.ts';
import { playGenome, writeAction } from './genome-episode.ts';
import { genomeNetwork } from './genome-network.ts';
import { environmentData } from './train/on-environment.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-4.9 * x));
const near = (found: ArrayLike<number>, expected: readonly number[]) => {
  assert.equal(found.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs((found[i] ?? Number.NaN) - value) < 1e-12, `${found[i]}, ${value}`);
};

/** Inputs 0 and 1, bias 2, output 3; a hidden node between input 0 and the output, whose own connection is disabled. */
function chain(recurrent: boolean) {
  const space = neatSpace('chain', { inputs: 2, outputs: 1, bias: 0.5, recurrent });
  const plain = space.parse('0>3:0.25 1>3:-0.75 2>3:0.5');
  let genome = plain;
  for (let i = 0; genome.connections.find(({ from }) => from === 0)?.enabled !== false; i++)
    genome = space.check(space.genome.addNode(plain, rng(i)));
  return { space, genome };
}

test('feed-forward: a node comes after those that it reads, disabled connections carry nothing', () => {
  const { space, genome } = chain(false);
  const network = genomeNetwork(genome, space.shape);
  near(network.activate([0.3, 0.8]), [sigmoid(0.25 * sigmoid(0.3) - 0.75 * 0.8 + 0.5 * 0.5)]);
});

test('numbers of an observation are divided by their bounds, in play as in the file', () => {
  const data = environmentData(mountainCar, 'genome');
  const space = GENOME_SPACES.neat.open(spaceTask(data));
  near(space.shape.scale ?? [], [1 / 1.2, 1 / 0.07]);
  const genome = space.parse('0>3:0.5 1>4:-2 2>5:1');
  const expected = [sigmoid((0.5 * -0.6) / 1.2), sigmoid((-2 * 0.035) / 0.07), sigmoid(1)];
  near(genomeNetwork(genome, space.shape).activate([-0.6, 0.035]), expected);
  const { graph, weights } = genomeGraph(genome, space.shape);
  const { output } = interpret(graph, { ...weights, input: { shape: [1, 2], data: Float32Array.of(-0.6, 0.035) } });
  for (const [i, value] of expected.entries()) assert.ok(Math.abs((output?.data[i] ?? Number.NaN) - value) < 1e-6);
  const refused = () => neatSpace('short', { inputs: 2, outputs: 1, scale: [1] });
  assert.throws(refused, /scale is \[1\]; must be 2 finite numbers/);
});

test('recurrent: a value passes one connection a step, and a reset forgets it', () => {
  const { space, genome } = chain(true);
  const network = genomeNetwork(genome, space.shape);
  const direct = -0.75 * 0.8 + 0.5 * 0.5;
  near(network.activate([0.3, 0.8]), [sigmoid(direct)]);
  near(network.activate([0, 0.8]), [sigmoid(0.25 * sigmoid(0.3) + direct)]);
  network.reset();
  near(network.activate([0.3, 0.8]), [sigmoid(direct)]);
});

test('outputs become actions: the largest of several, or scaled to the bounds', () => {
  const action = new Float32Array(2);
  writeAction({ kind: 'discrete', count: 3 }, [0.2, 0.9, 0.4], action);
  assert.equal(action[0], 1);
  writeAction({ kind: 'continuous', size: 2, low: [-10, 0], high: [10, 4] }, [0.75, 0.25], action);
  assert.deepEqual([...action], [5, 1]);
});

test('a genome solves XOR and gets the fitness of its errors; a network that never pushes lets the poles fall', () => {
  const space = neatSpace('xor', { inputs: 2, outputs: 1 });
  const split = space.check(space.genome.addNode(space.sample(rng(0)), rng(0)));
  const [id = 0] = split.hidden;
  const solution = space.parse(`0>${id}:2 1>${id}:2 2>${id}:-3 0>3:2 1>3:2 2>3:-1 ${id}>3:-4`);
  const network = genomeNetwork(solution, space.shape);
  const solved = playGenome(network, xor.open(1), xor.action, rng(0));
  const cases = [
    [0, 0, 0],
    [0, 1, 1],
    [1, 0, 1],
    [1, 1, 0],
  ] as const;
  const errors = cases.reduce((sum, [a, b, y]) => sum + Math.abs((network.activate([a, b])[0] ?? 0) - y), 0);
  assert.equal(solved.succeeded, true);
  assert.ok(Math.abs(solved.fitness - (4 - errors) ** 2) < 1e-5);
  const still = neatSpace('poles', { inputs: 6, outputs: 1 });
  const environment = doublePole();
  const zero = still.genome.withWeights(still.sample(rng(0)), new Array(7).fill(0));
  const fallen = playGenome(
    genomeNetwork(still.check(zero), still.shape),
    environment.open(1),
    environment.action,
    rng(0),
  );
  assert.ok(!fallen.succeeded && fallen.steps < 100);
});
