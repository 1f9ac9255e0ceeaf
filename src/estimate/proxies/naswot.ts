import { type HostTensor, type NodeId, sizeOf } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { DEAD, finite, type Readout } from './readout.ts';
import { eigenvalues } from './spectrum.ts';

/** Eigenvalues below this share of the largest are rounding. */
const ROUNDING = 1e-12;

/**
 * NASWOT (Mellor et al. 2021, arXiv:2006.04647v3): the binary code of a sample says which of the network's ReLUs are above 0 for it;
 * K[i][j] counts the places where the codes of samples i and j agree, and the score is log |K|. Differs: ReLUs that lead to no output do not
 * count, and equal codes bring a lowest score in place of -∞. One forward pass, and one product of 64 codes with each other for each ReLU.
 */
export const naswot: Readout = {
  append(context) {
    const { g, output } = context;
    const samples = g.shape(output)[0] ?? 1;
    const isCode = (id: NodeId) => {
      const { op, shape } = g.nodes[id] ?? {};
      // Batch norm clips variances by a ReLU of its own.
      return op?.kind === 'unary' && op.fn === 'relu' && shape?.[0] === samples && context.isAlive(id);
    };
    const ids = Array.from({ length: output }, (_, id) => id).filter(isCode);
    const products = ids.map((id) => {
      const flat = ops.reshape(g, ops.step(g, id), [samples, sizeOf(g.shape(id)) / samples]);
      const signs = ops.add(g, ops.scale(g, flat, 2), ops.constant(g, -1)); // ±1, [N, units]
      return context.counted(id, ops.matmul(g, signs, signs, { transposeB: true })); // agreements less disagreements
    });
    const first = ops.constant(g, 0, [samples, samples]);
    return { codes: products.reduce((sum, product) => ops.add(g, sum, product), first) };
  },
  score({ codes }) {
    const { shape, data } = codes as HostTensor;
    const n = shape[0] ?? 0;
    const units = data[0] ?? 0;
    const values = eigenvalues(
      Float64Array.from(data, (value) => (value + units) / 2),
      n,
    );
    const singular = Math.min(...values) <= ROUNDING * Math.max(1, ...values);
    return singular ? DEAD : finite(values.reduce((sum, value) => sum + Math.log(value), 0));
  },
};
