/** A network as a list of genes: nodes, and connections with historical markings. Plain JSON. */
import { z } from 'zod';
import { invalid } from '../../common/errors.ts';
import { deepFreeze } from '../../common/json.ts';
import { markOf } from './marks.ts';
import { hasCycle } from './paths.ts';

/** A connection gene. A disabled one carries nothing, but keeps its weight and is inherited. */
export type Connection = {
  /** The historical marking: equal for the same connection in all genomes (`markOf`). */
  readonly innovation: number;
  readonly from: number;
  readonly to: number;
  readonly weight: number;
  readonly enabled: boolean;
};

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
export interface GenomeShape {
  readonly inputs: number;
  readonly outputs: number;
  /** The value of a node that is always the same; 0: there is no such node. */
  readonly bias: number;
  /** Whether connections may form cycles. */
  readonly recurrent: boolean;
  /** Weights are in [-weightLimit, weightLimit]. */
  readonly weightLimit: number;
}

/**
 * What a node makes of the weighted sum of its inputs: 1 / (1 + exp(-4.9 x)), nearly linear between -0.5 and 0.5 (Stanley & Miikkulainen
 * 2002, section 4.1).
 */
export const SIGMOID_SLOPE = 4.9;

/** The number of inputs and bias: nodes that no connection leads to. */
export const sourcesOf = ({ inputs, bias }: GenomeShape): number => inputs + Number(bias !== 0);
/** The number of nodes that all members have; the outputs are the last of them. */
export const fixedOf = (shape: GenomeShape): number => sourcesOf(shape) + shape.outputs;

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
  const [sources, fixed] = [sourcesOf(shape), fixedOf(shape)];
  const nodes = new Set(hidden);
  const isNode = (id: number) => id < fixed || nodes.has(id);
  for (const [i, one] of connections.entries()) {
    const refuse = (rule: string) => invalid(place, `connections[${i}] is ${JSON.stringify(one)}`, rule);
    const { innovation, from, to, weight } = one;
    if (!isNode(from) || !isNode(to) || to < sources)
      throw refuse('must lead from a node to a hidden node or an output');
    if (!shape.recurrent && from >= sources && from < fixed) throw refuse('must not leave an output');
    if (Math.abs(weight) > shape.weightLimit) throw refuse(`its weight must be within ±${shape.weightLimit}`);
    const mark = markOf(from, to, fixed);
    if (innovation !== mark) throw refuse(`the innovation number of a connection between these nodes is ${mark}`);
  }
  const marks = new Set(connections.map(({ innovation }) => innovation));
  if (marks.size < connections.length || nodes.size < hidden.length)
    throw invalid(place, 'has a node or a connection twice', 'each may be there once');
  if (!shape.recurrent && hasCycle(connections))
    throw invalid(place, 'has connections that form a cycle', 'the space is of feed-forward networks');
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
