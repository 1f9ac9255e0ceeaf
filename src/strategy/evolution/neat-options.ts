import { z } from 'zod';
import type { NeatOptions } from './neat.ts';

const share = z.number().min(0).max(1);
const coefficient = z.number().min(0).max(1000);

/** The options of NEAT, in the order of `--help`. Defaults are the paper's, for a population of 150. */
export const neatOptions = z.strictObject({
  population: z.int().min(2).max(100_000).default(150),
  speciation: z.boolean().default(true),
  excess: coefficient.default(1),
  disjoint: coefficient.default(1),
  weight: coefficient.default(0.4),
  normalizeFrom: z.int().min(0).max(1_000_000).default(20),
  threshold: z.number().positive().max(1000).default(3),
  survival: z.number().gt(0).max(1).default(0.2),
  stagnation: z.int().min(1).max(1_000_000).default(15),
  populationStagnation: z.int().min(1).max(1_000_000).default(20),
  championFrom: z.int().min(0).max(100_000).default(5),
  mutationOnly: share.default(0.25),
  interspecies: share.default(0.001),
  disabled: share.default(0.75),
  averaging: share.default(0),
  addNode: share.default(0.03),
  addConnection: share.default(0.05),
  reenable: share.default(0),
  weights: share.default(0.8),
  replaced: share.default(0.1),
  power: z.number().positive().max(1000).default(2.5),
});

const neat = neatOptions.shape;

/**
 * The options of NEAT for genomes of layers (`layer-genomes`), where a trial is a training and there are some hundred of them. Differs from
 * NEAT: a small population that grows fast, as new structure is trained at once; distances that no size divides; mating between species
 * that 20 members meet at all; no child without a change.
 */
export const layerNeatOptions = z.strictObject({
  population: z.int().min(2).max(100_000).default(20),
  speciation: neat.speciation,
  excess: neat.excess,
  disjoint: neat.disjoint,
  /** c3, of the difference of settings. */
  setting: coefficient.default(1),
  normalizeFrom: z.int().min(0).max(1_000_000).default(0),
  threshold: z.number().positive().max(1000).default(4),
  survival: neat.survival,
  stagnation: neat.stagnation,
  populationStagnation: neat.populationStagnation,
  championFrom: neat.championFrom,
  mutationOnly: neat.mutationOnly,
  interspecies: share.default(0.05),
  disabled: neat.disabled,
  addLayer: share.default(0.5),
  addConnection: share.default(0.3),
  reenable: share.default(0.05),
  /** An unchanged child would only be trained again. */
  settings: share.default(1),
  replaced: neat.replaced,
});

/** The same by the names of NEAT: the settings of layers are its weights, layers its nodes. */
export function asNeat(options: z.infer<typeof layerNeatOptions>): NeatOptions {
  const { setting, addLayer, settings, ...others } = options;
  return { ...others, weight: setting, addNode: addLayer, weights: settings, averaging: 0, power: 1 };
}
