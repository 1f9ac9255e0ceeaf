import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { architectureKey } from '../space/tree/architecture.ts';
import { paretoLocalSearch } from './pareto-local-search.ts';
import type { Outcome, Problem } from './strategy.ts';
import { nasBench201, problemOf, pseudoOutcome } from './testing/problems.ts';

const params = { metric: 'params', direction: 'minimize', unit: 'parameters' } as const;
const plain = problemOf(nasBench201);
const problem: Problem = { ...plain, objectives: [...plain.objectives, params] };

suite('Pareto local search', () => {
  const strategy = paretoLocalSearch({ starts: 4 });

  test('keeps what nothing dominates, of equals the first, and changes one decision of it', async () => {
    const [asked, proposals] = await strategy.ask(problem, strategy.init(problem), 0, 4);
    const values = [
      [0.9, 20],
      [0.8, 30],
      [0.5, 10],
      [0.5, 10],
    ] as const;
    const told = proposals.map((proposal, trial): Outcome => {
      const [accuracy = 0, size = 0] = values[trial] ?? [];
      return { ...pseudoOutcome(proposal, trial), metrics: { accuracy, params: size } };
    });
    const state = await strategy.tell(problem, asked, told);
    assert.deepEqual(
      state.front.map(({ trial }) => trial),
      [0, 2],
    );
    const [, next] = await strategy.ask(problem, state, 4, 20);
    for (const { architecture } of next) {
      const distances = state.front.map(({ architecture: parent }) => {
        return Object.keys(parent).filter((name) => parent[name] !== architecture[name]).length;
      });
      assert.ok(distances.includes(1), `${distances}`);
    }
    const keys = [...proposals, ...next].map(({ architecture }) => architectureKey(architecture));
    assert.equal(new Set(keys).size, keys.length, 'nothing is proposed twice');
  });

  test('failed trials, and those without a value of each objective that dominate nothing, are not of the front', async () => {
    const [asked, proposals] = await strategy.ask(problem, strategy.init(problem), 0, 2);
    const told = proposals.map((proposal, trial): Outcome => {
      return trial === 0
        ? { ...pseudoOutcome(proposal, trial), state: 'failed', metrics: {}, reason: 'for the test' }
        : { ...pseudoOutcome(proposal, trial), metrics: { accuracy: 0.5, params: 3 } };
    });
    const { front } = await strategy.tell(problem, asked, told);
    assert.deepEqual(
      front.map(({ trial }) => trial),
      [1],
    );
  });
});
