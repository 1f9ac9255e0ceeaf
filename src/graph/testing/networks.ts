/** Small networks on images, whose passes and gradients are compared with the graph as it was built. */
import { rng } from '../../common/random.ts';
import { createGraph, finish, type GraphBuilder } from '../builder.ts';
import { gradients } from '../differentiate.ts';
import { type FedTensor, interpret } from '../interpret.ts';
import type { Graph, NodeId, Shape } from '../ir.ts';
import { sizeOf } from '../ir.ts';
import * as ops from '../ops.ts';

/** Appends a network to the image x [N, C, H, W]; every input that it makes gets a gradient. */
export type Network = (g: GraphBuilder, x: NodeId) => NodeId;

export const IMAGE: Shape = [2, 4, 5, 5];

/** The network alone; output `y`. */
export function forwardOf(network: Network, image: Shape = IMAGE): Graph {
  const g = createGraph();
  return finish(g, { y: network(g, ops.input(g, 'x', image)) });
}

/** `y`, and `d NAME`, the gradient of sum(y · upstream) by each input; `upstream` is one more input, of y's shape. */
export function withGradients(forward: Graph): Graph {
  const g = createGraph(forward);
  const y = forward.outputs.y ?? -1;
  const shape = g.shape(y);
  const inputs = forward.nodes.flatMap(({ op }, id) => (op.kind === 'input' ? [{ name: op.name, id }] : []));
  const upstream = ops.input(g, 'upstream', shape);
  const loss = ops.reduceSum(g, ops.mul(g, y, upstream), [...shape.keys()]);
  const found = gradients(
    g,
    loss,
    inputs.map(({ id }) => id),
  );
  return finish(g, { y, ...Object.fromEntries(inputs.map(({ name }, i) => [`d ${name}`, found[i] as NodeId])) });
}

/** Numbers for all inputs of a graph, from a normal distribution, the same for the same label. */
export function feedsOf(graph: Graph, label: string): Record<string, FedTensor> {
  return Object.fromEntries(
    graph.nodes.flatMap(({ op }) => {
      if (op.kind !== 'input') return [];
      const random = rng('feeds', label, op.name);
      return [[op.name, { shape: op.shape, data: Array.from({ length: sizeOf(op.shape) }, () => random.normal()) }]];
    }),
  );
}

/** The largest difference of an output of the two graphs, relative to the norm of what is expected; a missing one is zero. */
export function largestDifference(expected: Graph, actual: Graph, feeds: Readonly<Record<string, FedTensor>>): number {
  const [one, other] = [interpret(expected, feeds), interpret(actual, feeds)];
  const errors = Object.entries(one).map(([name, { shape, data }]) => {
    const found = other[name] ?? { shape, data: new Float64Array(data.length) };
    if (`${found.shape}` !== `${shape}`) throw new Error(`${name} is [${found.shape}], not [${shape}]`);
    const norm = Math.sqrt(data.reduce((sum, v) => sum + v * v, 0));
    const difference = Math.sqrt(data.reduce((sum, v, i) => sum + (v - (found.data[i] ?? Number.NaN)) ** 2, 0));
    return difference / (norm < 1e-9 ? 1 : norm);
  });
  return Math.max(...errors);
}

/** Nodes that hold a tensor of the image's batch and a size above one pixel: what a pass over memory is made for. */
export function imagesIn(graph: Graph, image: Shape = IMAGE): string[] {
  return graph.nodes.flatMap(({ op, shape }) => {
    const isImage = shape.length === 4 && shape[0] === image[0] && sizeOf(shape.slice(2)) > 1;
    if (!isImage || op.kind === 'input' || op.kind === 'broadcastTo') return [];
    return [op.kind === 'unary' || op.kind === 'binary' ? op.fn : op.kind];
  });
}

/** Batch normalization as the network room lowers it, without weight and bias. */
export function batchNorm(g: GraphBuilder, x: NodeId, epsilon = 1e-5): NodeId {
  const axes = [0, 2, 3];
  const mean = ops.reduceMean(g, x, axes, true);
  const square = ops.reduceMean(g, ops.mul(g, x, x), axes, true);
  const variance = ops.relu(g, ops.sub(g, square, ops.mul(g, mean, mean)));
  const scale = ops.div(g, ops.constant(g, 1), ops.sqrt(g, ops.add(g, variance, ops.constant(g, epsilon))));
  return ops.add(g, ops.mul(g, x, scale), ops.neg(g, ops.mul(g, mean, scale)));
}

/** A convolution with `half` padding and a filter that is an input of this name. */
export function convolution(
  g: GraphBuilder,
  x: NodeId,
  name: string,
  { kernel = 1, channels = g.shape(x)[1] ?? 1, groups = 1, stride = 1, dilation = 1 } = {},
): NodeId {
  const w = ops.input(g, name, [channels, (g.shape(x)[1] ?? 1) / groups, kernel, kernel]);
  const pad = dilation * Math.floor(kernel / 2);
  return ops.conv(g, x, w, {
    stride: [stride, stride],
    dilation: [dilation, dilation],
    pads: [pad, pad, pad, pad],
    groups,
  });
}

/** ReLU, depthwise convolution, 1x1 convolution, batch norm: half of a separable convolution. */
export function separable(
  g: GraphBuilder,
  x: NodeId,
  name: string,
  geometry: { kernel?: number; dilation?: number } = {},
): NodeId {
  const depthwise = { kernel: 3, ...geometry, groups: g.shape(x)[1] ?? 1 };
  return batchNorm(
    g,
    convolution(g, convolution(g, ops.relu(g, x), `${name} depthwise`, depthwise), `${name} pointwise`),
  );
}

/** A network of random layers: branches that share inputs, weighed and summed, with batch norms and pools among them. */
export function randomNetwork(seed: number): Network {
  return (g, x) => {
    const random = rng('random network', seed);
    const values = [x];
    const pool = { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1] } as const;
    const layer = (from: NodeId, name: string): NodeId =>
      random.pick([
        () => separable(g, from, name, random.pick([{ kernel: 3 }, { kernel: 5 }, { kernel: 3, dilation: 2 }])),
        () => batchNorm(g, convolution(g, ops.relu(g, from), name, { kernel: random.pick([1, 3]) })),
        () => batchNorm(g, convolution(g, from, name, { groups: 2 })),
        () => convolution(g, from, name, { kernel: random.pick([1, 3]), groups: random.pick([1, 2, 4]) }),
        () => batchNorm(g, ops.avgPool(g, from, pool)),
        () => ops.avgPool(g, from, pool),
        () => ops.zerosLike(g, from),
        () => from,
      ])();
    const weigh = (y: NodeId, name: string): NodeId =>
      random.pick([
        () => ops.mul(g, y, ops.input(g, name, [])),
        () => ops.mul(g, ops.input(g, name, [1, 4, 1, 1]), y),
        () => ops.add(g, y, ops.input(g, name, [4, 1, 1])),
        () => ops.scale(g, y, 0.5),
        () => ops.relu(g, y),
        () => y,
      ])();
    for (let node = 1; node <= 3; node++) {
      const terms = Array.from({ length: 1 + random.int(4) }, (_, i) =>
        weigh(layer(random.pick(values), `${node} ${i}`), `${node} ${i} weight`),
      );
      values.push(terms.reduce((sum, term) => random.pick([ops.add, ops.add, ops.sub])(g, sum, term)));
    }
    return values.reduce((sum, value) => ops.add(g, sum, value));
  };
}
