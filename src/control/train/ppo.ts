import { type OptionsBy, optionsBy } from '../../common/options.ts';
import * as ops from '../../graph/ops.ts';
import { openActorCritic } from './actor-critic.ts';
import { distributionOf } from './distribution.ts';
import { splitActorCritic } from './losses.ts';
import type { PolicyLoss } from './on-environment.ts';
import type { PolicyRequest, PolicyTraining } from './request.ts';

/** Options of PPO with their defaults. */
export const PPO_OPTIONS = {
  steps: { default: 100_000, whole: true, min: 1 },
  epochSteps: { default: 10_000, whole: true, min: 1 },
  lanes: { default: 8, whole: true, min: 1 },
  rollout: { default: 128, whole: true, min: 1 },
  batchSize: { default: 256, whole: true, min: 1 },
  passes: { default: 10, whole: true, min: 1 },
  discount: { default: 0.99, above: 0, max: 1 },
  lambda: { default: 0.95, min: 0, max: 1 },
  learningRate: { default: 3e-4, above: 0 },
  schedule: { default: 'constant', words: ['constant', 'linear'] },
  clipNorm: { default: 0.5, min: 0 },
  scaleObservations: true,
  scaleRewards: false,
  sequence: { default: 16, whole: true, min: 1 },
  /** ε: how far the probability of an action may move, as a ratio, before its gradient ends. */
  clipRange: { default: 0.2, above: 0, below: 1 },
  entropyWeight: { default: 0, min: 0 },
  valueWeight: { default: 0.5, min: 0 },
} as const;

export type PpoSettings = OptionsBy<typeof PPO_OPTIONS>;

/**
 * Proximal policy optimization (Schulman et al. 2017): the clipped objective (equation 7), a value loss and an entropy bonus (equation 9),
 * generalized advantage estimation, lanes that act together. As in Stable-Baselines3, advantages are standardized in each batch, and the
 * value is not clipped. Differs: lanes begin new episodes with each epoch. A network with a memory is unrolled over `sequence` steps, from
 * what it remembered when it acted.
 *
 * An epoch is `epochSteps` / (lanes · rollout) rollouts, each with `passes` · lanes · rollout / batchSize updates. Throws as
 * `openActorCritic`, and UserError for settings that cannot be.
 */
export async function openPpo(
  request: PolicyRequest & { readonly settings?: Partial<PpoSettings> },
): Promise<PolicyTraining> {
  const settings = optionsBy(PPO_OPTIONS, request.settings ?? {}, 'ppo');
  const distribution = distributionOf(request.environment.action);
  const { clipRange, entropyWeight, valueWeight } = settings;
  const loss: PolicyLoss = (g, outputs, targets) => {
    const { logProbability, entropy, valueLoss, of } = splitActorCritic(g, distribution, outputs, targets);
    const ratio = ops.exp(g, ops.sub(g, logProbability, of('logProbabilities'))); // [R]
    const clipped = ops.clip(g, ratio, 1 - clipRange, 1 + clipRange);
    const advantages = of('advantages');
    const gain = ops.minimum(g, ops.mul(g, ratio, advantages), ops.mul(g, clipped, advantages));
    const value = ops.scale(g, valueLoss, valueWeight);
    const each = ops.sub(g, value, ops.add(g, gain, ops.scale(g, entropy, entropyWeight)));
    return ops.reduceSum(g, ops.mul(g, each, of('weight')), [0]);
  };
  return openActorCritic(request, settings, loss);
}
