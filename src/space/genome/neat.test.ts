import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../../common/random.ts';
import { searchSpaceConformance } from '../testing/conformance.ts';
import type { Genome } from './genome.ts';
import { neatSpace } from './neat.ts';
import { hasCycle } from './paths.ts';

for (const [name, options] of Object.entries({
  minimal: {},
  recurrent: { recurrent: true, bias: 0 },
  random: { start: 'random' },
  fixed: { start: 'layered', growth: false, hidden: 3 },
} as const))
  searchSpaceConformance(neatSpace(name, { inputs: 3, outputs: 2, ...options }));

const space = neatSpace('xor', { inputs: 2, outputs: 1 });
const first = space.sample(rng('first'));
const marks = ({ connections }: Genome) => connections.map(({ innovation }) => innovation);
const rates = { disabled: 0.75, averaging: 0 };

/** `steps` mutations of which each is structural where it can be. */
function grown(steps: number, of = space): Genome {
  let genome: Genome = of.sample(rng('grown'));
  for (let step = 0; step < steps; step++) {
    const stream = rng('grow', step);
    const move = step % 2 === 0 ? of.genome.addNode(genome, stream) : of.genome.addConnection(genome, stream);
    genome = of.check(move ?? genome);
  }
  return genome;
}

suite('genomes', () => {
  test('a sample has all inputs and the bias lead to all outputs, with weights in [-1, 1]', () => {
    assert.deepEqual(
      first.connections.map(({ from, to, enabled }) => [from, to, enabled]),
      [
        [0, 3, true],
        [1, 3, true],
        [2, 3, true],
      ],
    );
    assert.ok(first.connections.every(({ weight }) => Math.abs(weight) <= 1));
    assert.deepEqual(first.hidden, []);
  });

  test('a new node splits a connection: weight 1 into it, the old weight out of it, the old connection disabled', () => {
    const split = space.check(space.genome.addNode(first, rng('split')));
    const [id] = split.hidden;
    const old = split.connections.find(({ enabled }) => !enabled) ?? assert.fail();
    assert.notEqual(old.from, 2, 'connections from the bias are not split');
    const into = split.connections.find(({ to }) => to === id);
    const out = split.connections.find(({ from }) => from === id);
    assert.deepEqual([into?.from, into?.to, into?.weight], [old.from, id, 1]);
    assert.deepEqual([out?.from, out?.to, out?.weight], [id, old.to, old.weight]);
  });

  test('equal changes have equal innovation numbers in any genome, a second split of a connection another', () => {
    const other = space.sample(rng('other'));
    const once = (genome: Genome) => space.check(space.genome.addNode(genome, rng('same')));
    assert.deepEqual(marks(once(first)), marks(once(other)));
    const both = neatSpace('one', { inputs: 1, outputs: 1, bias: 0 });
    const split = both.check(both.genome.addNode(both.sample(rng('one')), rng(0)));
    const enabled = {
      ...split,
      connections: split.connections.map((one) => ({ ...one, enabled: one.innovation === 1 })),
    };
    const again = both.check(both.genome.addNode(enabled, rng(1)));
    assert.equal(new Set(again.hidden).size, 2);
  });

  test('a gene has a larger number than those that it descends from', () => {
    const genome = grown(12);
    for (const { innovation, from, to } of genome.connections)
      for (const end of [from, to])
        if (end >= 2 ** 32) assert.ok(Math.floor(innovation / 2 ** 32) >= Math.floor(end / 2 ** 32));
    assert.ok(genome.hidden.length >= 5);
  });

  test('feed-forward networks never get a cycle, recurrent ones may', () => {
    assert.equal(hasCycle(grown(40).connections), false);
    const recurrent = neatSpace('recurrent', { inputs: 2, outputs: 1, recurrent: true });
    assert.equal(hasCycle(grown(40, recurrent).connections), true);
    assert.throws(() => space.check(grown(40, recurrent)), {
      name: 'UserError',
      message: /must not leave an output|form a cycle/,
    });
  });

  test('a child has the structure of the better parent and, of genes that both have, weights of either', () => {
    const better = grown(6);
    const other = space.check(space.genome.perturb(first, { power: 2.5, replaced: 0 }, rng('other')));
    const child = space.check(space.genome.cross(better, other, rates, rng('child')));
    assert.deepEqual(marks(child), marks(better));
    const weightsOf = ({ connections }: Genome) => new Map(connections.map((one) => [one.innovation, one.weight]));
    const [mine, theirs] = [weightsOf(better), weightsOf(other)];
    const from = child.connections.map(({ innovation, weight }) =>
      weight === mine.get(innovation) ? 'better' : weight === theirs.get(innovation) ? 'other' : 'neither',
    );
    assert.ok(from.includes('other') && from.includes('better') && !from.includes('neither'));
  });

  test('alignment counts matching, disjoint and excess genes by number', () => {
    const genome = (weights: Readonly<Record<number, number>>): Genome => {
      const at = new Map(Object.entries(weights).map(([end, weight]) => [Number(end), weight]));
      const wide = neatSpace('wide', { inputs: 6, outputs: 1, bias: 0 });
      const whole = wide.sample(rng('wide'));
      const connections = whole.connections.flatMap((one) => {
        const weight = at.get(one.from);
        return weight === undefined ? [] : [{ ...one, weight }];
      });
      return { hidden: [], connections };
    };
    const wide = neatSpace('wide', { inputs: 6, outputs: 1, bias: 0 });
    const a = wide.check(genome({ 0: 1, 1: 2, 3: 1 }));
    const b = wide.check(genome({ 0: 2, 2: 1, 3: 1.5, 4: 1, 5: 1 }));
    assert.deepEqual(wide.genome.align(a, b), { genes: 5, disjoint: 2, excess: 2, difference: 0.75 });
    assert.deepEqual(wide.genome.align(b, a), wide.genome.align(a, b));
  });

  test('a wrong genome is refused with the place', () => {
    const [one] = first.connections;
    const refused = (connection: object) => () => space.check({ hidden: [], connections: [{ ...one, ...connection }] });
    assert.throws(
      refused({ innovation: 99 }),
      /connections\[0\] .* the innovation number of a connection between these/,
    );
    assert.throws(refused({ to: 1 }), /must lead from a node to a hidden node or an output/);
    assert.throws(refused({ weight: 9 }), /its weight must be within ±8/);
    assert.throws(() => space.parse('0>3:1 0>3:2'), /has a node or a connection twice/);
    assert.throws(() => neatSpace('bad', { inputs: 0, outputs: 1 }), /inputs is 0; must be a whole number/);
    assert.throws(
      () => neatSpace('bad', { inputs: 1, outputs: 1, growth: false, start: 'random' }),
      /a fixed structure is/,
    );
  });

  test('a space of one structure takes weights as a vector, moved to its limit, and refuses another structure', () => {
    const fixed = neatSpace('fixed', { inputs: 2, outputs: 1, growth: false, start: 'layered', hidden: 2 });
    const member = fixed.sample(rng('member'));
    assert.equal(fixed.genome.weights(member).length, 2 * 3 + 2 + 1);
    const moved = fixed.genome.withWeights(member, [100, ...fixed.genome.weights(member).slice(1)]);
    assert.equal(fixed.genome.weights(moved)[0], 8);
    assert.throws(() => fixed.check(first), /has another structure/);
    assert.throws(() => fixed.genome.withWeights(member, [1]), /there are 1 weights/);
    assert.equal(fixed.genome.addNode(member, rng(0)), undefined);
  });
});
