import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { ActivationFunction } from '../space/tree/module.ts';
import { channelsOf, closed, type Lower } from './lowering.ts';

function hardSigmoid(g: GraphBuilder, x: NodeId): NodeId {
  return ops.mul(g, ops.clip(g, ops.add(g, x, ops.constant(g, 3)), 0, 6), ops.constant(g, 1 / 6));
}

const ACTIVATIONS = {
  relu: ops.relu,
  /** Krizhevsky 2010; in MobileNets by Howard et al. 2017 */
  relu6: (g, x) => ops.clip(g, x, 0, 6),
  sigmoid: ops.sigmoid,
  /** min(max(x + 3, 0), 6) / 6 (Howard et al. 2019) */
  hardSigmoid,
  tanh: ops.tanh,
  /** x · sigmoid(x) (Elfwing et al. 2018) */
  silu: (g, x) => ops.mul(g, x, ops.sigmoid(g, x)),
  /** x · Φ(x), exact by erf (Hendrycks & Gimpel 2016); x / √2 alone is read, so that a matrix product before it can make that. */
  gelu: (g, x) => {
    const t = ops.scale(g, x, Math.SQRT1_2);
    return ops.scale(g, ops.mul(g, t, ops.add(g, ops.erf(g, t), ops.constant(g, 1))), Math.SQRT1_2);
  },
  /** x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019) */
  hardSwish: (g, x) => {
    const gate = ops.clip(g, ops.add(g, x, ops.constant(g, 3)), 0, 6);
    return ops.mul(g, ops.mul(g, x, gate), ops.constant(g, 1 / 6));
  },
} as const satisfies Record<ActivationFunction, (g: GraphBuilder, x: NodeId) => NodeId>;

export const activate = (g: GraphBuilder, fn: ActivationFunction, x: NodeId): NodeId => ACTIVATIONS[fn](g, x);

export const lowerActivation: Lower<'activation'> = (l, module, x) => activate(l.g, closed(module.fn), x);

export const lowerGlu: Lower<'glu'> = (l, module, x) => {
  const { g } = l;
  const channels = channelsOf(l, x);
  if (channels % 2 !== 0) throw l.error(`${channels} channels`, 'a gated linear unit needs an even number of them');
  const shape = g.shape(x);
  const part = (start: number, end: number) =>
    ops.slice(
      g,
      x,
      shape.map((_, axis) => (axis === 1 ? start : 0)),
      shape.with(1, end),
    );
  return ops.mul(g, part(0, channels / 2), activate(g, closed(module.fn), part(channels / 2, channels)));
};
