import { z } from 'zod';

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
