/** What the lowerings of the blocked layout work with. */
import type { Graph, Node, NodeId, Shape } from '../../../graph/ir.ts';
import { isPointwise } from '../../../graph/ops/conv.ts';
import type { Memo, ModelBuilder } from '../model.ts';
import { type Emitter, openShape } from '../value.ts';
import type { Blocked, Name } from './blocked.ts';
import { type Fusion, planFusion } from './fuse.ts';
import type { Layout } from './layout.ts';
import type { Plan } from './plan.ts';

/** A value in the layout that its operator gave it. */
export interface Emitted {
  readonly name: Name;
  readonly layout: Layout;
  /** The same as a vector, for what has one axis that counts. */
  readonly vector?: Name;
}

export interface BlockedContext {
  readonly graph: Graph;
  readonly plan: Plan;
  readonly block: number;
  readonly emitter: Emitter;
  readonly batchAxis: (id: NodeId) => number | undefined;
  readonly made: (id: NodeId) => Emitted;
  /** The value of a node in a layout, converted if need be. */
  readonly read: (id: NodeId, layout: Layout) => Name;
}

/** The context, and what is derived from it once. */
export interface BlockedSite extends BlockedContext {
  readonly model: ModelBuilder;
  readonly b: Blocked;
  readonly layouts: readonly Layout[];
  readonly fusion: Fusion;
  at(id: NodeId): Node;
  shapeOf(id: NodeId): Shape;
  /** How many gradients of 1x1 filters read a gradient. */
  readonly pointwiseReaders: ReadonlyMap<NodeId, number>;
  /** Tiles of gradients, transposed, that several such gradients want. */
  readonly tiles: Memo<Name, Name>;
  /** `axis`: the open batch in `shape`; `own`: the shape that the value has now. */
  reshape(name: Name, shape: Shape, axis?: number, own?: Shape): Name;
}

export function siteOf(context: BlockedContext): BlockedSite {
  const { graph, plan, block, emitter } = context;
  const { model } = emitter;
  const at = (id: NodeId): Node => graph.nodes[id] as Node;
  return {
    ...context,
    model,
    b: { model, block },
    layouts: plan.layouts,
    fusion: planFusion(graph, plan.layouts, block),
    pointwiseReaders: pointwiseReadersIn(graph),
    tiles: model.memo<Name, Name>(),
    at,
    shapeOf: (id) => at(id).shape,
    reshape: (name, shape, axis, own) => model.view(name, openShape(shape, axis), own && openShape(own, axis)),
  };
}

export const blocked = (name: Name): Emitted => ({ name, layout: 'blocked' });

function pointwiseReadersIn({ nodes }: Graph): ReadonlyMap<NodeId, number> {
  const readers = new Map<NodeId, number>();
  for (const { op, inputs, shape } of nodes) {
    const [x, dy] = inputs;
    if (op.kind !== 'convWeightGrad' || dy === undefined || x === dy || !isPointwise(op, shape)) continue;
    readers.set(dy, (readers.get(dy) ?? 0) + 1);
  }
  return readers;
}
