import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { deepFreeze } from '../common/json.ts';
import { defineSpace, dropout, float, formatArchitecture, int, linear, sequential } from '../space/index.ts';
import type { Architecture } from '../space/space.ts';
import { type MctsOptions, mcts } from './mcts.ts';
import type { Problem } from './strategy.ts';
import { assertBeatsRandom } from './testing/against-random.ts';
import { conditionalSpace } from './testing/conditional.ts';
import { strategyConformance } from './testing/conformance.ts';
import { continuousSpace, nasBench201, problemOf, pseudoOutcome, tinySpace } from './testing/problems.ts';

const options: MctsOptions = { exploration: 0.3, rave: 50, temperature: 0.1, widening: 1, nodes: 2000 };
const plain: MctsOptions = { ...options, rave: 0, temperature: 0 };

strategyConformance(() => mcts(plain), problemOf(nasBench201));
strategyConformance(() => mcts({ ...options, nodes: 3 }), problemOf(conditionalSpace));
strategyConformance(() => mcts(options), problemOf(continuousSpace));

/** Plays `trials` of them, one at a time; each architecture and the state at the end. */
async function play(
  strategy: ReturnType<typeof mcts>,
  problem: Problem,
  trials: number,
  value: (architecture: Architecture) => number,
) {
  const asked: Architecture[] = [];
  let state = strategy.init(problem);
  for (let trial = 0; trial < trials; trial++) {
    const [next, [proposal]] = await strategy.ask(problem, deepFreeze(state), trial, 1);
    assert.ok(proposal);
    asked.push(proposal.architecture);
    const metrics = { accuracy: value(proposal.architecture) };
    state = await strategy.tell(problem, deepFreeze(next), [{ ...pseudoOutcome(proposal, trial), metrics }]);
  }
  return { asked, state };
}

suite('Monte Carlo tree search', () => {
  test('plain: every option of the root is tried before any is tried again', async () => {
    const { asked } = await play(mcts(plain), problemOf(nasBench201), 5, () => 0.5);
    assert.equal(new Set(asked.map((one) => one['0->1'])).size, 5);
  });

  test('each result adds one node, and counts on all nodes of its path', async () => {
    const { state } = await play(mcts(plain), problemOf(nasBench201), 40, ({ '0->1': edge }) =>
      Number(edge === 'none'),
    );
    const sizeOf = (node: typeof state.root): number =>
      node.children.reduce((sum, child) => sum + 1 + sizeOf(child.node), 0);
    assert.equal(state.root.visits, 40);
    assert.equal(
      state.root.children.reduce((sum, { node }) => sum + node.visits, 0),
      40,
    );
    assert.equal(sizeOf(state.root), state.nodes);
    assert.ok(state.nodes >= 38); // An architecture in the tree to its last decision adds none.
    const none = state.root.children.find(({ value }) => value === 'none');
    assert.ok((none?.node.visits ?? 0) > 40 / 5, 'the better option is visited more often');
  });

  test('the tree grows no larger than it may', async () => {
    const { state } = await play(mcts({ ...options, nodes: 7 }), problemOf(nasBench201), 60, () => 0.5);
    assert.equal(state.nodes, 7);
  });

  test('a small space is searched without measuring anything twice', async () => {
    const problem = problemOf(tinySpace);
    const { asked } = await play(mcts(options), problem, 18, ({ channels }) => Number(channels));
    assert.equal(new Set(asked.map((one) => formatArchitecture(tinySpace, one))).size, 18);
  });

  test('running trials count: of several at once no two are the same, and they differ at the root', async () => {
    const problem = problemOf(nasBench201);
    const [, round] = await mcts(plain).ask(problem, mcts(plain).init(problem), 0, 10);
    assert.equal(new Set(round.map(({ architecture }) => JSON.stringify(architecture))).size, 10);
  });

  test('a continuous decision is widened: √n values, the better ones of which are taken again', async () => {
    const two = defineSpace('two', () =>
      sequential(dropout(float('a', 0, 0.5)), linear(int('b', 1, 30)), linear('outputs')),
    ).create({ kind: 'classification', input: [4], outputs: 2 });
    const { state } = await play(mcts(plain), problemOf(two), 60, ({ a }) => -Math.abs(Number(a) - 0.3));
    const { children } = state.root;
    assert.ok(children.length >= 7 && children.length <= 20, `${children.length} values`);
    const apart = ({ value }: (typeof children)[number]) => Math.abs(Number(value) - 0.3);
    const [nearest, ...others] = children.toSorted((one, other) => apart(one) - apart(other));
    assert.ok((nearest?.node.visits ?? 0) > (others.at(-1)?.node.visits ?? 0));
  });

  test('beats random search on NAS-Bench-201', () => assertBeatsRandom(() => mcts(options)));

  test('without what is known of values elsewhere, too, given more trials', () =>
    assertBeatsRandom(() => mcts({ ...plain, exploration: 0.1 }), { evaluations: 300, seeds: 60 }));
});
