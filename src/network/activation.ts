import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { ActivationFunction } from '../space/tree/module.ts';
import { closed, type Lower } from './lowering.ts';

const ACTIVATIONS = {
  relu: ops.relu,
  sigmoid: ops.sigmoid,
  tanh: ops.tanh,
  /** x · sigmoid(x) (Elfwing et al. 2018) */
  silu: (g, x) => ops.mul(g, x, ops.sigmoid(g, x)),
  /** x · Φ(x), exact by erf (Hendrycks & Gimpel 2016) */
  gelu: (g, x) => {
    const erf = ops.erf(g, ops.mul(g, x, ops.constant(g, Math.SQRT1_2)));
    return ops.mul(g, ops.mul(g, x, ops.constant(g, 0.5)), ops.add(g, erf, ops.constant(g, 1)));
  },
  /** x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019) */
  hardSwish: (g, x) => {
    const gate = ops.clip(g, ops.add(g, x, ops.constant(g, 3)), 0, 6);
    return ops.mul(g, ops.mul(g, x, gate), ops.constant(g, 1 / 6));
  },
} as const satisfies Record<ActivationFunction, (g: GraphBuilder, x: NodeId) => NodeId>;

export const lowerActivation: Lower<'activation'> = (l, module, x) => ACTIVATIONS[closed(module.fn)](l.g, x);
