import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { deepFreeze } from '../common/json.ts';
import { rng } from '../common/random.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import type { Architecture } from '../space/space.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { createStrategy } from './index.ts';
import { optionsOf } from './options.ts';
import { type ControllerOptions, controller } from './reinforce.ts';
import { assertBeatsRandom } from './testing/against-random.ts';
import { conditionalSpace } from './testing/conditional.ts';
import { strategyConformance } from './testing/conformance.ts';
import { continuousSpace, nasBench201, problemOf, pseudoOutcome } from './testing/problems.ts';

const engine = referenceEngine();
const tools = { engine: async () => engine };
const ppo: ControllerOptions = {
  ...{ algorithm: 'ppo', hidden: 8, batch: 5, epochs: 2, learningRate: 0.02 },
  ...{ entropy: 0.01, clip: 0.2, baseline: 0.9 },
};
const reinforce: ControllerOptions = { ...ppo, algorithm: 'reinforce', batch: 3 };

strategyConformance(() => controller(reinforce, tools), problemOf(nasBench201));
strategyConformance(() => controller(ppo, tools), problemOf(conditionalSpace));
strategyConformance(() => controller(reinforce, tools), problemOf(continuousSpace));

suite('controller', () => {
  for (const options of [ppo, reinforce]) {
    test(`${options.algorithm}: learns which value is better, in a decision that is not always there`, async () => {
      const strategy = controller({ ...options, learningRate: 0.05 }, tools);
      const problem = problemOf(conditionalSpace);
      const value = ({ first, kernel = 0, last }: Architecture) =>
        Number(first === 'conv') + Number(kernel) / 10 + Number(last) / 1000;
      let state = strategy.init(problem);
      const asked: Architecture[] = [];
      for (let trial = 0; trial < 200; trial++) {
        const [next, [proposal]] = await strategy.ask(problem, deepFreeze(state), trial, 1);
        assert.ok(proposal);
        asked.push(proposal.architecture);
        const metrics = { accuracy: value(proposal.architecture) };
        state = await strategy.tell(problem, deepFreeze(next), [{ ...pseudoOutcome(proposal, trial), metrics }]);
      }
      const good = asked.slice(-50).filter(({ kernel }) => kernel === 5).length; // One in nine by chance.
      assert.ok(good > 20, `${good} of 50`);
    });
  }

  test('the state is weights as text, of the size that the docstring says', async () => {
    const strategy = controller({ ...ppo, hidden: 32, batch: 1 }, tools);
    const problem = problemOf(nasBench201);
    const [state, proposals] = await strategy.ask(problem, strategy.init(problem), 0, 1);
    const told = await strategy.tell(problem, state, proposals.map(pseudoOutcome));
    const length = JSON.stringify(told.policy).length;
    assert.ok(length > 120_000 && length < 128_000, `${length}`);
  });

  test('without an engine it says so', async () => {
    const strategy = createStrategy('controller');
    const problem = problemOf(nasBench201);
    await assert.rejects(strategy.ask(problem, strategy.init(problem), 0, 1), {
      name: 'UserError',
      message: /no engine/,
    });
  });

  test('a range is cut into parts: a value drawn of a part is of that part', () => {
    const domains = [
      { kind: 'float', min: 0.001, max: 1, log: true },
      { kind: 'float', min: -1, max: 1, log: false },
      { kind: 'int', min: 0, max: 99, log: false },
    ] as const;
    for (const domain of domains) {
      const { size, draw, optionOf } = optionsOf('x', domain);
      assert.equal(size, 10);
      for (let option = 0; option < size; option++) {
        const value = draw(option, rng(option));
        assert.equal(optionOf(value), option);
        assert.ok(Number(value) >= domain.min && Number(value) <= domain.max);
      }
    }
  });

  test('beats random search on NAS-Bench-201', async () => {
    const native = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
    try {
      const options: ControllerOptions = { ...ppo, hidden: 32, epochs: 5, learningRate: 0.01 };
      await assertBeatsRandom(() => controller(options, { engine: async () => native }), {
        evaluations: 150,
        seeds: 12,
      });
    } finally {
      await native.dispose();
    }
  });
});
