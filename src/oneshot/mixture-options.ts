import { z } from 'zod';
import { MIXTURE_DEFAULTS, type MixtureSettings } from './mixture.ts';

/** The options that all mixture methods have, with the values of Liu et al. (2019). */
export const mixtureOptions = {
  archLearningRate: z.number().gt(0).max(1).default(MIXTURE_DEFAULTS.learningRate),
  archWeightDecay: z.number().min(0).max(1).default(MIXTURE_DEFAULTS.weightDecay),
  archDeviation: z.number().min(0).max(10).default(MIXTURE_DEFAULTS.deviation),
  warmup: z.int().min(0).max(1_000_000).default(MIXTURE_DEFAULTS.warmup),
} as const;

/** The settings that these options stand for. */
export function settingsOf(options: {
  readonly archLearningRate: number;
  readonly archWeightDecay: number;
  readonly archDeviation: number;
  readonly warmup: number;
}): MixtureSettings {
  const { archLearningRate, archWeightDecay, archDeviation, warmup } = options;
  return { learningRate: archLearningRate, weightDecay: archWeightDecay, deviation: archDeviation, warmup };
}
