/** Which nodes are not computed by themselves but within the operator that reads them. */
import type { Graph, Node, NodeId, Shape } from '../../../graph/ir.ts';
import { sizeOf } from '../../../graph/ir.ts';
import { canConvolve } from './conv.ts';
import type { Layout } from './layout.ts';

/** One summand of a sum that a chain of blocked convolutions computes, each adding its own to the sum so far. */
export type Term =
  /** A convolution, or the gradient of one by its input, or such a gradient with zeros before its first rows and columns. */
  | { readonly kind: 'conv'; readonly id: NodeId }
  /** scale[c] · x, or minus that */
  | { readonly kind: 'affine'; readonly x: NodeId; readonly scale: NodeId; readonly minus: boolean }
  /** A number for each channel, or minus that. */
  | { readonly kind: 'channels'; readonly id: NodeId; readonly minus: boolean }
  /** A tensor without changes. */
  | { readonly kind: 'tensor'; readonly id: NodeId };

export interface Fusion {
  /** Whether another node computes this one within itself. */
  absorbed(id: NodeId): boolean;
  /** The summands of a node that is best computed as such a sum; undefined for any other node. */
  terms(id: NodeId): readonly Term[] | undefined;
  /** (x, y) of a sum over [N, H, W] of x · y, which one convolution computes. */
  dot(id: NodeId): readonly [NodeId, NodeId] | undefined;
}

