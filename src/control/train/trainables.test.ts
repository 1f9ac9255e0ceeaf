import { rng } from '../../common/random.ts';
import { trainableConformance } from '../../train/testing/conformance.ts';
import { ENVIRONMENTS } from '../index.ts';
import { openDqn } from './dqn.ts';
import { episodes } from './play.ts';
import { openPpo } from './ppo.ts';
import { openReinforce } from './reinforce.ts';
import type { PolicyRequest } from './request.ts';
import { smallPolicy } from './testing/policies.ts';

const valid = episodes(0, 2);
const small = { lanes: 2, epochSteps: 16, steps: 48 };
const cartPole = ENVIRONMENTS['cart-pole'];
const withoutVelocities = ENVIRONMENTS['cart-pole-without-velocities'];
const ppo = { ...small, rollout: 8, batchSize: 8, passes: 2, scaleRewards: true, sequence: 4 };

for (const [name, open, environment, network] of [
  ['ppo', (request) => openPpo({ ...request, settings: ppo }), cartPole, smallPolicy(cartPole, 'actor-critic')],
  [
    'ppo with a memory',
    (request) => openPpo({ ...request, settings: ppo }),
    withoutVelocities,
    smallPolicy(withoutVelocities, 'actor-critic', 'lstm'),
  ],
  [
    'reinforce',
    (request) => openReinforce({ ...request, settings: { ...small, rollout: 8 } }),
    cartPole,
    smallPolicy(cartPole, 'actor-critic'),
  ],
  [
    'dqn',
    (request) => openDqn({ ...request, settings: { ...small, batchSize: 4, replay: 20, warmup: 4, target: 3 } }),
    cartPole,
    smallPolicy(cartPole, 'action-values'),
  ],
] as const satisfies readonly (readonly [
  string,
  (request: PolicyRequest) => ReturnType<typeof openPpo>,
  ...unknown[],
])[])
  trainableConformance(name, {
    valid,
    open: ({ seed, ...opening }) =>
      open({
        ...{ ...opening, valid, environment, network },
        rng: (...labels) => rng('trainable', seed, ...labels),
      }),
  });
