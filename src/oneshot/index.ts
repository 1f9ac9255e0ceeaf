/** The methods of one-shot search by name. */
import { z } from 'zod';
import { betaDarts } from './beta-darts.ts';
import { darts, dartsSecondOrder } from './darts.ts';
import { defineOneShot, type OneShotDefinition } from './definition.ts';
import { openSinglePathSupernet } from './single-path.ts';
import { snas } from './snas.ts';

export const ONE_SHOT = {
  darts,
  'darts-second-order': dartsSecondOrder,
  'beta-darts': betaDarts,
  snas,
  'single-path': defineOneShot(
    {
      name: 'single-path',
      description: 'Trains one path of the supernet a step, sampled uniformly (Guo et al. 2020).',
      finds: 'weights',
    },
    z.strictObject({}),
    openSinglePathSupernet,
  ),
} as const satisfies Readonly<Record<string, OneShotDefinition>>;