export function planFusion(graph: Graph, layouts: readonly Layout[], block: number): Fusion {
  const { nodes } = graph;
  const consumer = onlyConsumers(graph);
  const at = (id: NodeId): Node => nodes[id] as Node;
  const whole = (id: NodeId, shape: Shape) => layouts[id] === 'blocked' && `${at(id).shape}` === `${shape}`;
  /** The node behind broadcasts, if it is one number or one for each channel of a tensor of this shape. */
  const channels = (id: NodeId, shape: Shape): NodeId | undefined => {
    let from = id;
    while (at(from).op.kind === 'broadcastTo') from = at(from).inputs[0] as NodeId;
    return isByChannel(at(from).shape, shape) ? from : undefined;
  };
  const convolves = (id: NodeId): boolean => {
    const { op, inputs, shape } = at(id);
    if (layouts[id] !== 'blocked') return false;
    if (op.kind === 'pad') return isMoved(id);
    if (op.kind !== 'conv' && op.kind !== 'convInputGrad') return false;
    const w = at(inputs[1] as NodeId).shape;
    return canConvolve(block, op.kind === 'conv' ? at(inputs[0] as NodeId).shape : shape, w, op) !== undefined;
  };
  /**
   * Whether it is the gradient, of a convolution with a stride, by an image without its first row and column: gradients under a
   * stride have zeros in between in any case, so that other zeros may come first.
   */
  const isMoved = (id: NodeId): boolean => {
    const { op, inputs } = at(id);
    const from = inputs[0] as NodeId;
    const { op: gradient } = at(from);
    if (op.kind !== 'pad' || gradient.kind !== 'convInputGrad' || consumer[from] !== id || !convolves(from))
      return false;
    const { stride, pads } = gradient;
    const [, , ...before] = op.before;
    // Padding of the convolution lies where the zeros go: there its gradient is not zero.
    const fits = before.every((n, axis) => n === 0 || (pads[axis] === 0 && n < (stride[axis] ?? Number.NaN)));
    return fits && op.before[0] === 0 && op.before[1] === 0 && op.after.every((n) => n === 0);
  };
  const affine = (id: NodeId): { x: NodeId; scale: NodeId } | undefined => {
    const { op, inputs, shape } = at(id);
    if (layouts[id] !== 'blocked' || op.kind !== 'binary' || op.fn !== 'mul') return undefined;
    const [a, b] = inputs as [NodeId, NodeId];
    const [left, right] = [channels(a, shape), channels(b, shape)];
    if (right !== undefined && whole(a, shape)) return { x: a, scale: right };
    return left !== undefined && whole(b, shape) ? { x: b, scale: left } : undefined;
  };
  /** a + b, or a - b where the minus goes into a small tensor. */
  const adds = (id: NodeId): boolean => {
    const { op, inputs, shape } = at(id);
    if (layouts[id] !== 'blocked' || op.kind !== 'binary' || (op.fn !== 'add' && op.fn !== 'sub')) return false;
    const [a, b] = inputs as [NodeId, NodeId];
    const small = (i: NodeId) => channels(i, shape) !== undefined;
    if (!(whole(a, shape) || small(a)) || !(whole(b, shape) || small(b)) || (small(a) && small(b))) return false;
    return op.fn === 'add' || small(b) || (affine(b) !== undefined && consumer[b] === id);
  };
  const isSum = (id: NodeId) => convolves(id) || affine(id) !== undefined || adds(id);
  const dot = (id: NodeId): readonly [NodeId, NodeId] | undefined => {
    const { op, inputs } = at(id);
    if (op.kind !== 'reduce' || op.fn === 'max' || `${op.axes}` !== '0,2,3') return undefined;
    const { op: product, inputs: factors, shape } = at(inputs[0] as NodeId);
    if (product.kind !== 'binary' || product.fn !== 'mul') return undefined;
    const [x, y] = factors as [NodeId, NodeId];
    return whole(x, shape) && whole(y, shape) ? [x, y] : undefined;
  };
  const absorbed = (id: NodeId): boolean => {
    const into = consumer[id];
    if (into === undefined) return false;
    const { op } = at(into);
    if (op.kind === 'reduce') return dot(into) !== undefined;
    if (op.kind === 'pad') return layouts[into] === 'blocked' && isMoved(into);
    if (layouts[into] !== 'blocked' || !isSum(id)) return false;
    return op.kind === 'unary' ? op.fn === 'relu' : adds(into);
  };
  const memo = nodes.map((_, id) => absorbed(id));
  const collect = (id: NodeId, root: boolean, minus: boolean, shape: Shape): Term[] => {
    const small = channels(id, shape);
    if (small !== undefined) return [{ kind: 'channels', id: small, minus }];
    if (!root && memo[id] !== true) return [{ kind: 'tensor', id }];
    if (convolves(id)) return [{ kind: 'conv', id }];
    const scaled = affine(id);
    if (scaled !== undefined) return [{ kind: 'affine', ...scaled, minus }];
    const { op, inputs } = at(id);
    const [a, b] = inputs as [NodeId, NodeId];
    const second = op.kind === 'binary' && op.fn === 'sub';
    return [...collect(a, false, false, shape), ...collect(b, false, second, shape)];
  };
  return {
    absorbed: (id) => memo[id] === true,
    terms(id) {
      const { op, inputs, shape } = at(id);
      if (op.kind === 'unary' && op.fn === 'relu') {
        const from = inputs[0] as NodeId;
        return memo[from] === true ? collect(from, true, false, shape) : undefined;
      }
      return isSum(id) ? collect(id, true, false, shape) : undefined;
    },
    dot,
  };
}

/** [1, C, 1, 1], [C, 1, 1] or one number, beside a tensor [N, C, H, W]. */
function isByChannel(shape: Shape, beside: Shape): boolean {
  if (sizeOf(shape) === 1) return true;
  const [c, h, w] = shape.slice(-3);
  return shape.length >= 3 && c === beside[1] && h === 1 && w === 1 && sizeOf(shape) === c;
}

/** For each node the one node that reads it, once; undefined where there are more or it is an output. */
function onlyConsumers({ nodes, outputs }: Graph): readonly (NodeId | undefined)[] {
  const uses = new Int32Array(nodes.length);
  const consumer: (NodeId | undefined)[] = [];
  nodes.forEach(({ inputs }, id) => {
    for (const from of inputs) {
      uses[from] = (uses[from] ?? Number.NaN) + 1;
      consumer[from] = id;
    }
  });
  for (const id of Object.values(outputs)) uses[id] = 2;
  return nodes.map((_, id) => (uses[id] === 1 ? consumer[id] : undefined));
}
