import type { NodeId } from '../graph/ir.ts';
import { sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { eachPosition } from './dense.ts';
import { closed, imageShape, type Lower, type Lowering, sequenceShape } from './lowering.ts';
import { BEHIND } from './padding.ts';
import { drop } from './regularization.ts';

/** Rows start with a deviation of 1/√channels, so that they can serve as the weight of the output layer as well. */
export const lowerEmbedding: Lower<'embedding'> = (l, module, x) => {
  const { g } = l;
  const shape = g.shape(x);
  if (g.dtype(x) !== 'int32' || shape.length !== 2)
    throw l.error(`input is ${g.dtype(x)} [${shape}]`, 'it needs tokens, int32 [N, T]');
  const rows = module.vocabulary === 'inputs' ? l.vocabulary : closed(module.vocabulary);
  if (rows === undefined) throw l.error("vocabulary is 'inputs'", 'the task has no vocabulary: give a number');
  const channels = closed(module.channels);
  const table = l.parameter(
    'weight',
    [rows, channels],
    { kind: 'normal', deviation: 1 / Math.sqrt(channels) },
    'tokens',
  );
  const vectors = ops.transpose(g, ops.gather(g, table, x), [0, 2, 1]); // [N, T, C] -> [N, C, T]
  const rate = closed(module.dropout);
  if (l.mode === 'infer' || rate === 0) return vectors;
  const kept = drop(l, ops.constant(g, 1, [rows, 1]), rate, [rows, 1]); // A draw for each row, gathered as the rows are.
  return ops.mul(g, vectors, ops.transpose(g, ops.gather(g, kept, x), [0, 2, 1]));
};

export const lowerPositions: Lower<'positions'> = (l, module, x) => {
  const { g } = l;
  const [, c, t] = sequenceShape(l, x);
  if (closed(module.encoding) === 'sinusoidal') return ops.add(g, x, ops.constant(g, sinusoids(c, t), [c, t]));
  const length = module.length === 'input' ? wholeLength(l, t) : module.length;
  if (t > length) throw l.error(`a sequence of ${t} positions`, `it learns ${length}: give it a larger length`);
  const table = l.parameter('weight', [length, c], { kind: 'normal', deviation: 0.02 }, 'positions');
  return ops.add(g, x, ops.transpose(g, ops.slice(g, table, [0, 0], [t, c]), [1, 0]));
};

/** How long a sequence of t positions is where samples are the longest. Strides divide it, and a class token adds 1 (padding.ts). */
function wholeLength({ input: [, length = 1], longest }: Lowering, t: number): number {
  if (longest === undefined) return t;
  return t > length ? longest + t - length : Math.ceil(longest / Math.ceil(length / t));
}

/** [C, T]: sin(p / 10000^(c/C)) at even channels c, the cosine of the channel before at odd ones. */
function sinusoids(channels: number, length: number): number[] {
  return Array.from({ length: channels * length }, (_, i) => {
    const [c, position] = [Math.floor(i / length), i % length];
    const angle = position / 10_000 ** ((c - (c % 2)) / channels);
    return c % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
}

export const lowerPatches: Lower<'patches'> = (l, module, x) => {
  const { g } = l;
  const [n, c, height, width] = imageShape(l, x);
  const size = closed(module.size);
  const [rows, columns] = [Math.ceil(height / size), Math.ceil(width / size)];
  const whole = ops.pad(g, x, [0, 0, 0, 0], [0, 0, rows * size - height, columns * size - width]);
  const cut = ops.reshape(g, whole, [n, c, rows, size, columns, size]);
  return ops.reshape(g, ops.transpose(g, cut, [0, 1, 3, 5, 2, 4]), [n, c * size ** 2, rows * columns]);
};

export const lowerClassToken: Lower<'classToken'> = (l, _module, x) => {
  const { g } = l;
  const [n, c] = sequenceShape(l, x);
  const token = ops.reshape(g, l.parameter('weight', [c], { kind: 'normal', deviation: 0.02 }), [1, c, 1]);
  return ops.concat(g, [ops.broadcastTo(g, token, [n, c, 1]), x], 2);
};

/** Scaled dot products (Vaswani et al. 2017, section 3.2). One projection makes queries, keys and values. */
export const lowerAttention: Lower<'attention'> = (l, module, x) => {
  const { g } = l;
  const shape = g.shape(x);
  const [n, c, ...sides] = shape;
  if (n === undefined || c === undefined || sides.length === 0)
    throw l.error(`input is [${shape}]`, 'it needs sequences, [N, C, T], or images, [N, C, H, W]');
  const heads = closed(module.heads);
  if (c % heads !== 0) throw l.error(`${c} channels, ${heads} heads`, 'heads must divide the channels');
  const [t, width] = [sizeOf(sides), c / heads];
  const qkv = eachPosition(l, 'qkv/', ops.reshape(g, x, [n, c, t]), 3 * c, module.bias); // [N, 3·C, T]
  const part = (k: number) =>
    ops.reshape(g, ops.slice(g, qkv, [0, k * c, 0], [n, (k + 1) * c, t]), [n, heads, width, t]);
  const query = ops.scale(g, part(0), 1 / Math.sqrt(width));
  const products = ops.matmul(g, query, part(1), { transposeA: true }); // [N, heads, T, T]: query by key
  const scores = module.relative ? ops.add(g, products, byDistance(l, sides, heads)) : products;
  const wanted = maskOf(t, module.causal, module.window === 'all' ? t : closed(module.window));
  const weights = ops.softmax(g, seenOnly(l, scores, wanted, l.filled(x)));
  const kept = drop(l, weights, closed(module.dropout), g.shape(weights));
  const mixed = ops.matmul(g, kept, part(2), { transposeB: true }); // [N, heads, T, width]
  const joined = ops.reshape(g, ops.transpose(g, mixed, [0, 2, 1, 3]), [n, t, c]);
  const out = eachPosition(l, 'out/', ops.transpose(g, joined, [0, 2, 1]), c, module.bias);
  return ops.reshape(g, out, shape);
};

/** [heads, T, T]: a number for each distance between two positions, along each of the sides. */
function byDistance(l: Lowering, sides: readonly number[], heads: number): NodeId {
  const { g } = l;
  const distances = sides.map((side) => 2 * side - 1);
  const table = l.parameter('relative', [sizeOf(distances), heads], { kind: 'normal', deviation: 0.02 });
  const t = sizeOf(sides);
  const places = Array.from({ length: t }, (_, i) => placeOf(i, sides));
  const rows = places.flatMap((from) =>
    places.map((to) =>
      sides.reduce((row, side, axis) => row * (2 * side - 1) + (to[axis] ?? 0) - (from[axis] ?? 0) + side - 1, 0),
    ),
  );
  return ops.transpose(g, ops.gather(g, table, ops.indices(g, rows, [t, t])), [2, 0, 1]);
}

/** Where position i is along each side. */
function placeOf(i: number, sides: readonly number[]): readonly number[] {
  const [, ...inner] = sides;
  const size = sizeOf(inner);
  return sides.length === 0 ? [] : [Math.floor(i / size), ...placeOf(i % size, inner)];
}

/**
 * The scores [N, heads, T, T] of what is seen, far below all others elsewhere. `wanted`: [T, T]; `filled`: which positions belong to a sample;
 * undefined: all. What hides a position is added: that is faster than a choice among the scores, and needs no gradient.
 */
function seenOnly(
  { g }: Lowering,
  scores: NodeId,
  wanted: readonly boolean[] | undefined,
  filled: NodeId | undefined,
): NodeId {
  const [n = 0, , t = 0] = g.shape(scores);
  const apart = wanted?.map((seen) => (seen ? 0 : BEHIND));
  const near = apart === undefined ? scores : ops.add(g, scores, ops.constant(g, apart, [t, t]));
  if (filled === undefined) return near;
  const within = ops.reshape(g, filled, [n, 1, 1, t]);
  return ops.add(g, near, ops.where(g, within, ops.constant(g, 0), ops.constant(g, BEHIND)));
}

/** [T, T]: whether the row's position sees the column's; undefined where all see all. */
function maskOf(length: number, causal: boolean, window: number): readonly boolean[] | undefined {
  if (!causal && window >= length) return undefined;
  return Array.from({ length: length ** 2 }, (_, i) => {
    const back = Math.floor(i / length) - (i % length);
    return causal ? back >= 0 && back < window : Math.abs(back) < window;
  });
}
