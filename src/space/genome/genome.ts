/** A network as a list of genes: nodes, and connections with historical markings. Plain JSON. */
import { z } from 'zod';
import { invalid } from '../../common/errors.ts';
import { deepFreeze } from '../../common/json.ts';
import { checkGenes, type Ends, type Gene } from './genes.ts';

/** A connection gene with its weight, which a disabled one keeps. */
export type Connection = Gene & { readonly weight: number };

/**
 * Inputs are the nodes 0 to I−1, the bias (if any) is I, outputs follow; these are the same in all members and not listed. Hidden
 * nodes have numbers from 2^32 on.
 */
export type Genome = {
  /** Rising. */
  readonly hidden: readonly number[];
  /** By rising innovation number. */
  readonly connections: readonly Connection[];
};

/** What the members of a space have in common. */
export interface GenomeShape extends Ends {
  /** Weights are in [-weightLimit, weightLimit]. */
  readonly weightLimit: number;
  /** What each input is multiplied by before the weights; absent: by 1. */
  readonly scale?: readonly number[];
}

/**
 * What a node makes of the weighted sum of its inputs: 1 / (1 + exp(-4.9 x)), nearly linear between -0.5 and 0.5 (Stanley & Miikkulainen
 * 2002, section 4.1).
 */
export const SIGMOID_SLOPE = 4.9;

const genomeSchema = z.strictObject({
  hidden: z.array(z.int().min(2 ** 32)),
  connections: z.array(
    z.strictObject({
      innovation: z.int().min(0),
      from: z.int().min(0),
      to: z.int().min(0),
      weight: z.number(),
      enabled: z.boolean(),
    }),
  ),
});

/** Plain data as a genome, sorted and frozen. Throws UserError with place, value and rule. */
export function checkGenome(found: unknown, shape: GenomeShape, place: string): Genome {
  const read = genomeSchema.safeParse(found);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw invalid(place, `is ${JSON.stringify(found)}`, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const { hidden, connections } = read.data;
  for (const [i, one] of connections.entries())
    if (Math.abs(one.weight) > shape.weightLimit)
      throw invalid(
        place,
        `connections[${i}] is ${JSON.stringify(one)}`,
        `its weight must be within ±${shape.weightLimit}`,
      );
  checkGenes(hidden, connections, shape, place);
  return genomeOf(hidden, connections);
}

/** Genes as a frozen genome; they are sorted, and not checked. */
export function genomeOf(hidden: readonly number[], connections: readonly Connection[]): Genome {
  return deepFreeze({
    hidden: hidden.toSorted((a, b) => a - b),
    connections: connections
      .map((one) => (Object.is(one.weight, -0) ? { ...one, weight: 0 } : one)) // JSON has no -0.
      .sort((a, b) => a.innovation - b.innovation),
  });
}

/** Six decimals: short in JSON, and far below any step of a mutation. */
export function rounded(weight: number, limit: number): number {
  const cut = Math.min(limit, Math.max(-limit, weight));
  return Math.round(cut * 1e6) / 1e6 + 0; // Not -0: JSON has none.
}
