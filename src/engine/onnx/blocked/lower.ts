/** The blocked lowering: what an operator becomes where its tensors are kept in blocks of channels. */
import type { NodeId, Op, OpKind, OpOf } from '../../../graph/ir.ts';
import { BINARY, UNARY } from '../lowerings/elementwise.ts';
import type { Layout } from './layout.ts';
import {
  lowerBroadcast,
  lowerConcat,
  lowerCut,
  lowerElementwise,
  lowerPacked,
  lowerReduce,
  lowerWeightGradient,
} from './operators.ts';
import { avgPool, avgPoolGrad, maxPool, maxPoolScatter } from './pooling.ts';
import { type BlockedContext, type BlockedSite, blocked, type Emitted, siteOf } from './site.ts';
import { lowerSum } from './sums.ts';
import { isWhole } from './views.ts';

export interface BlockedLowering {
  /** Whether another node computes this one within itself, so that it is not to be lowered. */
  absorbed(id: NodeId): boolean;
  /** The node in a blocked form; undefined where it has none, and is left to the portable lowering. */
  lower(id: NodeId): Emitted | undefined;
}

/** `layout`: that of the node's value. Undefined where the operator has no blocked form with these operands. */
type LowerBlocked<O extends Op> = (s: BlockedSite, id: NodeId, op: O, layout: Layout) => Emitted | undefined;
type Lowerings = { readonly [K in OpKind]?: LowerBlocked<OpOf<K>> };

/** The operators that have a blocked form. All others are computed in the plain layout. */
const BLOCKED = {
  conv: lowerSum,
  convInputGrad: lowerSum,
  convWeightGrad: lowerWeightGradient,
  unary: ({ at, emitter, read }, id, op, layout) => ({
    name: UNARY[op.fn](emitter, read(operandOf(at(id)), layout)),
    layout,
  }),
  clip({ at, model, read }, id, op, layout) {
    const bounds = [model.floats([], [op.low]), model.floats([], [op.high])];
    return { name: model.node('Clip', [read(operandOf(at(id)), layout), ...bounds]), layout };
  },
  binary: (s, id, op, layout) => lowerElementwise(s, id, BINARY[op.fn], layout),
  reduce: lowerReduce,
  reshape: (s, id) => (s.plan.keepLayout.has(id) ? lowerPacked(s, id) : undefined),
  broadcastTo: (s, id, _op, layout) => lowerBroadcast(s, id, layout),
  concat: (s, id, op, layout) => (layout === 'blocked' ? lowerConcat(s, id, op) : undefined),
  slice: (s, id, op, layout) => cut(s, id, op, layout, op.starts[1]),
  pad: (s, id, op, layout) => cut(s, id, op, layout, op.before[1]),
  maxPool: ({ at, b, read }, id, op) => blocked(maxPool(b, read(operandOf(at(id)), 'blocked'), op)),
  maxPoolScatter({ at, b, read, shapeOf }, id, op) {
    const [x, dy] = at(id).inputs as [NodeId, NodeId];
    const operands = { x: read(x, 'blocked'), xShape: shapeOf(x), dy: read(dy, 'blocked'), dyShape: shapeOf(dy) };
    return blocked(maxPoolScatter(b, { ...operands, geometry: op }));
  },
  avgPool: ({ at, b, read }, id, op) => blocked(avgPool(b, read(operandOf(at(id)), 'blocked'), op)),
  avgPoolGrad({ at, b, read, shapeOf }, id, op) {
    const dy = operandOf(at(id));
    const { shape } = at(id);
    return blocked(avgPoolGrad(b, { dy: read(dy, 'blocked'), dyShape: shapeOf(dy), shape, geometry: op }));
  },
} as const satisfies Lowerings;

const operandOf = ({ inputs }: { readonly inputs: readonly NodeId[] }): NodeId => inputs[0] as NodeId;

/** Channels are cut and joined by whole blocks alone. */
function cut(
  s: BlockedSite,
  id: NodeId,
  op: OpOf<'slice'> | OpOf<'pad'>,
  layout: Layout,
  start: number | undefined,
): Emitted | undefined {
  const channels = s.shapeOf(operandOf(s.at(id)))[1];
  return layout === 'blocked' && isWhole(s.block, start) && isWhole(s.block, channels)
    ? lowerCut(s, id, op)
    : undefined;
}

/** Kinds whose value may be plain where what they read is blocked. */
const INTO_PLAIN: ReadonlySet<OpKind> = new Set<OpKind>(['reduce', 'reshape']);

function lowerOne<K extends OpKind>(s: BlockedSite, id: NodeId, kind: K, op: OpOf<K>): Emitted | undefined {
  const lowerings: Lowerings = BLOCKED;
  return lowerings[kind]?.(s, id, op, s.layouts[id] as Layout);
}

export function blockedLowering(context: BlockedContext): BlockedLowering {
  const s = siteOf(context);
  return {
    absorbed: s.fusion.absorbed,
    lower(id) {
      const { op } = s.at(id);
      if (INTO_PLAIN.has(op.kind)) return lowerOne(s, id, op.kind, op as never);
      if (s.layouts[id] === 'plain') return undefined;
      return lowerSum(s, id) ?? lowerOne(s, id, op.kind, op as never);
    },
  };
}
