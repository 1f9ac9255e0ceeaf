import type { GraphBuilder } from '../graph/builder.ts';
import { flopsOf } from '../graph/flops.ts';
import { type Node, type NodeId, type Shape, sizeOf } from '../graph/ir.ts';

/**
 * What a device's time for a block depends on: work by kind of operator, values that are read and written, sizes. Convolutions of channels that are no
 * multiple of 4 are work of another kind: ONNX Runtime computes them without its layout of blocks of channels, several times as slowly.
 */
export const BLOCK_FEATURES = [
  ...(['pointwise', 'pointwiseOdd', 'convolution', 'convolutionOdd', 'depthwise', 'depthwiseOdd'] as const),
  ...([
    'grouped',
    'matrix',
    'cheap',
    'costly',
    'pooled',
    'padding',
    'groups',
    'operators',
    'weights',
    'read',
    'written',
  ] as const),
  ...(['pixelsIn', 'pixelsOut', 'channelsIn', 'channelsOut', 'channelsMost', 'kernel'] as const),
] as const;

type Feature = (typeof BLOCK_FEATURES)[number];

/** Those that a latency is nearly a sum of; the others say how fast each is. */
export const ADDITIVE: readonly Feature[] = BLOCK_FEATURES.slice(0, BLOCK_FEATURES.indexOf('pixelsIn'));

const ALIGNED = 4;
/** Channels in a block of the layout, with AVX-512; channels are filled up to a multiple. */
const BLOCK = 16;
const CHEAP = ['relu', 'neg', 'abs'];

/** The features of a part of a network, for one sample: multiply-accumulates, or elements. */
export function featuresOf(g: GraphBuilder, input: NodeId, output: NodeId): readonly number[] {
  const sums: { [name in Feature]?: number } = {};
  const add = (name: Feature, amount: number) => {
    sums[name] = (sums[name] ?? 0) + amount;
  };
  const { nodes } = g;
  /** The nodes that the input reaches: the others are computed once, when the network is exported. */
  const live = new Set<NodeId>([input]);
  /** Convolutions and matrix products, and what is folded into them. */
  const layers = new Set<NodeId>();
  for (const [id, node] of nodes.entries()) {
    const { op, inputs, shape } = node;
    if (op.kind === 'input' && id !== input) add('weights', sizeOf(shape));
    if (!inputs.some((one) => live.has(one))) continue;
    live.add(id);
    const isLayer = op.kind === 'conv' || op.kind === 'matmul';
    if (isLayer || isFolded(node, nodes, live)) layers.add(id);
    if (!isLayer && (layers.has(id) || isFused(node, layers))) continue;
    const work = workOf(node, nodes, id);
    if (work === undefined) continue;
    add('operators', 1);
    add(work.name, work.amount);
    if (op.kind !== 'conv') continue;
    const [filters = 0, , ...kernel] = nodes[inputs[1] ?? 0]?.shape ?? [];
    sums.kernel = Math.max(sums.kernel ?? 0, ...kernel);
    sums.channelsMost = Math.max(sums.channelsMost ?? 0, filters);
    const filled = Math.ceil(filters / BLOCK) * BLOCK - filters;
    if (filters % ALIGNED === 0) add('padding', filled * pixels(shape));
    // One after another, each by a small matrix product.
    else if (op.groups > 1) add('groups', op.groups);
  }
  const [from, to] = [g.shape(input), g.shape(output)];
  const all = {
    ...{ ...sums, read: sizeOf(from), written: sizeOf(to) },
    ...{ pixelsIn: pixels(from), pixelsOut: pixels(to), channelsIn: from[1] ?? 0, channelsOut: to[1] ?? 0 },
  };
  return BLOCK_FEATURES.map((name) => all[name] ?? 0);
}

const pixels = ([, , ...sides]: Shape) => sizeOf(sides);

/** Whether it becomes a part of the weights of a layer before it, or is itself a number for each channel, as batch norm is. */
function isFolded({ op, inputs }: Node, nodes: readonly Node[], live: ReadonlySet<NodeId>): boolean {
  if (op.kind !== 'binary') return false;
  const fixed = inputs.find((one) => !live.has(one));
  return fixed !== undefined && nodes[fixed]?.op.kind !== 'constant';
}

/** Whether ONNX Runtime computes it together with the layer that it reads. */
function isFused({ op, inputs: [from = -1] }: Node, layers: ReadonlySet<NodeId>): boolean {
  return ((op.kind === 'unary' && op.fn === 'relu') || op.kind === 'clip') && layers.has(from);
}

/** The kind of work that an operator does, and how much; undefined for a view of the same memory. */
function workOf(
  { op, shape, inputs }: Node,
  nodes: readonly Node[],
  id: NodeId,
): { readonly name: Feature; readonly amount: number } | undefined {
  const shapeOf = (place: number): Shape => nodes[inputs[place] ?? 0]?.shape ?? [];
  switch (op.kind) {
    case 'conv': {
      const amount = flopsOf(nodes, id);
      const [filters = 1, channels = 1, ...kernel] = shapeOf(1);
      if (op.groups > 1 && channels > 1) return { name: 'grouped', amount };
      const kind = op.groups > 1 ? 'depthwise' : sizeOf(kernel) === 1 ? 'pointwise' : 'convolution';
      // The few channels of an image are read as they are.
      const isOdd = filters % ALIGNED !== 0 || (op.groups === 1 && channels > ALIGNED && channels % ALIGNED !== 0);
      return { name: isOdd ? `${kind}Odd` : kind, amount };
    }
    case 'matmul':
      return { name: 'matrix', amount: flopsOf(nodes, id) };
    case 'reduce':
    case 'maxPool':
    case 'avgPool':
      return { name: 'pooled', amount: sizeOf(shapeOf(0)) };
    case 'unary':
      return { name: CHEAP.includes(op.fn) ? 'cheap' : 'costly', amount: sizeOf(shape) };
    case 'reshape':
    case 'broadcastTo':
    case 'transpose':
      return undefined;
    default:
      return { name: 'cheap', amount: sizeOf(shape) };
  }
}
