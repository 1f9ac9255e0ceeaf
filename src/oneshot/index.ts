/** The methods of one-shot search by name. */
import { z } from 'zod';
import { defineOneShot, type OneShotDefinition } from './definition.ts';
import { MIXTURE_DEFAULTS, openMixtureSupernet } from './mixture.ts';
import { pDarts } from './p-darts.ts';
import { pathDropout } from './path-dropout.ts';
import { pcDarts } from './pc-darts.ts';
import { openSinglePathSupernet } from './single-path.ts';

export const ONE_SHOT = {
  darts: defineOneShot(
    {
      name: 'darts',
      description: 'Trains mixture weights and network weights in turn, first order (Liu et al. 2019).',
      finds: 'architecture',
    },
    z.strictObject({
      archLearningRate: z.number().gt(0).max(1).default(MIXTURE_DEFAULTS.learningRate),
      archWeightDecay: z.number().min(0).max(1).default(MIXTURE_DEFAULTS.weightDecay),
    }),
    (request, { archLearningRate, archWeightDecay }) =>
      openMixtureSupernet({
        ...request,
        architecture: { learningRate: archLearningRate, weightDecay: archWeightDecay },
      }),
  ),
  'pc-darts': pcDarts,
  'p-darts': pDarts,
  'single-path': defineOneShot(
    {
      name: 'single-path',
      description: 'Trains one path of the supernet a step, sampled uniformly (Guo et al. 2020).',
      finds: 'weights',
    },
    z.strictObject({}),
    openSinglePathSupernet,
  ),
  'path-dropout': pathDropout,
} as const satisfies Readonly<Record<string, OneShotDefinition>>;
