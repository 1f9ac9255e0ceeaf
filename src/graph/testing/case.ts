import { rng } from '../../common/random.ts';
import type { GraphBuilder } from '../builder.ts';
import { type NodeId, type Shape, sizeOf } from '../ir.ts';
import { input, type Tensor } from '../ops.ts';

/** A small graph and what to feed it. */
export interface GraphCase {
  readonly name: string;
  /** Makes an input for each feed, by name, and returns the outputs by name. */
  build(g: GraphBuilder): Record<string, NodeId>;
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** Feeds that are int32. */
  readonly indices?: readonly string[];
  /** The gradient is meant to differ from the slope. */
  readonly stopsGradient?: true;
}

/**
 * How the numbers of a feed lie.
 * normal: standard normal. positive: in [0.5, 2). off: either sign, at least 0.25 from zero. distinct: in random order,
 * 1/16 apart, none a multiple of 1/16.
 */
export type Spread = 'normal' | 'positive' | 'off' | 'distinct';

/** A tensor of numbers that float32 holds exactly, the same for the same label. */
export function tensor(label: string, shape: Shape, spread: Spread = 'normal'): Tensor {
  const random = rng('graph case', label);
  const size = sizeOf(shape);
  const draw: Record<Spread, () => number[]> = {
    normal: () => Array.from({ length: size }, () => random.normal()),
    positive: () => Array.from({ length: size }, () => 0.5 + 1.5 * random.float()),
    off: () => Array.from({ length: size }, () => (random.float() < 0.5 ? -1 : 1) * (0.25 + 1.5 * random.float())),
    distinct: () => random.shuffle(Array.from({ length: size }, (_, i) => (i - size / 2) / 16 + 1 / 64)),
  };
  return { shape, data: Float64Array.from(draw[spread](), Math.fround) };
}

/** Indices below `below`, some of them twice. */
export function indexTensor(label: string, shape: Shape, below: number): Tensor {
  const random = rng('graph case', label);
  return { shape, data: Float64Array.from({ length: sizeOf(shape) }, () => random.int(below)) };
}

/** A case with one output `y`: each feed is made an input, and `body` gets their nodes in the order of `feeds`. */
export function graphCase(
  name: string,
  feeds: Readonly<Record<string, readonly [shape: Shape, spread?: Spread]>>,
  body: (g: GraphBuilder, ...inputs: NodeId[]) => NodeId,
): GraphCase {
  return {
    name,
    feeds: Object.fromEntries(
      Object.entries(feeds).map(([feed, [shape, spread]]) => [feed, tensor(`${name} ${feed}`, shape, spread)]),
    ),
    build(g) {
      const inputs = Object.entries(feeds).map(([feed, [shape]]) => input(g, feed, shape));
      return { y: body(g, ...inputs) };
    },
  };
}
