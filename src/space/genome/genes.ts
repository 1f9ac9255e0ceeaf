/** What genomes of every kind do with their connection genes: align, cross, split, add and enable them by historical markings. */
import { invalid } from '../../common/errors.ts';
import type { Rng } from '../../common/random.ts';
import { levelOf, MOST_LEVELS, markOf, splitMark } from './marks.ts';
import type { Alignment } from './moves.ts';
import { hasCycle, leadsTo } from './paths.ts';

/** A connection gene. A disabled one carries nothing, but is inherited. */
export type Gene = {
  /** The historical marking: equal for the same connection in all genomes (`markOf`). */
  readonly innovation: number;
  readonly from: number;
  readonly to: number;
  readonly enabled: boolean;
};

/** Which nodes all members of a space have: inputs from 0 on, then the bias, then outputs. Hidden nodes have numbers from 2^32 on. */
export interface Ends {
  readonly inputs: number;
  readonly outputs: number;
  /** The value of a node that is always the same; 0: there is no such node. */
  readonly bias: number;
  /** Whether connections may form cycles. */
  readonly recurrent: boolean;
}

/** The number of inputs and bias: nodes that no connection leads to. */
export const sourcesOf = ({ inputs, bias }: Ends): number => inputs + Number(bias !== 0);
/** The number of nodes that all members have; the outputs are the last of them. */
export const fixedOf = (ends: Ends): number => sourcesOf(ends) + ends.outputs;

/** Throws UserError for genes that lead from or to nodes that are not there, have other marks than theirs, are there twice, or form a cycle. */
export function checkGenes(hidden: readonly number[], genes: readonly Gene[], ends: Ends, place: string): void {
  const [sources, fixed] = [sourcesOf(ends), fixedOf(ends)];
  const nodes = new Set(hidden);
  const isNode = (id: number) => id < fixed || nodes.has(id);
  for (const [i, one] of genes.entries()) {
    const refuse = (rule: string) => invalid(place, `connections[${i}] is ${JSON.stringify(one)}`, rule);
    const { innovation, from, to } = one;
    if (!isNode(from) || !isNode(to) || to < sources)
      throw refuse('must lead from a node to a hidden node or an output');
    if (!ends.recurrent && from >= sources && from < fixed) throw refuse('must not leave an output');
    const mark = markOf(from, to, fixed);
    if (innovation !== mark) throw refuse(`the innovation number of a connection between these nodes is ${mark}`);
  }
  const marks = new Set(genes.map(({ innovation }) => innovation));
  if (marks.size < genes.length || nodes.size < hidden.length)
    throw invalid(place, 'has a node or a connection twice', 'each may be there once');
  if (!ends.recurrent && hasCycle(genes))
    throw invalid(place, 'has connections that form a cycle', 'the space is of feed-forward networks');
}

/** How two lists of genes, each by rising innovation number, align; `differ`: how much a gene differs between the two. O(genes). */
export function alignGenes<G extends Pick<Gene, 'innovation'>>(
  left: readonly G[],
  right: readonly G[],
  differ: (one: G, other: G) => number,
): Alignment {
  let [i, j, matching, difference, disjoint] = [0, 0, 0, 0, 0];
  for (let [one, other] = [left[0], right[0]]; one !== undefined && other !== undefined; ) {
    if (one.innovation === other.innovation) {
      matching++;
      difference += differ(one, other);
      one = left[++i];
      other = right[++j];
      continue;
    }
    disjoint++;
    if (one.innovation < other.innovation) one = left[++i];
    else other = right[++j];
  }
  return {
    genes: Math.max(left.length, right.length),
    disjoint,
    excess: left.length - i + right.length - j,
    difference: matching === 0 ? 0 : difference / matching,
  };
}

/**
 * The genes of a child: those of `better`. A gene that both parents have is what `mix` makes of the two. One that is disabled in either
 * parent is disabled in the child with probability `disabled`, else enabled (in Stanley's code a gene stays disabled that neither parent has
 * enabled).
 */
export function crossGenes<G extends Gene>(
  better: readonly G[],
  other: readonly G[],
  disabled: number,
  mix: (one: G, match: G) => G,
  stream: Rng,
): G[] {
  let j = 0;
  return better.map((one): G => {
    let match = other[j];
    while (match !== undefined && match.innovation < one.innovation) match = other[++j];
    if (match === undefined || match.innovation !== one.innovation)
      return one.enabled ? one : { ...one, enabled: stream.float() >= disabled };
    const mixed = mix(one, match);
    const enabled = (one.enabled && match.enabled) || stream.float() >= disabled;
    return { ...mixed, enabled };
  });
}

/**
 * An enabled gene at random, and the number of the node that splits it. Undefined where there is none, or the number is taken. As in
 * Stanley's code, connections from the bias are not split.
 */
export function splitGene<G extends Gene>(
  hidden: readonly number[],
  genes: readonly G[],
  ends: Ends,
  stream: Rng,
): { readonly split: G; readonly node: number } | undefined {
  const bias = ends.bias === 0 ? -1 : ends.inputs;
  const candidates = genes.filter(({ from, enabled }) => enabled && from !== bias);
  if (candidates.length === 0) return undefined;
  const split = stream.pick(candidates);
  if (levelOf(split.innovation) >= MOST_LEVELS) return undefined;
  let again = 0;
  while (hidden.includes(splitMark(split.innovation, again))) again++;
  const node = splitMark(split.innovation, again);
  const fixed = fixedOf(ends);
  const marks = [markOf(split.from, node, fixed), markOf(node, split.to, fixed)];
  if (genes.some(({ innovation }) => marks.includes(innovation))) return undefined;
  return { split, node };
}

/** Pairs of nodes that are drawn to find one without a connection: `newlink_tries` of Stanley's code. */
const TRIES = 20;

/** Up to 20 pairs of nodes are drawn, and genes made of them, until one is new and, in a feed-forward network, closes no cycle. */
export function newGene<G extends Gene>(
  hidden: readonly number[],
  genes: readonly G[],
  ends: Ends,
  make: (from: number, to: number) => G,
  stream: Rng,
): G | undefined {
  const [sources, fixed] = [sourcesOf(ends), fixedOf(ends)];
  const many = ends.recurrent ? fixed : sources;
  const nodeAt = (i: number, first: number) => (i < first ? i : (hidden[i - first] ?? 0));
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const from = nodeAt(stream.int(many + hidden.length), many);
    const to = nodeAt(sources + stream.int(ends.outputs + hidden.length), fixed);
    const added = make(from, to);
    if (genes.some(({ innovation }) => innovation === added.innovation)) continue;
    if (!ends.recurrent && leadsTo(genes, to, from)) continue;
    return added;
  }
  return undefined;
}

/** The genes with a disabled one, at random, enabled; undefined where none is disabled. */
export function reenabled<G extends Gene>(genes: readonly G[], stream: Rng): G[] | undefined {
  const disabled = genes.filter(({ enabled }) => !enabled);
  if (disabled.length === 0) return undefined;
  const chosen = stream.pick(disabled);
  return genes.map((one) => (one === chosen ? { ...one, enabled: true } : one));
}
