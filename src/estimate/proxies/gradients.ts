/** Proxies of the loss's gradient by the weights of convolutions and linear layers, after Abdelfattah et al. 2021 (arXiv:2101.08134). */

import type { GraphBuilder } from '../../graph/builder.ts';
import { gradients } from '../../graph/differentiate.ts';
import { type NodeId, sizeOf } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { type ProxyContext, sumAll, total, type WeightLayer } from './context.ts';
import { finite, numberOf, type Readout } from './readout.ts';

type Term = (g: GraphBuilder, layer: WeightLayer, gradient: NodeId) => NodeId;

/** A sum over layers of a number that each layer's weight, output and a gradient give. */
function layerSum(
  name: string,
  term: Term,
  by: (layer: WeightLayer) => NodeId,
  differentiated: (context: ProxyContext, loss: NodeId) => NodeId = (_, loss) => loss,
): Readout {
  return {
    append(context, loss) {
      const { g, layers } = context;
      const found = gradients(g, differentiated(context, loss), layers.map(by));
      const terms = layers.map((layer, i) => context.counted(layer.output, term(g, layer, found[i] as NodeId)));
      return { [name]: total(g, terms) };
    },
    score: (results) => finite(numberOf(results, name)),
  };
}

const weightOf = ({ weight }: WeightLayer) => weight;

/** Σ over layers of ‖∂L/∂W‖₂. One forward and one backward pass. */
export const gradNorm = layerSum(
  'gradNorm',
  (g, _, gradient) => ops.sqrt(g, sumAll(g, ops.mul(g, gradient, gradient))),
  weightOf,
);

/** SNIP (Lee et al. 2019): Σ over weights of |w · ∂L/∂w|. One forward and one backward pass. */
export const snip = layerSum(
  'snip',
  (g, { weight }, gradient) => sumAll(g, ops.abs(g, ops.mul(g, weight, gradient))),
  weightOf,
);

/**
 * GraSP (Wang et al. 2020): -Σ over weights of w · (H ∂L/∂w), H the loss's Hessian, summed as in Abdelfattah et al. The product with the
 * Hessian is the gradient of g · stop(g): a backward pass through the backward pass, twice the cost of the others.
 */
export const grasp = layerSum(
  'grasp',
  (g, { weight }, product) => ops.neg(g, sumAll(g, ops.mul(g, weight, product))),
  weightOf,
  ({ g, layers }, loss) => {
    const first = gradients(g, loss, layers.map(weightOf));
    return total(
      g,
      first.map((gradient) => sumAll(g, ops.mul(g, gradient, ops.stopGradient(g, gradient)))),
    );
  },
);

/**
 * Fisher (Theis et al. 2018, Turner et al. 2020): for each channel c of a layer's output a, ½ · mean over samples of
 * (Σ over pixels of a · ∂L/∂a)²; each channel counts once for each weight of its filter, as in the reference implementation of Abdelfattah
 * et al. One forward and one backward pass.
 */
export const fisher = layerSum(
  'fisher',
  (g, { weight, output }, gradient) => {
    const shape = g.shape(output);
    const pixels = shape.slice(2).map((_, i) => i + 2);
    const product = ops.reduceSum(g, ops.mul(g, output, gradient), pixels); // [N, C]
    const channels = ops.reduceMean(g, ops.mul(g, product, product), [0]); // [C]
    return ops.scale(g, sumAll(g, channels), 0.5 * sizeOf(g.shape(weight).slice(1)));
  },
  ({ output }) => output,
);
