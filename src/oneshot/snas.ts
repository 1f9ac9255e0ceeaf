/**
 * SNAS. Xie et al. 2019, arXiv:1812.09926: the shares of a decision's options are a sample of the concrete distribution, drawn at each
 * step, and weights and architecture learn from one pass through the network, on the same samples (section 2.3).
 * The temperature falls exponentially with the steps, from `temperature` to `lastTemperature`. The paper gives no values for them; the
 * architecture's rate and decay are those of DARTS, as there.
 * Differs: no penalty for resources (section 2.4), and the validation metrics are those of the mixture without noise.
 * Cost: a step is one pass there and back through the whole supernet, half of that of `darts`.
 */
import { z } from 'zod';
import { defineOneShot } from './definition.ts';
import { openMixtureSupernet } from './mixture.ts';
import { JOINT } from './mixture-methods.ts';
import { mixtureOptions, settingsOf } from './mixture-options.ts';

export const snas = defineOneShot(
  {
    name: 'snas',
    description: 'Samples the mixture weights of each step, at a falling temperature (Xie et al. 2019).',
    finds: 'architecture',
  },
  z.strictObject({
    ...mixtureOptions,
    temperature: z.number().gt(0).max(1000).default(1),
    lastTemperature: z.number().gt(0).max(1000).default(0.1),
  }),
  (request, { temperature, lastTemperature, ...options }) =>
    openMixtureSupernet({
      ...request,
      architecture: settingsOf(options),
      method: {
        step: JOINT,
        choices: 'concrete',
        scalars: (progress) => ({ temperature: temperature * (lastTemperature / temperature) ** progress }),
      },
    }),
);
