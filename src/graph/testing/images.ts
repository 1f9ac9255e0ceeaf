/** Random networks on images, of every operator that has its own form in some layout. */
import { type Rng, rng } from '../../common/random.ts';
import type { FedTensor } from '../interpret.ts';
import type { Graph, NodeId, Shape } from '../ir.ts';
import { sizeOf } from '../ir.ts';
import type { GraphBuilder } from '../ops.ts';
import * as ops from '../ops.ts';
import { batchNorm, type Network } from './networks.ts';

/** Under the root of batch norm: rounding of a variance near zero must not tell. */
const EPSILON = 0.1;

/**
 * A network whose tensors have numbers of channels around `block`: whole blocks, halves, and a few. Its output is one number,
 * the sum of all tensors that nothing reads times an input each: an input's gradient is such a tensor. The same for the same seed.
 */
export function randomImages(seed: number, block: number): { readonly image: Shape; readonly network: Network } {
  const random = rng('random images', seed);
  const widths = [block, block, 2 * block, block / 2, (3 * block) / 2, 3];
  // Now and then an image is wider than a block.
  const [height, width] = [4 + random.int(6), random.float() < 0.1 ? block + 1 + random.int(4) : 4 + random.int(6)];
  const image = [1 + random.int(4), random.pick([...widths, 3]), height, width];
  return { image, network: (g, x) => grow(g, x, rng('random images', seed, 'layers'), widths) };
}

/**
 * Numbers for all inputs: standard normal, those of filters divided by the root of how many a sum has, so that the tensors behind
 * them keep their size.
 */
export function imageFeeds(graph: Graph, seed: number): Record<string, FedTensor> {
  return Object.fromEntries(
    graph.nodes.flatMap(({ op }) => {
      if (op.kind !== 'input') return [];
      const random = rng('random images', seed, op.name);
      const size = op.name.startsWith('filter') ? 1 / Math.sqrt(sizeOf(op.shape.slice(1))) : 1;
      const data = Array.from({ length: sizeOf(op.shape) }, () => Math.fround(size * random.normal()));
      return [[op.name, { shape: op.shape, data }]];
    }),
  );
}

