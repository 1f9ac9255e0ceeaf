import type { GraphBuilder } from '../graph/builder.ts';
import { flopsOf } from '../graph/flops.ts';
import { type Node, type NodeId, type Shape, sizeOf } from '../graph/ir.ts';

/** What a device's time for a block depends on: work by kind of operator, values that are read and written, sizes. */
export const BLOCK_FEATURES = [
  ...(['pointwise', 'convolution', 'depthwise', 'grouped', 'matrix'] as const),
  ...(['cheap', 'costly', 'pooled', 'operators', 'weights'] as const),
  ...(['read', 'written', 'pixelsIn', 'pixelsOut', 'channelsIn', 'channelsOut', 'kernel', 'unaligned'] as const),
] as const;

type Feature = (typeof BLOCK_FEATURES)[number];

/** Those that a latency is nearly a sum of; the others say how fast each is. */
export const ADDITIVE: readonly Feature[] = BLOCK_FEATURES.slice(0, BLOCK_FEATURES.indexOf('pixelsIn'));

/** Channels in a block of the layout that ONNX Runtime computes convolutions in. */
const ALIGNED = 8;
const CHEAP = ['relu', 'neg', 'abs'];

/** The features of a part of a network, for one sample: multiply-accumulates, or elements. */
export function featuresOf(g: GraphBuilder, input: NodeId, output: NodeId): readonly number[] {
  const sums: { [name in Feature]?: number } = {};
  const add = (name: Feature, value: number) => {
    sums[name] = (sums[name] ?? 0) + value;
  };
  for (const [id, node] of g.nodes.entries()) {
    if (node.op.kind === 'constant') continue;
    if (node.op.kind === 'input') {
      if (id !== input) add('weights', sizeOf(node.shape));
      continue;
    }
    const work = workOf(node, g.nodes, id);
    if (work === undefined) continue;
    add('operators', 1);
    add(work.name, work.amount);
    if (node.op.kind === 'conv') {
      const weight = g.nodes[node.inputs[1] ?? 0]?.shape ?? [];
      sums.kernel = Math.max(sums.kernel ?? 0, weight.at(-1) ?? 0);
      if ((weight[0] ?? 0) % ALIGNED !== 0) add('unaligned', sizeOf(node.shape));
    }
  }
  const [from, to] = [g.shape(input), g.shape(output)];
  const all = {
    ...{ ...sums, read: sizeOf(from), written: sizeOf(to) },
    ...{ pixelsIn: pixels(from), pixelsOut: pixels(to), channelsIn: from[1] ?? 0, channelsOut: to[1] ?? 0 },
  };
  return BLOCK_FEATURES.map((name) => all[name] ?? 0);
}

const pixels = ([, , ...sides]: Shape) => sizeOf(sides);

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
      const [, channels = 1, ...kernel] = shapeOf(1);
      if (op.groups > 1) return { name: channels === 1 ? 'depthwise' : 'grouped', amount };
      return { name: sizeOf(kernel) === 1 ? 'pointwise' : 'convolution', amount };
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
