/** The methods of one-shot search by name. */
import { z } from 'zod';
import { betaDarts } from './beta-darts.ts';
import { costOptions } from './cost/settings.ts';
import { darts, dartsSecondOrder } from './darts.ts';
import { dartsPt } from './darts-pt.ts';
import { defineOneShot, type OneShotDefinition } from './definition.ts';
import { ENAS_DEFAULTS, openEnasSupernet } from './enas.ts';
import { GDAS_DEFAULTS, openGdasSupernet } from './gdas.ts';
import type { ArchitectureMethod, WeightMethod } from './names.ts';
import { pDarts } from './p-darts.ts';
import { pathDropout } from './path-dropout.ts';
import { pcDarts } from './pc-darts.ts';
import { openSinglePathSupernet, SINGLE_PATH_DEFAULTS } from './single-path.ts';
import { smash } from './smash.ts';
import { snas } from './snas.ts';

const temperature = z.number().gt(0).max(1000);
const batches = z.int().min(0).max(100_000);

export const ONE_SHOT = {
  darts,
  'darts-second-order': dartsSecondOrder,
  'beta-darts': betaDarts,
  'darts-pt': dartsPt,
  snas,
  gdas: defineOneShot(
    {
      name: 'gdas',
      description:
        'Samples one operation for each decision by a Gumbel softmax, and computes only that path (Dong & Yang 2019).',
      finds: 'architecture',
    },
    z.strictObject({
      archLearningRate: z.number().gt(0).max(1).default(GDAS_DEFAULTS.archLearningRate),
      archWeightDecay: z.number().min(0).max(1).default(GDAS_DEFAULTS.archWeightDecay),
      initialTemperature: temperature.default(GDAS_DEFAULTS.initialTemperature),
      finalTemperature: temperature.default(GDAS_DEFAULTS.finalTemperature),
      warmup: z.int().min(0).max(1_000_000).default(GDAS_DEFAULTS.warmup),
      othersAsOnes: z.boolean().default(GDAS_DEFAULTS.othersAsOnes),
      recalibrate: batches.default(GDAS_DEFAULTS.recalibrate),
      ...costOptions,
    }),
    (request, options) => openGdasSupernet({ ...request, ...options }),
  ),
  enas: defineOneShot(
    {
      name: 'enas',
      description: 'Trains shared weights, and a controller that samples the paths, in turn (Pham et al. 2018).',
      finds: 'architecture',
    },
    z.strictObject({
      hidden: z.int().min(2).max(4096).multipleOf(2).default(ENAS_DEFAULTS.hidden),
      controllerLearningRate: z.number().gt(0).max(1).default(ENAS_DEFAULTS.controllerLearningRate),
      entropy: z.number().min(0).max(100).default(ENAS_DEFAULTS.entropy),
      baseline: z.number().min(0).lt(1).default(ENAS_DEFAULTS.baseline),
      controllerSteps: z.int().min(0).max(100_000).default(ENAS_DEFAULTS.controllerSteps),
      aggregate: z.int().min(1).max(1000).default(ENAS_DEFAULTS.aggregate),
      candidates: z.int().min(1).max(1000).default(ENAS_DEFAULTS.candidates),
      recalibrate: batches.default(ENAS_DEFAULTS.recalibrate),
      costExponent: z.number().min(0).max(100).default(ENAS_DEFAULTS.costExponent),
      limitExponent: z.number().min(0).max(100).default(ENAS_DEFAULTS.limitExponent),
    }),
    (request, options) => openEnasSupernet({ ...request, ...options }),
  ),
  'pc-darts': pcDarts,
  'p-darts': pDarts,
  'single-path': defineOneShot(
    {
      name: 'single-path',
      description:
        'Trains one path of the supernet a step, sampled uniformly (Guo et al. 2020) or fairly (Chu et al. 2019).',
      finds: 'weights',
    },
    z.strictObject({
      sampling: z.enum(['uniform', 'fair']).default(SINGLE_PATH_DEFAULTS.sampling),
      recalibrate: batches.default(SINGLE_PATH_DEFAULTS.recalibrate),
      validationPaths: z.int().min(1).max(1000).default(SINGLE_PATH_DEFAULTS.validationPaths),
    }),
    (request, options) => openSinglePathSupernet({ ...request, ...options }),
  ),
  'path-dropout': pathDropout,
  smash,
} as const satisfies Readonly<Record<ArchitectureMethod | WeightMethod, OneShotDefinition>>;
