import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { networkCosts } from '../network/costs.ts';
import {
  architectureKey,
  conv,
  defineSpace,
  first,
  linear,
  pick,
  resolve,
  SPACES,
  sequential,
  successor,
} from '../space/index.ts';
import type { Architecture, Space } from '../space/space.ts';
import { constrained } from '../space/tree/constrain.ts';
import { countingSpace } from '../space/testing/counting.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { createStrategy, STRATEGIES } from './index.ts';
import { sampleWithin, withinLimits } from './limits.ts';
import { areRare, findMembers, membersOf } from './members.ts';
import type { Outcome, Problem, Strategy } from './strategy.ts';
import { nasBench201, problemOf, pseudoOutcome, RISING, tinySpace } from './testing/problems.ts';

const WIDTHS = [1, 2, 3, 4, 5, 6, 7, 8] as const;
const LAYERS = ['a', 'b', 'c', 'd', 'e'] as const;

/** 32,768 architectures, whose costs are the sum of their widths: 5 at least. */
const wide: Space = defineSpace('wide', () =>
  sequential(...LAYERS.map((name) => conv(pick(name, WIDTHS), 1)), linear('outputs')),
).create({ kind: 'classification', input: [3, 4, 4], outputs: 2 });

const sumOfWidths = (architecture: Architecture) => ({
  params: Object.values(architecture).reduce<number>((sum, width) => sum + Number(width), 0),
});

const limited = (max: number, changes: Partial<Problem> = {}) =>
  problemOf(wide, { costs: sumOfWidths, limits: [{ cost: 'params', max }], ...changes });

function all(space: Space): Architecture[] {
  const found: Architecture[] = [];
  for (let one: Architecture | undefined = first(space); one; one = successor(space, one)) found.push(one);
  return found;
}

const keys = (architectures: readonly Architecture[]) => architectures.map(architectureKey).sort();

/** What a strategy proposes, one at a time, until it proposes nothing. */
async function play(strategy: Strategy, problem: Problem, most: number): Promise<Outcome[]> {
  let state = strategy.init(problem);
  const told: Outcome[] = [];
  while (told.length < most) {
    const [asked, [proposal]] = await strategy.ask(problem, state, told.length, 1);
    if (proposal === undefined) break;
    const outcome = pseudoOutcome(proposal, told.length);
    told.push(outcome);
    state = await strategy.tell(problem, asked, [outcome]);
  }
  return told;
}

suite('members near the smallest', () => {
  test('are those of exhaustive search', () => {
    const [smallest, few] = [limited(5), limited(6)];
    assert.equal(findMembers(smallest).members.length, 1);
    assert.deepEqual(keys(findMembers(few).members), keys(all(wide).filter((one) => withinLimits(few, one))));
    assert.ok(findMembers(few).complete && !findMembers(few).proved);
  });

  test('are those of exhaustive search in a space of this package', () => {
    const whole = SPACES.mlp.create({ kind: 'classification', input: [13], outputs: 2 });
    // 2,340 of its 28,080 architectures: a cost of each is measured.
    const mlp = constrained(whole, { fix: { activation: 'relu', normalisation: 'none' } });
    const costs = new Map(
      all(mlp).map((one) => [architectureKey(one), { params: networkCosts(resolve(mlp, one), mlp.task).params }]),
    );
    const least = Math.min(...[...costs.values()].map(({ params }) => params));
    const max = Math.ceil(least * 1.1);
    const expected = [...costs].filter(([, { params }]) => params <= max).map(([key]) => key);
    const problem = problemOf(mlp, {
      limits: [{ cost: 'params', max }],
      costs: (one) => costs.get(architectureKey(one)) ?? {},
    });
    assert.ok(areRare(problem));
    assert.deepEqual(keys(membersOf(problem)?.members ?? []), expected.sort());
    assert.throws(() => sampleWithin({ ...problem, limits: [{ cost: 'params', max: least - 1 }] }, 0), {
      name: 'UserError',
      message: new RegExp(
        `^limits params <= ${least - 1}: no architecture found in space "mlp" .*\\(the smallest found has ${least} parameters\\)`,
      ),
    });
  });

  const tools = { engine: async () => referenceEngine() };
  for (const { name, create } of Object.values(STRATEGIES).filter((one) => !('needsGenome' in one)))
    test(`${name} finds one`, async () => {
      const problem = limited(5);
      const [{ architecture }] = (await play(create({}, tools), problem, 1)) as [Outcome];
      assert.ok(withinLimits(problem, architecture));
    });

  test('every one of them is drawn', () => {
    const drawn = new Set(Array.from({ length: 60 }, (_, trial) => architectureKey(sampleWithin(limited(6), trial))));
    assert.equal(drawn.size, 6);
  });

  test('do not depend on the seed that first asked for them', () => {
    const draws = (seed: number, before: readonly number[]) => {
      const problem = limited(6, { costs: (one) => sumOfWidths(one) }); // Nothing is remembered of it.
      for (const earlier of before) sampleWithin({ ...problem, seed: earlier }, 0);
      return Array.from({ length: 8 }, (_, trial) => sampleWithin({ ...problem, seed }, trial));
    };
    assert.deepEqual(draws(3, []), draws(3, [1, 2]));
  });

  test('of a small space they are enumerated, and an error says what is smallest', () => {
    const problem = problemOf(tinySpace, { limits: [{ cost: 'params', max: -1 }] });
    const smallest = Math.min(...all(tinySpace).map((one) => problem.costs(one).params ?? 0));
    assert.throws(() => sampleWithin(problem, 0), {
      message: new RegExp(
        `no architecture of space "tiny" is within them \\(the smallest has ${smallest} parameters\\)`,
      ),
    });
  });

  test('of a space without a tree, mutations lead to them; an error says how near they came', () => {
    const below = (max: number): Problem => ({
      ...problemOf(tinySpace, { limits: [{ cost: 'params', max }] }),
      space: countingSpace(300, 100),
      costs: ({ n }) => ({ params: Number(n) }),
    });
    assert.equal(areRare(below(5)), true);
    const found = Array.from({ length: 5 }, (_, trial) => Number(sampleWithin(below(5), trial).n));
    assert.ok(found.every((n) => n <= 5));
    assert.ok(new Set(found).size > 1, 'only one of them is ever proposed');
    assert.throws(() => sampleWithin(below(-1), 0), {
      name: 'UserError',
      message: /no architecture found in space "counting" within them \(the smallest found has 0 parameters\)/,
    });
  });

  test('where members are many there is no list', () => {
    assert.equal(membersOf(limited(20)), undefined);
    assert.equal(membersOf(problemOf(nasBench201, { limits: [{ cost: 'params', max: 500 }] })), undefined);
  });
});

suite('a space that is used up', () => {
  test('unique proposes each rare member once, then nothing', async () => {
    const told = await play(createStrategy('unique'), limited(6), 50);
    assert.equal(told.length, 6);
    assert.equal(new Set(told.map(({ architecture }) => architectureKey(architecture))).size, 6);
  });

  for (const name of ['asha', 'hyperband', 'successive-halving', 'bohb'])
    test(`${name} ends, after one has reached the full fidelity`, async () => {
      for (const problem of [problemOf(tinySpace), limited(5), limited(6)]) {
        const told = await play(createStrategy(name), { ...problem, fidelities: RISING }, 500);
        assert.ok(told.length < 200, `${told.length}`);
        assert.ok(told.some(({ fidelity }) => fidelity === RISING.length - 1));
      }
    });
});
