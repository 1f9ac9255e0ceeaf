/** What a training in each of the known environments has unless it is told otherwise. */
import type { EnvironmentName } from './index.ts';

/** How policies are trained by gradients. */
export const TRAINER_NAMES = ['ppo', 'reinforce', 'dqn'] as const;
export type TrainerName = (typeof TRAINER_NAMES)[number];

export interface ControlPreset {
  readonly trainer: TrainerName;
  /** Environment steps of a training. */
  readonly envSteps: number;
  /** Parts that a training is divided into: after each, the policy plays the validation episodes. */
  readonly epochs: number;
  /** Options of the trainer that differ from its defaults. */
  readonly trainerOptions: Readonly<Record<string, number | string | boolean>>;
  /** Validation episodes; 1 where all episodes are the same. */
  readonly episodes: number;
  /** Whether policies may have a memory: what they observe is not the whole state. */
  readonly recurrent: boolean;
  /** Options of a space of genomes. */
  readonly genome: Readonly<Record<string, number>>;
}

/** For environments of a user's own. */
const USUAL: ControlPreset = {
  trainer: 'ppo',
  envSteps: 100_000,
  epochs: 20,
  trainerOptions: {},
  episodes: 20,
  recurrent: false,
  genome: {},
};

/** As in Stanley's NEAT code. */
const genome = { bias: 0.5 };
const poles = { genome, trainerOptions: { learningRate: 1e-3 }, episodes: 1 } as const;
const hidden = { recurrent: true, trainerOptions: { rollout: 128, learningRate: 1e-3 } } as const;

/** Of DQN. */
export const MOUNTAIN_CAR = {
  batchSize: 128,
  every: 16,
  updates: 8,
  target: 300,
  replay: 10_000,
  discount: 0.98,
  learningRate: 4e-3,
  exploration: 0.2,
  finalExploration: 0.07,
} as const;

/** Settings after the tuned ones of RL Baselines3 Zoo (Raffin 2020), fitted to fewer steps; bench/control/policies.ts measures them. */
const PRESETS: Readonly<Record<EnvironmentName, Partial<ControlPreset>>> = {
  'cart-pole': {
    trainerOptions: {
      rollout: 32,
      passes: 20,
      discount: 0.98,
      lambda: 0.8,
      learningRate: 1e-3,
      schedule: 'linear',
    },
  },
  'cart-pole-without-velocities': hidden,
  acrobot: {
    envSteps: 200_000,
    trainerOptions: { lanes: 16, lambda: 0.94, learningRate: 1e-3, schedule: 'linear', scaleRewards: true },
  },
  'mountain-car': {
    trainer: 'dqn',
    envSteps: 300_000,
    trainerOptions: MOUNTAIN_CAR,
  },
  'mountain-car-continuous': { trainerOptions: { scaleRewards: true } },
  pendulum: {
    envSteps: 200_000,
    trainerOptions: { rollout: 200, batchSize: 200, discount: 0.9, learningRate: 1e-3, scaleRewards: true },
  },
  arm: { envSteps: 200_000, trainerOptions: { learningRate: 1e-3, scaleRewards: true } },
  breakout: { envSteps: 500_000 },
  pole: poles,
  'pole-without-velocities': { ...hidden, genome, episodes: 1 },
  'double-pole': poles,
  'double-pole-without-velocities': { ...hidden, genome, episodes: 1 },
  xor: { envSteps: 20_000, episodes: 1 },
};

/** The preset of an environment, by the name, the file or the command that a setting names it by. */
export function presetOf(environment: string): ControlPreset {
  const own = Object.hasOwn(PRESETS, environment) ? PRESETS[environment as EnvironmentName] : undefined;
  return { ...USUAL, ...own };
}
