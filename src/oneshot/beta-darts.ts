/**
 * Beta-DARTS. Ye et al. 2022, arXiv:2203.01665: DARTS, first order, whose architecture loss has besides λ times the mean over all
 * decisions of the log-sum-exp of their parameters (Beta-Decay). It keeps every decision's parameters together, so that no
 * option wins by the speed alone at which it learns. λ rises in steps from epoch to epoch, from 0 towards `betaDecay`: 50 on
 * NAS-Bench-201, as in the paper and its published code.
 * Differs: the published code has 1e-3 for the architecture's own weight decay; here it is 0, so that Beta-Decay alone regularizes.
 * Cost: that of `darts`.
 */
import { z } from 'zod';
import { defineOneShot } from './definition.ts';
import { openMixtureSupernet } from './mixture.ts';
import { FIRST_ORDER } from './mixture-methods.ts';
import { mixtureOptions, settingsOf } from './mixture-options.ts';

export const betaDarts = defineOneShot(
  {
    name: 'beta-darts',
    description: 'DARTS with a penalty that keeps the mixture weights of a choice together (Ye et al. 2022).',
    finds: 'architecture',
  },
  z.strictObject({
    ...mixtureOptions,
    archWeightDecay: mixtureOptions.archWeightDecay.unwrap().default(0),
    betaDecay: z.number().min(0).max(100_000).default(50),
  }),
  (request, { betaDecay, ...options }) =>
    openMixtureSupernet({
      ...request,
      architecture: settingsOf(options),
      method: { step: FIRST_ORDER, penalty: { of: 'logSumExp', weight: (progress) => betaDecay * progress } },
    }),
);
