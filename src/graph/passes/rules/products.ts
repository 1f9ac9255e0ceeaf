/**
 * Rules that multiply small tensors with one another before they meet a large one, and bring a normalization and what it is
 * weighed with to the form x · scale + shift, one pass over x.
 */
import { type NodeId, sizeOf } from '../../ir.ts';
import { sameShape } from '../../ops/definition.ts';
import { add, mul, sub } from '../../ops.ts';
import type { Rewriter, Rule, Rules } from '../simplify.ts';
import { binaryOf, eitherOrder, isConstant, isNarrower, joinedSize, numberOf, ofKind, pair } from './operands.ts';

/** The order in which factors are multiplied: by size; numbers last among equals, so that they meet. */
function weight(r: Rewriter, id: NodeId): number {
  return 2 * sizeOf(r.shape(id)) + (isConstant(r, id) ? 0 : 1);
}

/** Whether one of them is a matrix product and the other a number, by which it can be multiplied as it is made (engine/onnx/factors.ts). */
function isMadeWith(r: Rewriter, a: NodeId, b: NodeId): boolean {
  return (
    (numberOf(r, b) !== undefined && isMatrixProduct(r, a)) || (numberOf(r, a) !== undefined && isMatrixProduct(r, b))
  );
}

/** A matrix product with no other reader, reshaped or multiplied by numbers. */
function isMatrixProduct(r: Rewriter, id: NodeId): boolean {
  if (!r.once(id)) return false;
  const { op, inputs } = r.node(id);
  if (op.kind === 'reshape' || op.kind === 'transpose') return inputs.every((from) => isMatrixProduct(r, from));
  const factors = binaryOf(r, id, 'mul');
  return op.kind === 'matmul' || (factors !== undefined && isMadeWith(r, ...factors));
}

/**
 * (x · y) · z with that pair first whose product is smallest; of pairs with equally large products, the one that leaves
 * the smallest factor for last: (x · s) · t is x · (s · t), (x · s) · y is (x · y) · s for an s smaller than x and y. A matrix product meets
 * a number first.
 */
const smallestFirst: Rule<'binary'> = (r, { fn }, inputs) => {
  if (fn !== 'mul') return undefined;
  for (const [inner, z] of eitherOrder(inputs)) {
    const factors = r.once(inner) ? binaryOf(r, inner, 'mul') : undefined;
    if (factors === undefined) continue;
    const [x, y] = factors;
    if (isMadeWith(r, x, y)) continue;
    if (isMadeWith(r, x, z)) return mul(r, mul(r, x, z), y);
    if (isMadeWith(r, y, z)) return mul(r, mul(r, y, z), x);
    const rank = (a: NodeId, b: NodeId, last: NodeId): readonly [number, number] => [
      joinedSize(r, a, b),
      weight(r, last),
    ];
    const orders = [
      { product: [x, z] as const, last: y, rank: rank(x, z, y) },
      { product: [y, z] as const, last: x, rank: rank(y, z, x) },
    ];
    const now = rank(x, y, z);
    // Which of two small factors has fewer elements may depend on the length of a text: they change places only if one is narrower.
    const isBetterLast = (last: NodeId) => sizeOf(r.shape(last)) === sizeOf(r.shape(z)) || isNarrower(r, last, z);
    const better = orders.filter(
      ({ last, rank: [size, ofLast] }) => size < now[0] || (size === now[0] && ofLast < now[1] && isBetterLast(last)),
    );
    const best = better.sort((p, q) => p.rank[0] - q.rank[0] || p.rank[1] - q.rank[1])[0];
    if (best !== undefined) return mul(r, best.last, mul(r, ...best.product));
  }
  return undefined;
};

/** (c · x) / y is c · (x / y) for a number c, where nothing grows by it. */
const dividedLater: Rule<'binary'> = (r, { fn }, inputs) => {
  if (fn !== 'div') return undefined;
  const [inner, y] = pair(inputs);
  for (const [x, c] of eitherOrder((r.once(inner) && binaryOf(r, inner, 'mul')) || [inner, inner])) {
    if (x !== c && isConstant(r, c) && joinedSize(r, x, y) === joinedSize(r, inner)) {
      return mul(r, r.add({ kind: 'binary', fn: 'div' }, [x, y]), c);
    }
  }
  return undefined;
};

/** Whether a factor by channel can go into what makes `id`, so that it costs no pass of its own. */
function takesFactors(r: Rewriter, id: NodeId): boolean {
  if (!r.once(id)) return false;
  if (ofKind(r, id, 'conv') !== undefined) return true;
  const factors = binaryOf(r, id, 'mul');
  return factors !== undefined && eitherOrder(factors).some(([wide, small]) => isNarrower(r, small, wide));
}

/** (x · s + t) · a is x · (s · a) + t · a for small s, t and a; likewise for a convolution in place of x · s. */
const distributed: Rule<'binary'> = (r, { fn }, inputs) => {
  if (fn !== 'mul') return undefined;
  for (const [inner, a] of eitherOrder(inputs)) {
    if (!r.once(inner) || !isNarrower(r, a, inner)) continue;
    const sum = binaryOf(r, inner, 'add');
    for (const [x, t] of sum === undefined ? [] : eitherOrder(sum)) {
      if (isNarrower(r, t, x) && takesFactors(r, x)) return add(r, mul(r, x, a), mul(r, t, a));
    }
  }
  return undefined;
};

/** (x + s) + t is x + (s + t) for s and t smaller than x. */
const smallSumsFirst: Rule<'binary'> = (r, { fn }, inputs) => {
  if (fn !== 'add') return undefined;
  for (const [inner, t] of eitherOrder(inputs)) {
    if (!r.once(inner) || !isNarrower(r, t, inner)) continue;
    const terms = binaryOf(r, inner, 'add');
    for (const [x, s] of terms === undefined ? [] : eitherOrder(terms)) {
      if (isNarrower(r, s, x) && joinedSize(r, s, t) < joinedSize(r, x)) return add(r, x, add(r, s, t));
    }
  }
  return undefined;
};

/** The factors of a product, if all have its shape and it has no other reader; else the product itself. */
function factorsOf(r: Rewriter, id: NodeId): readonly NodeId[] {
  const factors = r.once(id) ? binaryOf(r, id, 'mul') : undefined;
  if (factors?.every((factor) => sameShape(r.shape(factor), r.shape(id))) !== true) return [id];
  return factors.flatMap((factor) => factorsOf(r, factor));
}

/** x · y + x · z is x · (y + z) for tensors of one shape. */
const commonFactor: Rule<'binary'> = (r, { fn }, inputs) => {
  if (fn !== 'add' && fn !== 'sub') return undefined;
  const [a, b] = pair(inputs);
  if (a === b || !sameShape(r.shape(a), r.shape(b))) return undefined;
  const [ofA, ofB] = [factorsOf(r, a), factorsOf(r, b)];
  const common = ofA.find((factor) => ofB.includes(factor));
  if (common === undefined || ofA.length === 1 || ofB.length === 1) return undefined;
  const rest = (factors: readonly NodeId[]) =>
    factors.toSpliced(factors.indexOf(common), 1).reduce((product, factor) => mul(r, product, factor));
  return mul(r, common, (fn === 'add' ? add : sub)(r, rest(ofA), rest(ofB)));
};

export const productRules: Rules = { binary: [smallestFirst, dividedLater, distributed, smallSumsFirst, commonFactor] };
