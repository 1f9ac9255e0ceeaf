import { type OptionsBy, optionsBy } from '../../common/options.ts';
import * as ops from '../../graph/ops.ts';
import { openActorCritic } from './actor-critic.ts';
import { distributionOf } from './distribution.ts';
import { splitActorCritic } from './losses.ts';
import type { PolicyLoss } from './on-environment.ts';
import type { PolicyRequest, PolicyTraining } from './request.ts';

/** Options of REINFORCE with their defaults. */
export const REINFORCE_OPTIONS = {
  steps: { default: 200_000, whole: true, min: 1 },
  epochSteps: { default: 10_000, whole: true, min: 1 },
  lanes: { default: 8, whole: true, min: 1 },
  /** Steps in each lane between two updates. */
  rollout: { default: 64, whole: true, min: 1 },
  discount: { default: 0.99, above: 0, max: 1 },
  learningRate: { default: 3e-3, above: 0 },
  schedule: { default: 'linear', words: ['constant', 'linear'] },
  clipNorm: { default: 0.5, min: 0 },
  scaleObservations: true,
  scaleRewards: false,
  sequence: { default: 16, whole: true, min: 1 },
  entropyWeight: { default: 0, min: 0 },
  valueWeight: { default: 0.5, min: 0 },
} as const;

export type ReinforceSettings = OptionsBy<typeof REINFORCE_OPTIONS>;

/**
 * REINFORCE with a baseline (Williams 1992): log π(a | s) · (G − V(s)) is made large, where G is the discounted return and the baseline V
 * is trained on it by squared error. One update for each rollout. Differs: returns that the end of a rollout cuts off are completed by V; the
 * differences are standardized over a rollout; Adam in place of plain steps.
 *
 * Throws as `openActorCritic`, and UserError for settings that cannot be.
 */
export async function openReinforce(
  request: PolicyRequest & { readonly settings?: Partial<ReinforceSettings> },
): Promise<PolicyTraining> {
  const settings = optionsBy(REINFORCE_OPTIONS, request.settings ?? {}, 'reinforce');
  const distribution = distributionOf(request.environment.action);
  const { entropyWeight, valueWeight, lanes, rollout } = settings;
  const loss: PolicyLoss = (g, outputs, targets) => {
    const { logProbability, entropy, valueLoss, of } = splitActorCritic(g, distribution, outputs, targets);
    const gain = ops.mul(g, logProbability, of('advantages')); // [R]
    const value = ops.scale(g, valueLoss, valueWeight);
    const each = ops.sub(g, value, ops.add(g, gain, ops.scale(g, entropy, entropyWeight)));
    return ops.reduceSum(g, ops.mul(g, each, of('weight')), [0]);
  };
  return openActorCritic(request, { ...settings, lambda: 1, passes: 1, batchSize: lanes * rollout }, loss);
}
