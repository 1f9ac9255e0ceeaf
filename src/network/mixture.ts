import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module } from '../space/tree/module.ts';
import { childrenOf } from '../space/tree/walk.ts';
import { type OpenChoices, sum } from './lowering.ts';
import type { ArchitectureParameter, OpenDecision } from './network.ts';

/** Deviation of fresh architecture parameters around zero, as in DARTS: all options weigh nearly the same at first. */
export const DEVIATION = 1e-3;

/**
 * The continuous relaxation of DARTS (Liu et al. 2019, equation 2): an open choice becomes the sum of its options'
 * outputs, each times its share in the softmax of the decision's parameters; `zero` adds nothing, but has its share. Where
 * wiring is open, all edges are there. The parameters of all decisions with equally many options are the rows of one
 * tensor, so that the softmax and an optimizer's update are a few operators for any number of decisions.
 *
 * `network` names its choices by their decisions (`supernet` of the space does).
 */
export function mixture(g: GraphBuilder, network: Module): OpenChoices {
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
      const shares = ops.exp(g, ops.logSoftmax(g, node));
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
export function openDecisions(module: Module, found = new Map<string, OpenDecision>()): OpenDecision[] {
  if (module.kind === 'choice') {
    const options = Object.keys(module.options);
    if (options.length > 1) found.set(module.name, found.get(module.name) ?? { name: module.name, options });
  }
  for (const child of childrenOf(module)) openDecisions(child, found);
  return [...found.values()];
}
