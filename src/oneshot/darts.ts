/**
 * DARTS, first and second order. Liu et al. 2019, arXiv:1806.09055, algorithm 1: an architecture step on one half of the training samples,
 * then a weight step on the other half, in turn. Differs: in the second order, the virtual step of an Adam is one of SGD at its rate.
 * Cost of a step, in passes through the whole supernet there and back: 2, and in the second order 5.
 */
import { z } from 'zod';
import { defineOneShot } from './definition.ts';
import { openMixtureSupernet } from './mixture.ts';
import { FIRST_ORDER, type MixtureStep, SECOND_ORDER } from './mixture-methods.ts';
import { mixtureOptions, settingsOf } from './mixture-options.ts';

export const darts = defineDarts('darts', 'first order', FIRST_ORDER);
export const dartsSecondOrder = defineDarts('darts-second-order', 'second order', SECOND_ORDER);

function defineDarts(name: string, order: string, step: MixtureStep) {
  return defineOneShot(
    {
      name,
      description: `Trains mixture weights and network weights in turn, ${order} (Liu et al. 2019).`,
      finds: 'architecture',
    },
    z.strictObject(mixtureOptions),
    (request, options) => openMixtureSupernet({ ...request, architecture: settingsOf(options), method: { step } }),
  );
}
