import { z } from 'zod';
import { costOptions } from './cost/settings.ts';
import { MIXTURE_DEFAULTS, type MixtureSettings } from './mixture.ts';

/** The options that all mixture methods have, with the values of Liu et al. (2019). */
export const mixtureOptions = {
  archLearningRate: z.number().gt(0).max(1).default(MIXTURE_DEFAULTS.learningRate),
  archWeightDecay: z.number().min(0).max(1).default(MIXTURE_DEFAULTS.weightDecay),
  archDeviation: z.number().min(0).max(10).default(MIXTURE_DEFAULTS.deviation),
  warmup: z.int().min(0).max(1_000_000).default(MIXTURE_DEFAULTS.warmup),
  skipCap: z.int().min(0).max(MIXTURE_DEFAULTS.skipCap).default(MIXTURE_DEFAULTS.skipCap),
  eigenvalueStop: z.boolean().default(MIXTURE_DEFAULTS.eigenvalueStop),
  ...costOptions,
} as const;

/** The settings that these options stand for. */
export function settingsOf({
  archLearningRate: learningRate,
  archWeightDecay: weightDecay,
  archDeviation: deviation,
  ...same
}: z.infer<z.ZodObject<typeof mixtureOptions>>): MixtureSettings {
  const { warmup, skipCap, eigenvalueStop, costWeight, limitWeight, costForm } = same;
  const costs = { costWeight, limitWeight, costForm };
  return { learningRate, weightDecay, deviation, warmup, skipCap, eigenvalueStop, ...costs };
}
