/**
 * PC-DARTS. Xu et al. 2020, arXiv:1907.05737, sections 3.2 and 3.3: the steps of first-order DARTS on a supernet in which 1/K of the
 * channels pass through the options of a choice, the rest go around them (max-pooled where the options have stride 2), and channels are
 * shuffled after; the edges that come into a node have shares of their own, which count in the derivation. Both kinds of parameters rest
 * for the first 15 of 50 epochs. Differs: nothing known. Cost: a step computes every option, on 1/K of the channels.
 *
 * Parameters have the names that they have in the networks of the space, but not their shapes: no candidate can be measured with them.
 */
import { z } from 'zod';
import { UserError } from '../common/errors.ts';
import { TrainingFailure } from '../train/failure.ts';
import { costOptions } from './cost/settings.ts';
import { defineOneShot } from './definition.ts';
import { openMixtureSupernet } from './mixture.ts';
import { FIRST_ORDER } from './mixture-methods.ts';
import { mixtureOptions, settingsOf } from './mixture-options.ts';
import type { Supernet, SupernetRequest } from './supernet.ts';

const schema = z.strictObject({
  partialChannels: z.int().min(2).max(64).default(4),
  edgeNormalization: z.boolean().default(true),
  warmupShare: z.number().min(0).lt(1).default(0.3),
  archLearningRate: mixtureOptions.archLearningRate.default(6e-4),
  archWeightDecay: mixtureOptions.archWeightDecay,
  archDeviation: mixtureOptions.archDeviation,
  skipCap: mixtureOptions.skipCap,
  eigenvalueStop: mixtureOptions.eigenvalueStop,
  ...costOptions,
});
export type PartialChannelsOptions = z.infer<typeof schema>;

/**
 * Opens the supernet of a space. Throws as `openMixtureSupernet` does, and UserError with the place of a choice whose channels cannot be
 * split: there is no multiple of `partialChannels`, or an option changes their number.
 */
export async function openPartialChannelsSupernet(
  request: SupernetRequest,
  options: PartialChannelsOptions = schema.parse({}),
): Promise<Supernet> {
  const { partialChannels, edgeNormalization, warmupShare, ...same } = options;
  const warmup = Math.floor(warmupShare * request.settings.epochs);
  try {
    return await openMixtureSupernet({
      ...request,
      architecture: settingsOf({ ...same, warmup }),
      method: { step: FIRST_ORDER, choices: { kind: 'mixture', partial: partialChannels, edges: edgeNormalization } },
    });
  } catch (error) {
    // What a user can mend by another space or option is no failure of the training.
    throw error instanceof TrainingFailure && error.cause instanceof UserError ? error.cause : error;
  }
}

export const pcDarts = defineOneShot(
  {
    name: 'pc-darts',
    description:
      'DARTS with 1/K of the channels in the mixtures, and with shares for edges; in less memory (Xu et al. 2020).',
    finds: 'architecture',
  },
  schema,
  openPartialChannelsSupernet,
  {
    otherShapes: ({ partialChannels }) => `whose supernet has 1/${partialChannels} of the channels in its operations`,
  },
);
