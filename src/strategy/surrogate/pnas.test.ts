import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { deepFreeze } from '../../common/json.ts';
import type { Architecture } from '../../space/space.ts';
import type { Outcome, Problem } from '../strategy.ts';
import { assertBeatsRandom } from '../testing/against-random.ts';
import { conditionalSpace } from '../testing/conditional.ts';
import { strategyConformance } from '../testing/conformance.ts';
import { continuousSpace, nasBench201, problemOf, pseudoOutcome } from '../testing/problems.ts';
import { pnas } from './pnas.ts';

strategyConformance(() => pnas({ levels: 6, beam: 4, penalty: 1 }), problemOf(nasBench201));
strategyConformance(() => pnas({ levels: 2, beam: 5, penalty: 1 }), problemOf(conditionalSpace));
strategyConformance(() => pnas({ levels: 5, beam: 5, penalty: 1 }), problemOf(continuousSpace));

async function play(
  strategy: ReturnType<typeof pnas>,
  problem: Problem,
  trials: number,
  value: (architecture: Architecture) => number,
): Promise<Architecture[]> {
  const asked: Architecture[] = [];
  let state = strategy.init(problem);
  for (let trial = 0; trial < trials; trial++) {
    const [next, [proposal]] = await strategy.ask(problem, deepFreeze(state), trial, 1);
    assert.ok(proposal);
    asked.push(proposal.architecture);
    const metrics = { accuracy: value(proposal.architecture) };
    state = await strategy.tell(problem, deepFreeze(next), [{ ...pseudoOutcome(proposal, trial), metrics }]);
  }
  return asked;
}

const convs = (architecture: Architecture) =>
  Object.values(architecture).filter((one) => one === 'nor_conv_3x3').length;
/** The number of the last edge that is not at rest. */
const complexity = (architecture: Architecture) =>
  1 + Object.values(architecture).findLastIndex((value) => value !== 'skip_connect');

suite('progressive search', () => {
  test('networks grow level by level; what is not open yet is the identity', async () => {
    const asked = await play(pnas({ levels: 6, beam: 5, penalty: 1 }), problemOf(nasBench201), 30, convs);
    for (const [trial, one] of asked.entries())
      assert.ok(complexity(one) <= 1 + Math.floor(trial / 5), `trial ${trial}: ${JSON.stringify(one)}`);
    assert.equal(Math.max(...asked.map(complexity)), 6);
  });

  test('what is good for one decision is expected of the next one', async () => {
    const asked = await play(pnas({ levels: 6, beam: 5, penalty: 1 }), problemOf(nasBench201), 31, convs);
    assert.equal(convs(asked[5] ?? {}), 2); // The first of level 2 has the best option twice.
    assert.ok(asked.some((one) => convs(one) === 6));
  });

  test('when all decisions are open it continues, and measures nothing twice', async () => {
    const asked = await play(pnas({ levels: 2, beam: 5, penalty: 1 }), problemOf(nasBench201), 80, convs);
    assert.equal(new Set(asked.map((one) => JSON.stringify(one))).size, 80);
  });

  test('with results that are always some trials late it still grows', async () => {
    const strategy = pnas({ levels: 3, beam: 8, penalty: 1 });
    const problem = problemOf(nasBench201);
    const late: Outcome[] = [];
    let [state, best] = [strategy.init(problem), 0];
    for (let trial = 0; trial < 60; trial++) {
      const [next, [proposal]] = await strategy.ask(problem, deepFreeze(state), trial, 1);
      assert.ok(proposal);
      const accuracy = convs(proposal.architecture);
      best = Math.max(best, accuracy);
      late.push({ ...pseudoOutcome(proposal, trial), metrics: { accuracy } });
      state = await strategy.tell(problem, deepFreeze(next), late.length > 4 ? late.splice(0, 1) : []);
    }
    assert.equal(best, 6);
  });

  test('beats random search on NAS-Bench-201', () =>
    assertBeatsRandom(() => pnas({ levels: 3, beam: 16, penalty: 1 }), { evaluations: 60, seeds: 20 }));
});
