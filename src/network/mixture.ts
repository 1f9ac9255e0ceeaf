import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module } from '../space/tree/module.ts';
import { childrenOf } from '../space/tree/walk.ts';
import { type OpenChoices, sum } from './lowering.ts';
import type { ArchitectureParameter, OpenDecision, RandomInput } from './network.ts';

/** Deviation of fresh architecture parameters around zero, as in DARTS: all options weigh nearly the same at first. */
const DEVIATION = 1e-3;

/**
 * The continuous relaxation of DARTS (Liu et al. 2019, equation 2): an open choice becomes the sum of its options'
 * outputs, each times its share in the softmax of the decision's parameters; `zero` adds nothing, but has its share. Where
 * wiring is open, all edges are there. The parameters of all decisions with equally many options are the rows of one
 * tensor, so that the softmax and an optimizer's update are a few operators for any number of decisions.
 *
 * `network` names its choices by their decisions (`supernet` of the space does).
 */
export function mixture(g: GraphBuilder, network: Module): OpenChoices {
  return weighted(g, network, (node) => ops.softmax(g, node));
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
function weighted(g: GraphBuilder, network: Module, sharesOf: (node: NodeId, path: string) => NodeId): OpenChoices {
  const parameters: ArchitectureParameter[] = [];
  /** Scalars, by decision, in the order of its options. */
  const weights = new Map<string, readonly NodeId[]>();
  const byCount = Map.groupBy(openDecisions(network), ({ options }) => options.length);
  g.within('architecture', () => {
    for (const [count, decisions] of byCount) {
      const path = `architecture:${count}`;
      const shape = [decisions.length, count];
      const node = ops.input(g, path, shape);
      parameters.push({
        path,
        shape,
        initializer: { kind: 'normal', deviation: DEVIATION },
        node,
        when: [],
        decisions,
      });
      const shares = sharesOf(node, path);
      for (const [row, { name, options }] of decisions.entries()) {
        const scalars = options.map((_, k) => ops.reshape(g, ops.slice(g, shares, [row, k], [row + 1, k + 1]), []));
        weights.set(name, scalars);
      }
    }
  });
  return {
    parameters,
    switches: [],
    when: [],
    choose(l, module, x) {
      const shares = weights.get(module.name) ?? [];
      const terms = Object.entries(module.options).flatMap(([key, option], k) => {
        const share = shares[k];
        if (share === undefined)
          throw l.error(`choice "${module.name}" has an option ${k + 1}`, 'a decision has one domain');
        return option.kind === 'zero' ? [] : [ops.mul(g, l.child(key, option, x, l.before), share)];
      });
      const [nothing] = Object.values(module.options);
      if (terms.length === 0 && nothing !== undefined) return l.child('', nothing, x, l.before);
      return sum(l, terms);
    },
    edge: (lower) => lower(),
  };
}

/** The choices still open, in the order of the walk, each name once. */
function openDecisions(module: Module, found = new Map<string, OpenDecision>()): OpenDecision[] {
  if (module.kind === 'choice') {
    const options = Object.keys(module.options);
    if (options.length > 1) found.set(module.name, found.get(module.name) ?? { name: module.name, options });
  }
  for (const child of childrenOf(module)) openDecisions(child, found);
  return [...found.values()];
}
