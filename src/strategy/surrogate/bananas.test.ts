import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { createEngine } from '../../engine/create.ts';
import { nodeRuntime } from '../../engine/runtime/node.node.ts';
import { createStrategy } from '../index.ts';
import { assertBeatsRandom } from '../testing/against-random.ts';
import { strategyConformance } from '../testing/conformance.ts';
import { continuousSpace, nasBench201, problemOf, pseudoOutcome } from '../testing/problems.ts';
import { bananas } from './bananas.ts';

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
const tools = { engine: async () => engine };
after(() => engine.dispose());

const options = { initial: 5, every: 5, members: 3, model: 'mlp-ensemble', parents: 3, mutations: 20 } as const;
strategyConformance(() => bananas(options, tools), problemOf(continuousSpace));
// Its networks cost more: two of them, fitted less often.
const graphs = { ...options, members: 2, every: 15, model: 'graph-network' } as const;
strategyConformance(() => bananas(graphs, tools), problemOf(nasBench201));

suite('bananas', () => {
  test('without an engine it says so when it needs one', async () => {
    const problem = problemOf(nasBench201);
    const strategy = createStrategy('bananas', { initial: 2 });
    let state = strategy.init(problem);
    for (let trial = 0; trial < 2; trial++) {
      const [asked, proposals] = await strategy.ask(problem, state, trial, 1);
      state = await strategy.tell(
        problem,
        asked,
        proposals.map((one) => pseudoOutcome(one, trial)),
      );
    }
    await assert.rejects(strategy.ask(problem, state, 2, 1), {
      name: 'UserError',
      message: /"bananas": has no engine/,
    });
  });

  test('model=graph-network needs a space with cells, and says so before the first trial', () => {
    const strategy = createStrategy('bananas', { model: 'graph-network' }, tools);
    assert.throws(() => strategy.init(problemOf(continuousSpace)), {
      name: 'UserError',
      message: /has no cells; a graph network needs the graph of a cell/,
    });
  });

  test('beats random search on NAS-Bench-201', () =>
    assertBeatsRandom(() => createStrategy('bananas', {}, tools), { evaluations: 80, seeds: 30 }));
});