function grow(g: GraphBuilder, x: NodeId, random: Rng, widths: readonly number[]): NodeId {
  let inputs = 0;
  const input = (role: string, shape: Shape) => ops.input(g, `${role} ${inputs++}`, shape);
  const values = [x];
  const read = new Set<NodeId>();
  const four = (id: NodeId) => g.shape(id) as readonly [number, number, number, number];

  /** A window that fits into an image of this size, with padding on each side that is less than the window. */
  const windowOn = (id: NodeId, sizes: readonly number[], dilations: readonly number[]) => {
    const [, , h, w] = four(id);
    const pair = (draw: (axis: 0 | 1) => number) => [draw(0), draw(1)] as const;
    const kernel = pair(() => random.pick(sizes));
    const dilation = pair(() => random.pick(dilations));
    const stride = pair(() => random.pick([1, 1, 1, 2, 3]));
    const reach = (axis: 0 | 1) => (kernel[axis] - 1) * dilation[axis];
    const half = random.float() < 0.5;
    const [rows, columns] = pair((axis) => (half ? Math.floor(reach(axis) / 2) : random.int(kernel[axis])));
    const fits = h + 2 * rows > reach(0) && w + 2 * columns > reach(1);
    if (fits) return { kernel, dilation, stride, pads: [rows, columns, rows, columns] } as const;
    return { kernel: [1, 1], dilation: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0] } as const;
  };

  const convolve = (from: NodeId): NodeId => {
    const c = four(from)[1];
    const { kernel, ...window } = windowOn(from, [1, 1, 2, 3, 3, 5], [1, 1, 2]);
    const [groups, filters] = random.pick([
      [1, random.pick(widths)],
      [1, random.pick(widths)],
      [c, c],
      c % 2 === 0 ? [2, 2 * random.pick(widths)] : [1, c],
    ] as const);
    const by = (bias?: NodeId) =>
      ops.conv(g, from, input('filter', [filters, c / groups, ...kernel]), { ...window, groups }, bias);
    // Siblings are merged.
    if (random.float() < 0.2) return ops.add(g, by(), ops.relu(g, by()));
    return by(random.float() < 0.3 ? input('bias', [filters]) : undefined);
  };

  const cut = (from: NodeId): NodeId => {
    const shape = g.shape(from);
    const starts = shape.map((size, axis) => (axis === 0 ? 0 : random.int(Math.min(size, 3))));
    const channel = random.pick(widths.map((width) => width / 2));
    starts[1] = channel < four(from)[1] && Number.isInteger(channel) ? channel : 0;
    const ends = shape.map((size, axis) => (axis > 1 && size - (starts[axis] ?? 0) > 2 ? size - random.int(2) : size));
    return ops.slice(g, from, starts, ends);
  };

  const padded = (from: NodeId): NodeId => {
    const some = (axis: number) => (axis === 0 ? 0 : axis === 1 ? random.pick([0, 0, ...widths]) : random.int(2));
    return ops.pad(g, from, [0, 1, 2, 3].map(some), [0, 1, 2, 3].map(some));
  };

  /** With another of its shape, or one made of it. */
  const partner = (from: NodeId): NodeId => {
    const alike = values.filter((id) => id !== from && `${g.shape(id)}` === `${g.shape(from)}`);
    return alike.length > 0 ? random.pick(alike) : ops.tanh(g, from);
  };

  const byChannel = (from: NodeId, role: string): NodeId => {
    const c = four(from)[1];
    return input(role, random.pick([[1, c, 1, 1], [c, 1, 1], [], [four(from)[0], c, 1, 1]]));
  };

  const layer = (from: NodeId): NodeId =>
    random.pick([
      () => convolve(from),
      () => convolve(from),
      () => convolve(ops.relu(g, from)),
      () => batchNorm(g, convolve(from), EPSILON),
      () => ops.maxPool(g, from, windowOn(from, [2, 3], [1])),
      () => ops.avgPool(g, from, windowOn(from, [2, 3], [1])),
      () => ops.add(g, from, partner(from)),
      () => ops.sub(g, ops.mul(g, from, byChannel(from, 'scale')), partner(from)),
      () => ops.add(g, ops.mul(g, from, byChannel(from, 'scale')), byChannel(from, 'shift')),
      () => ops.mul(g, ops.tanh(g, from), partner(from)),
      () => ops.relu(g, ops.add(g, from, byChannel(from, 'shift'))),
      () => ops.concat(g, [from, ops.sigmoid(g, partner(from)), from], 1),
      () => cut(from),
      () => padded(from),
      () => {
        const axes = random.pick([[2, 3], [0, 2, 3], [1], [1, 2, 3], [0], [3], [0, 1, 2, 3]]);
        const reduced = random.pick([ops.reduceSum, ops.reduceMean])(g, ops.mul(g, from, partner(from)), axes, true);
        // Not so far out that nothing is left.
        return ops.mul(
          g,
          from,
          ops.sigmoid(g, ops.scale(g, reduced, sizeOf(g.shape(reduced)) / sizeOf(g.shape(from)))),
        );
      },
    ])();

  for (let made = 0; made < 6; made++) {
    const from = made % 2 === 0 ? (values.at(-1) ?? x) : random.pick(values);
    values.push(made === 0 ? convolve(from) : layer(from));
  }
  for (const { inputs: operands } of g.nodes) for (const id of operands) read.add(id);
  return values
    .filter((id) => !read.has(id))
    .map((id) => ops.reduceSum(g, ops.mul(g, id, input('leaf', g.shape(id))), [0, 1, 2, 3]))
    .reduce((sum, term) => ops.add(g, sum, term));
}
