import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { rng } from '../../common/random.ts';
import { createEngine } from '../../engine/create.ts';
import { nodeRuntime } from '../../engine/runtime/node.node.ts';
import { dropout, linear, sequential } from '../../space/tree/builders.ts';
import type { PolicyForm } from '../../task/environment.ts';
import { trainUntil } from '../../train/trainable.ts';
import { defineEnvironment } from '../define.ts';
import type { ActionSpec, Environment } from '../environment.ts';
import { openDqn } from './dqn.ts';
import { evaluatePolicyNetwork } from './evaluate.ts';
import { episodes } from './play.ts';
import { openPpo } from './ppo.ts';
import { openReinforce } from './reinforce.ts';
import type { PolicyRequest } from './request.ts';
import { smallPolicy } from './testing/policies.ts';

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
after(() => engine.dispose());

const STEPS = 8;

/** A sign is shown, and is to be answered: at once, or (`recall`) in all steps after the first, which alone shows it. */
function signs(action: ActionSpec, recall = false): Environment {
  const observation = { shape: [2], low: -1, high: 1 } as const;
  const success = { rule: 'all answers are right', holds: ({ return: sum }: { return: number }) => sum >= STEPS - 1 };
  return defineEnvironment({
    ...{ name: 'signs', observation, action, maxSteps: STEPS, success },
    open() {
      let [sign, random] = [1, rng(0)];
      const show = (into: Float32Array, isShown: boolean) => {
        into[0] = isShown ? sign : 0;
        into[1] = Number(isShown);
      };
      const next = () => {
        sign = random.int(2) === 0 ? -1 : 1;
      };
      return {
        reset(stream, into) {
          random = stream;
          next();
          show(into, true);
        },
        step([answer = 0], into) {
          const error = action.kind === 'discrete' ? Number(answer !== Number(sign > 0)) : (answer - 2 * sign) ** 2;
          if (!recall) next();
          show(into, !recall);
          return { reward: 1 - error, terminated: false };
        },
      };
    },
  });
}

const DISCRETE = { kind: 'discrete', count: 2 } as const;
/** The right answers are 2 and -2. */
const CONTINUOUS = { kind: 'continuous', size: 1, low: [-4], high: [4] } as const;
const quick = { steps: 4096, epochSteps: 1024, lanes: 4, learningRate: 1e-2 };

for (const [what, form, environment, memory, open] of [
  ['ppo', 'actor-critic', signs(DISCRETE), undefined, (r) => openPpo({ ...r, settings: { ...quick, rollout: 64 } })],
  ['ppo, continuous', 'actor-critic', signs(CONTINUOUS), undefined, (r) => openPpo({ ...r, settings: { ...quick } })],
  ['ppo, gru', 'actor-critic', signs(DISCRETE, true), 'gru', (r) => openPpo({ ...r, settings: { ...quick } })],
  ['ppo, lstm', 'actor-critic', signs(DISCRETE, true), 'lstm', (r) => openPpo({ ...r, settings: { ...quick } })],
  ['reinforce', 'actor-critic', signs(DISCRETE), undefined, (r) => openReinforce({ ...r, settings: { ...quick } })],
  [
    'dqn',
    'action-values',
    signs(DISCRETE),
    undefined,
    (r) => openDqn({ ...r, settings: { ...quick, discount: 0.9, warmup: 200 } }),
  ],
] as const satisfies readonly (readonly [
  string,
  PolicyForm,
  Environment,
  'gru' | 'lstm' | undefined,
  (request: PolicyRequest) => ReturnType<typeof openPpo>,
])[])
  test(`${what} learns to answer signs, and its weights answer in episodes that it has not seen`, async () => {
    const network = smallPolicy(environment, form, memory);
    const training = await open({
      ...{ engine, environment, network, valid: episodes(0, 8) },
      rng: (...labels) => rng('learning', what, ...labels),
    });
    await trainUntil(training, training.plannedEpochs);
    const weights = await training.weights();
    await training.dispose();
    const evaluation = { engine, environment, network, form, weights };
    const { metrics } = await evaluatePolicyNetwork({ ...evaluation, samples: episodes(1000, 20) });
    assert.ok((metrics.success ?? 0) >= 0.95, `success ${metrics.success}, return ${metrics.return}`);
    assert.equal(metrics.steps, STEPS);
  });

test('what a method cannot train is refused by name', async () => {
  const request = {
    ...{ engine, valid: episodes(0, 2) },
    rng: (...labels: readonly (string | number)[]) => rng('refused', ...labels),
  };
  const [discrete, continuous] = [signs(DISCRETE), signs(CONTINUOUS)];
  await assert.rejects(
    openDqn({ ...request, environment: continuous, network: smallPolicy(continuous, 'actor-critic') }),
    { name: 'UserError', message: 'dqn on "signs": its actions are continuous; they must be discrete' },
  );
  await assert.rejects(
    openDqn({ ...request, environment: discrete, network: smallPolicy(discrete, 'action-values', 'gru') }),
    /dqn: the network has a recurrent layer/,
  );
  await assert.rejects(
    openPpo({ ...request, environment: discrete, network: sequential(dropout(0.5), linear('outputs')) }),
    {
      name: 'TrainingFailure',
      message: 'the network draws random numbers (dropout), which policies are not trained with',
    },
  );
  await assert.rejects(openPpo({ ...request, environment: discrete, network: linear(7) }), {
    name: 'TrainingFailure',
    message: /it must be \[16, 3\]|output is \[/,
  });
  await assert.rejects(
    openPpo({
      ...request,
      environment: discrete,
      network: smallPolicy(discrete, 'actor-critic'),
      settings: { lanes: 0 },
    }),
    { name: 'UserError', message: /ppo: option lanes is 0; must be at least 1/ },
  );
});
