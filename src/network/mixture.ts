import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module } from '../space/tree/module.ts';
import type { OpenChoices } from './lowering.ts';
import { incomingRows } from './mixture-edges.ts';
import type { RandomInput } from './network.ts';
import { isOpenRead, openDecisions } from './open-decisions.ts';
import { checkKeepsChannels, onPartOfChannels } from './partial-channels.ts';
import { dropChannels } from './regularization.ts';
import { trainedShares, weightedSum } from './shares.ts';

/** The input, [], of the rate at which channels behind identities among the options are dropped in training. */
export const SKIP_DROPOUT = 'architecture:skipDropout';

/** How a mixture differs from that of DARTS. */
export interface MixtureForm {
  readonly kind: 'mixture';
  /** 1/partial of the channels pass through the options of a choice, the rest go around them (PC-DARTS); 1, the default: all. */
  readonly partial?: number;
  /** Whether the nodes of cells also weigh the edges that come in (PC-DARTS). */
  readonly edges?: boolean;
  /** Whether identities among the options have dropout (P-DARTS), at the rate that `SKIP_DROPOUT` is fed. */
  readonly skipDropout?: boolean;
}

/**
 * The continuous relaxation of DARTS (Liu et al. 2019, equation 2): an open choice becomes the sum of its options'
 * outputs, each times its share in the softmax of the decision's parameters; `zero` adds nothing, but has its share. Where
 * wiring is open, all edges are there; a node that picks one input, and whose edges share their operation, weighs them as a choice weighs
 * its options (the paper has no such nodes). The parameters of all decisions with equally many options are the rows of one
 * tensor, so that the softmax and an optimizer's update are a few operators for any number of decisions.
 *
 * `network` names its choices by their decisions (`supernet` of the space does).
 */
export function mixture(g: GraphBuilder, network: Module): OpenChoices {
  return weighted(g, network, (node) => ops.softmax(g, node));
}

/** The same in another form. */
export function mixtureOf(g: GraphBuilder, network: Module, form: MixtureForm): OpenChoices {
  return weighted(g, network, (node) => ops.softmax(g, node), form);
}

/** Under the smallest number that a random input has besides 0, whose logarithm is not finite. */
const LEAST_RANDOM = 2 ** -25;

/**
 * The concrete distribution in the place of the softmax (Xie et al. 2019; Maddison et al. 2017): in training, the shares of a
 * decision are softmax((parameters + Gumbel noise) / temperature), the noise drawn for each option at every step, the temperature a scalar
 * input `temperature`. In inference they are the mixture's, without noise.
 */
export function concrete(g: GraphBuilder, network: Module, mode: 'train' | 'infer'): OpenChoices {
  if (mode === 'infer') return mixture(g, network);
  const randomInputs: RandomInput[] = [];
  const temperature = ops.input(g, 'temperature', []);
  const open = weighted(g, network, (node, path) => {
    const random = { name: noiseOf(path), shape: g.shape(node) };
    randomInputs.push(random);
    const uniform = ops.clip(g, ops.input(g, random.name, random.shape), LEAST_RANDOM, 1);
    const gumbel = ops.neg(g, ops.log(g, ops.neg(g, ops.log(g, uniform))));
    return ops.softmax(g, ops.div(g, ops.add(g, node, gumbel), temperature));
  });
  return { ...open, randomInputs };
}

/** The random input of the noise on an architecture parameter. */
export const noiseOf = (path: string): string => `${path}/random`;

/** Choices as sums of their options' outputs, each times its share: `sharesOf` the parameters, row by row. */
function weighted(
  g: GraphBuilder,
  network: Module,
  sharesOf: (node: NodeId, path: string) => NodeId,
  { partial = 1, edges = false, skipDropout = false }: Omit<MixtureForm, 'kind'> = {},
): OpenChoices {
  const rows = edges ? incomingRows(network) : undefined;
  const { options, incoming, rate } = g.within('architecture', () => ({
    options: trainedShares(g, 'architecture', openDecisions(network), sharesOf),
    incoming: trainedShares(g, 'edges', rows?.decisions ?? [], sharesOf),
    rate: skipDropout ? ops.input(g, SKIP_DROPOUT, []) : undefined,
  }));
  return {
    parameters: [...options.parameters, ...incoming.parameters],
    switches: [],
    when: [],
    choose(l, module, x) {
      const shares = options.shares.get(module.name) ?? [];
      return onPartOfChannels(l, x, { parts: partial, choice: module.name }, (part) =>
        weightedSum(l, module, part, shares, ({ kind }, value, key) => {
          if (partial > 1) checkKeepsChannels(l, part, value, `option "${key}" of choice "${module.name}"`);
          return rate === undefined || kind !== 'identity' ? value : dropChannels(l, value, rate);
        }),
      );
    },
    read(_l, read, edges) {
      const name = rows?.nameOf(read) ?? (isOpenRead(read) ? read.from.name : '');
      const shares = incoming.shares.get(name) ?? options.shares.get(name);
      const values = edges.map((lower) => lower());
      return shares === undefined ? values : values.map((value, k) => ops.mul(g, value, shares[k] ?? value));
    },
  };
}
