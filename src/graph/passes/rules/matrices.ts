/** Rules about small matrix products. */
import { type NodeId, sizeOf } from '../../ir.ts';
import { isPointwise } from '../../ops/conv.ts';
import { matmul, mul } from '../../ops.ts';
import type { Rewriter, Rule, Rules } from '../simplify.ts';
import { binaryOf, eitherOrder, ofKind, pair } from './operands.ts';

/** The transpose of a product is the product of the transposes in the other order. */
const transposedProduct: Rule<'transpose'> = (r, { perm }, [x = -1]) => {
  const product = ofKind(r, x, 'matmul');
  const rank = perm.length;
  if (product === undefined || product.inputs.length > 2 || !isLastTwo(perm, rank)) return undefined;
  const [a, b] = pair(product.inputs);
  const { transposeA, transposeB } = product.op;
  return matmul(r, b, a, { transposeA: !transposeB, transposeB: !transposeA });
};

function isLastTwo(perm: readonly number[], rank: number): boolean {
  return perm.every((from, to) => from === (to < rank - 2 ? to : 2 * rank - 3 - to));
}

/** Transposed operands are read as such. */
const transposedOperand: Rule<'matmul'> = (r, { transposeA, transposeB }, [a = -1, b = -1, ...bias]) => {
  const source = (id: NodeId): NodeId | undefined => {
    const found = ofKind(r, id, 'transpose');
    return found !== undefined && isLastTwo(found.op.perm, found.op.perm.length) ? found.inputs[0] : undefined;
  };
  const [fromA, fromB] = [source(a), source(b)];
  if (fromA === undefined && fromB === undefined) return undefined;
  const op = {
    kind: 'matmul',
    transposeA: transposeA !== (fromA !== undefined),
    transposeB: transposeB !== (fromB !== undefined),
  } as const;
  return r.add(op, [fromA ?? a, fromB ?? b, ...bias]);
};

/** A symmetric matrix is not transposed: the products of all pairs of channels of a tensor, for instance. */
const symmetricOperand: Rule<'matmul'> = (r, { transposeA, transposeB }, inputs) => {
  const [a, b] = pair(inputs);
  const untransposed = {
    transposeA: transposeA && !isSymmetric(r, a),
    transposeB: transposeB && !isSymmetric(r, b),
  };
  if (untransposed.transposeA === transposeA && untransposed.transposeB === transposeB) return undefined;
  return r.add({ kind: 'matmul', ...untransposed }, inputs);
};

function isSymmetric(r: Rewriter, id: NodeId): boolean {
  const view = ofKind(r, id, 'reshape');
  const products = ofKind(r, view?.inputs[0], 'convWeightGrad');
  if (view === undefined || products === undefined || !isPointwise(products.op, products.shape)) return false;
  const [rows, columns] = view.shape.slice(-2);
  return rows === columns && columns === products.shape[1] && products.inputs[0] === products.inputs[1];
}

/** (s ∘ a)·b is s ∘ (a·b) for a factor s by row. */
const rowFactorOut: Rule<'matmul'> = (r, { transposeA, transposeB }, inputs) => {
  const [left, b] = pair(inputs);
  if (transposeA || inputs.length > 2) return undefined;
  for (const [a, s] of eitherOrder(binaryOf(r, left, 'mul') ?? [left, left])) {
    if (a === s || !isByRow(r, s, a)) continue;
    const [columns, own] = [r.shape(b).at(transposeB ? -2 : -1) ?? 0, r.shape(a).at(-1) ?? 0];
    if (columns <= own) return mul(r, matmul(r, a, b, { transposeB }), s);
  }
  return undefined;
};

/** (a ∘ s)ᵀ·b is aᵀ·(b ∘ s) for a factor s by row, so that a symmetric product and its transpose are one. */
const scaledRows: Rule<'matmul'> = (r, { transposeA, transposeB }, inputs) => {
  const [left, b] = pair(inputs);
  if (!transposeA || transposeB || inputs.length > 2) return undefined;
  for (const [a, s] of eitherOrder(binaryOf(r, left, 'mul') ?? [left, left])) {
    if (a === s || !isByRow(r, s, a)) continue;
    if (sizeOf(r.shape(b)) > sizeOf(r.shape(a)) && !r.once(left)) continue;
    return matmul(r, a, mul(r, b, s), { transposeA: true });
  }
  return undefined;
};

function isByRow(r: Rewriter, s: NodeId, a: NodeId): boolean {
  const [own, shape] = [r.shape(s), r.shape(a)];
  return own.length === shape.length && own.every((n, axis) => n === (axis === shape.length - 1 ? 1 : shape[axis]));
}

export const matrixRules: Rules = {
  transpose: [transposedProduct],
  matmul: [transposedOperand, symmetricOperand, rowFactorOut, scaledRows],
};
