/** What policies.ts trains, and how: settings after the tuned ones of RL Baselines3 Zoo (Raffin 2020), fitted to fewer steps. */
import type { EnvironmentName } from '../../src/control/index.ts';
import { MOUNTAIN_CAR } from '../../src/control/presets.ts';
import type { DqnSettings } from '../../src/control/train/dqn.ts';
import type { PpoSettings } from '../../src/control/train/ppo.ts';
import type { ReinforceSettings } from '../../src/control/train/reinforce.ts';
import type { Architecture } from '../../src/space/index.ts';
import type { PolicyForm } from '../../src/task/environment.ts';

type Method =
  | { readonly method: 'ppo'; readonly settings: Partial<PpoSettings> }
  | { readonly method: 'dqn'; readonly settings: Partial<DqnSettings> }
  | { readonly method: 'reinforce'; readonly settings: Partial<ReinforceSettings> };

export type Problem = Method & {
  readonly environment: EnvironmentName;
  readonly form: PolicyForm;
  readonly architecture: Architecture;
  /** Mean return that is asked for. */
  readonly goal: number;
  readonly memory?: boolean;
};

const layers = (width: number, activation: string) => ({
  depth: 2,
  'layer/0/width': width,
  'layer/1/width': width,
  activation,
});
const critic = { form: 'actor-critic', architecture: { ...layers(64, 'tanh'), value: 'separate' } } as const;
const values = { form: 'action-values', architecture: layers(128, 'relu') } as const;

export const PROBLEMS: readonly Problem[] = [
  {
    environment: 'cart-pole',
    method: 'ppo',
    ...critic,
    goal: 475,
    settings: {
      steps: 100_000,
      epochSteps: 5120,
      lanes: 8,
      rollout: 32,
      batchSize: 256,
      passes: 20,
      discount: 0.98,
      lambda: 0.8,
      learningRate: 1e-3,
      schedule: 'linear',
    },
  },
  {
    environment: 'cart-pole',
    method: 'dqn',
    ...values,
    goal: 475,
    settings: {
      steps: 100_000,
      epochSteps: 5000,
      lanes: 4,
      every: 256,
      updates: 128,
      // Once in each round of updates.
      target: 128,
      replay: 100_000,
      learningRate: 2.3e-3,
      exploration: 0.16,
      finalExploration: 0.04,
    },
  },
  {
    environment: 'cart-pole',
    method: 'reinforce',
    ...critic,
    goal: 475,
    settings: { steps: 100_000, epochSteps: 5120, lanes: 8, rollout: 64 },
  },
  {
    environment: 'cart-pole-without-velocities',
    method: 'ppo',
    form: 'actor-critic',
    architecture: { depth: 1, 'layer/0/width': 64, activation: 'tanh', value: 'shared', memory: 'gru', units: 64 },
    memory: true,
    goal: 475,
    settings: { steps: 100_000, epochSteps: 8192, lanes: 8, rollout: 128, batchSize: 256, learningRate: 1e-3 },
  },
  {
    environment: 'acrobot',
    method: 'ppo',
    ...critic,
    goal: -100,
    settings: {
      steps: 200_000,
      epochSteps: 16_384,
      lanes: 16,
      rollout: 128,
      batchSize: 256,
      passes: 10,
      lambda: 0.94,
      learningRate: 1e-3,
      schedule: 'linear',
      scaleRewards: true,
    },
  },
  {
    environment: 'pendulum',
    method: 'ppo',
    ...critic,
    goal: -200,
    settings: {
      steps: 200_000,
      epochSteps: 16_000,
      lanes: 8,
      rollout: 200,
      batchSize: 200,
      passes: 10,
      discount: 0.9,
      learningRate: 1e-3,
      scaleRewards: true,
    },
  },
  {
    environment: 'mountain-car',
    method: 'dqn',
    ...values,
    goal: -110,
    settings: {
      steps: 300_000,
      epochSteps: 20_000,
      lanes: 4,
      ...MOUNTAIN_CAR,
    },
  },
];
