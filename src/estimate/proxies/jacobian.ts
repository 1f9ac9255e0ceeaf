import { gradients } from '../../graph/differentiate.ts';
import { type HostTensor, type NodeId, sizeOf } from '../../graph/ir.ts';
import { sumAll } from './context.ts';
import { finite, type Readout } from './readout.ts';
import { eigenvalues } from './spectrum.ts';

const SMALL = 1e-5;

/**
 * Jacobian covariance (Mellor et al. 2020, arXiv:2006.04647v1, in the form that Abdelfattah et al. 2021 use): J has a row for each sample, the
 * gradient of the sum of its outputs by its normalized pixels; with v the eigenvalues of the rows' correlation matrix the score is
 * -Σ (log(v + 1e-5) + 1 / (v + 1e-5)). Rows that are constant, where a network's output does not depend on its input, count as wholly
 * correlated. One forward pass and one backward pass without weight gradients; the spectrum of a 64 x 64 matrix is nothing beside it.
 */
export const jacobian: Readout = {
  append: ({ g, x, output }) => ({ jacobian: gradients(g, sumAll(g, output), [x])[0] as NodeId }),
  score({ jacobian: found }, { deviation }) {
    const { shape, data } = found as HostTensor;
    const [samples = 0, channels = 1] = shape;
    const rows = centered(data, samples, (i) => deviation[Math.floor(i / sizeOf(shape.slice(2))) % channels] ?? 1);
    const values = eigenvalues(correlations(rows), samples);
    return finite(-values.reduce((sum, v) => sum + Math.log(Math.max(0, v) + SMALL) + 1 / (Math.max(0, v) + SMALL), 0));
  },
};

/** Rows of mean 0 and length 1, or all 0; `scale` of an element's place in its row undoes the normalization of raw values. */
function centered(data: Float32Array, samples: number, scale: (i: number) => number): Float64Array[] {
  const size = data.length / samples;
  return Array.from({ length: samples }, (_, n) => {
    const row = Float64Array.from(data.subarray(n * size, (n + 1) * size), (value, i) => value * scale(i));
    const mean = row.reduce((sum, value) => sum + value, 0) / size;
    const length = Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0));
    return row.map((value) => (length > 0 ? (value - mean) / length : 0));
  });
}

function correlations(rows: readonly Float64Array[]): Float64Array {
  const n = rows.length;
  const constant = rows.map((row) => row.every((value) => value === 0));
  const matrix = new Float64Array(n * n);
  for (const [i, a] of rows.entries()) {
    for (const [j, b] of rows.slice(0, i + 1).entries()) {
      let product = 0;
      for (let k = 0; k < a.length; k++) product += (a[k] ?? Number.NaN) * (b[k] ?? Number.NaN);
      const value = constant[i] || constant[j] ? 1 : product;
      matrix[i * n + j] = value;
      matrix[j * n + i] = value;
    }
  }
  return matrix;
}
