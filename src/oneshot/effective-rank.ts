import { eigenvalues } from '../estimate/proxies/spectrum.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { HostTensor, NodeId } from '../graph/ir.ts';

/** The features, [N, F], that the last layer reads, where that is a linear layer. */
export function classifierFeatures(g: GraphBuilder, output: NodeId): NodeId | undefined {
  const last = g.nodes[output];
  const [features] = last?.op.kind === 'matmul' ? last.inputs : [];
  return features !== undefined && g.shape(features).length === 2 ? features : undefined;
}

/**
 * How many dimensions the rows of a matrix, [N, F], use: the exponential of the entropy of its singular values, divided by their sum
 * (Roy & Vetterli 2007, "The effective rank: a measure of effective dimensionality", definition 1). From 1 to `of`, the smaller of N and F;
 * undefined for a matrix of zeros, or with a number that is not finite. Cost: O(N·F·min(N, F)).
 */
export function effectiveRank({
  shape,
  data,
}: HostTensor): { readonly value: number; readonly of: number } | undefined {
  const [rows = 0, columns = 0] = shape;
  const of = Math.min(rows, columns);
  const at = (i: number, k: number) => (rows <= columns ? data[i * columns + k] : data[k * columns + i]) ?? Number.NaN;
  // The squares of the singular values are the eigenvalues of the products of rows, or of columns.
  const products = new Float64Array(of * of);
  for (let i = 0; i < of; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < Math.max(rows, columns); k++) sum += at(i, k) * at(j, k);
      products[i * of + j] = sum;
      products[j * of + i] = sum;
    }
  if (!products.every(Number.isFinite)) return undefined;
  const singular = eigenvalues(products, of).map((value) => Math.sqrt(Math.max(0, value)));
  const total = singular.reduce((sum, value) => sum + value, 0);
  if (!(total > 0)) return undefined;
  const shares = singular.map((value) => value / total);
  const entropy = shares.reduce((sum, share) => (share > 0 ? sum - share * Math.log(share) : sum), 0);
  return { value: Math.exp(entropy), of };
}
