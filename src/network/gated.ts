import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module } from '../space/tree/module.ts';
import type { OpenChoices } from './lowering.ts';
import type { ArchitectureParameter } from './network.ts';
import { openDecisions } from './open-decisions.ts';
import { DEVIATION } from './shares.ts';
import { switchedWith } from './switch.ts';

/** The reciprocal of the softmax's temperature, []. */
export const INVERSE_TEMPERATURE = 'gumbel:inverseTemperature';

/**
 * The further inputs of the decisions with `count` options each, [decisions, count] unless said otherwise: the Gumbel noise, a one for
 * the sampled option among zeros, and what the sampled option's share lacks to 1, [decisions].
 */
export const gateInputs = (count: number) =>
  ({ noise: `gumbel:${count}:noise`, sampled: `gumbel:${count}:sampled`, rest: `gumbel:${count}:rest` }) as const;

/**
 * Single paths by the straight-through Gumbel softmax (Jang et al. 2017; Dong & Yang 2019, equations 3 to 5): switches, where the
 * output of the sampled option is multiplied by 1 - p + p. Here p is its share in the softmax of (parameters + noise) / temperature;
 * the first p is a number that is fed, so that the product is the output itself, and its gradient that of the share. The
 * parameters are those of a `mixture` of the same network. The indices of the switches are fed: they must be those of the
 * largest parameter + noise. Where wiring is open, all edges are there, except that a node samples its input where the mixture weighs that.
 */
export function gated(g: GraphBuilder, network: Module): OpenChoices {
  return withGates(g, network, false);
}

/** The same, with the shares of the options that were not sampled, less their values, added to the output of the sampled one: 1 - gate. */
export function gatedSum(g: GraphBuilder, network: Module): OpenChoices {
  return withGates(g, network, true);
}

function withGates(g: GraphBuilder, network: Module, complement: boolean): OpenChoices {
  const parameters: ArchitectureParameter[] = [];
  const gates = new Map<string, NodeId>();
  g.within('architecture', () => {
    const inverseTemperature = ops.input(g, INVERSE_TEMPERATURE, []);
    for (const [count, decisions] of Map.groupBy(openDecisions(network), ({ options }) => options.length)) {
      const [path, shape] = [`architecture:${count}`, [decisions.length, count]];
      const node = ops.input(g, path, shape);
      const initializer = { kind: 'normal', deviation: DEVIATION } as const;
      parameters.push({ path, shape, initializer, node, when: [], decisions });
      const { noise, sampled, rest } = gateInputs(count);
      const scores = ops.mul(g, ops.add(g, node, ops.input(g, noise, shape)), inverseTemperature);
      const shares = ops.exp(g, ops.logSoftmax(g, scores)); // [decisions, count]
      const own = ops.reduceSum(g, ops.mul(g, shares, ops.input(g, sampled, shape)), [1]);
      const all = ops.add(g, own, ops.input(g, rest, [decisions.length]));
      for (const [row, { name }] of decisions.entries())
        gates.set(name, ops.reshape(g, ops.slice(g, all, [row], [row + 1]), []));
    }
  });
  return switchedWith(g, { parameters, gateOf: (decision) => gates.get(decision), complement, edges: 'present' });
}
