import { largest } from '../common/extremes.ts';
import { type Layout, layoutOf } from './adam.ts';

/** What all graphs have in common. A node's number is larger than those of the nodes that it reads. */
export interface GraphShape {
  /** The component (cell) of each node, numbered from 0. */
  readonly components: readonly number[];
  readonly edges: readonly { readonly from: number; readonly to: number }[];
  /** Nodes where information enters, and where it leaves; none twice. */
  readonly sources: readonly number[];
  readonly sinks: readonly number[];
  /** Different operations. */
  readonly operations: number;
  /** Numbers that describe the whole architecture beside its cells. */
  readonly features: number;
}

/**
 * One graph: for each edge and node 0 where nothing passes, 1 where all passes unchanged, from 2 on the number of its operation; and
 * numbers of about [0, 1].
 */
export interface GraphRow {
  readonly edges: ArrayLike<number>;
  readonly nodes: ArrayLike<number>;
  readonly features: ArrayLike<number>;
}

/** What an edge or node has in the place of an operation. */
export const CLOSED = 0;
export const OPEN = 1;
export const FIRST_OPERATION = 2;

/** The networks of an ensemble, and where their parameters are. */
export interface Networks extends Layout {
  readonly shape: GraphShape;
  readonly members: number;
  readonly hidden: number;
  readonly cells: number;
}

export function networksOf(shape: GraphShape, members: number, hidden: number): Networks {
  const cells = 1 + largest(shape.components);
  const read = cells * hidden + shape.features;
  const ofState = Math.sqrt(3 / hidden);
  const layout = layoutOf([
    // Gates before the sigmoid, of the sweep along the edges and of the one against them.
    [[members, shape.operations, 2 * hidden], 1],
    // Weights of both sweeps.
    [[members, hidden, hidden], ofState],
    [[members, hidden, hidden], ofState],
    // What enters.
    [[members, shape.sources.length, hidden], 1],
    [[members, shape.sinks.length, hidden], 1],
    // The two layers of the read-out.
    [[members, read, hidden], Math.sqrt(6 / read)],
    [[members, 1, hidden], 0],
    [[members, hidden, 1], Math.sqrt(6 / hidden)],
    [[members, 1, 1], 0],
  ]);
  return { ...layout, shape, members, hidden, cells };
}
