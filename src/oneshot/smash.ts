/**
 * SMASH. Brock et al. 2017, arXiv:1708.05344, algorithm 1: each step draws an architecture, a hypernetwork generates its weights from its encoding, and
 * the step trains the hypernetwork, all of whose weights are learned by the loss of the generated network. Architectures are then
 * ranked by their accuracy with generated weights.
 *
 * Differs: the space is the study's own, and an architecture is encoded by its decisions; the paper has cells of its own, which read and write
 * banks of memory, encoded as an image of them. The paper's hypernetwork is a convolutional network over that image, whose positions are slices of
 * filters. Here one hidden layer encodes the whole architecture, and every tensor of an option has a last layer of its own, in factors
 * (network/generated.ts): a learned description of each slice, weighed by the encoding, times learned patterns. Its bias has a value for
 * each weight, so that rank 0 would be the shared weights of `single-path`; the paper's biases are those of a convolution.
 * Generated weights are not normalized by their norm; batch norm follows them in the spaces here. As in the paper, the first and the last
 * layer are trained directly. Before a path is measured, batch norm's statistics are computed again for it (path-meter.ts), where the paper uses
 * those of the batch. Defaults of `hidden` and `rank` are ours.
 * Cost: a step is one of the sampled network, with two small matrix products more for each tensor.
 */
import { z } from 'zod';
import type { GeneratedForm } from '../network/generated.ts';
import { defineOneShot } from './definition.ts';
import { openSinglePathSupernet, SINGLE_PATH_DEFAULTS } from './single-path.ts';

const schema = z.strictObject({
  hidden: z.int().min(1).max(4096).default(32),
  rank: z.int().min(1).max(256).default(4),
  recalibrate: z.int().min(0).max(100_000).default(SINGLE_PATH_DEFAULTS.recalibrate),
  validationPaths: z.int().min(1).max(1000).default(SINGLE_PATH_DEFAULTS.validationPaths),
});

const formOf = ({ hidden, rank }: Pick<z.infer<typeof schema>, 'hidden' | 'rank'>): GeneratedForm => ({
  kind: 'generated',
  hidden,
  rank,
});

export const smash = defineOneShot(
  {
    name: 'smash',
    description: 'Trains a hypernetwork that generates the weights of a sampled architecture (Brock et al. 2017).',
    finds: 'weights',
  },
  schema,
  (request, { recalibrate, validationPaths, ...sizes }) =>
    openSinglePathSupernet({ ...request, recalibrate, validationPaths }, formOf(sizes)),
  { candidates: formOf },
);
