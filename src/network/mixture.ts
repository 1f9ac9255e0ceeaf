import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module } from '../space/tree/module.ts';
import { readsOf } from '../space/tree/reads.ts';
import { childrenOf } from '../space/tree/walk.ts';
import { type OpenChoices, sum } from './lowering.ts';
import type { ArchitectureParameter, OpenDecision } from './network.ts';

/** Deviation of fresh architecture parameters around zero, as in DARTS: all options weigh nearly the same at first. */
const DEVIATION = 1e-3;

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
    inputs(_l, { name }, edges) {
      const shares = weights.get(name);
      return edges.map((lower, from) => {
        const share = shares?.[from];
        return share === undefined ? lower() : ops.mul(g, lower(), share);
      });
    },
  };
}

/** The choices still open, and the wirings that have weights of their own, in the order of the walk, each name once. */
function openDecisions(module: Module, found = new Map<string, OpenDecision>()): OpenDecision[] {
  const add = (name: string, options: readonly string[]) => {
    if (options.length > 1) found.set(name, found.get(name) ?? { name, options });
  };
  if (module.kind === 'choice') add(module.name, Object.keys(module.options));
  if (module.kind === 'dag') {
    for (const { from, edges } of module.nodes.flatMap(readsOf))
      if ('kind' in from && from.count === 1 && !areRankedByOperations(edges))
        add(
          from.name,
          edges.map((_, j) => String(j)),
        );
  }
  for (const child of childrenOf(module)) openDecisions(child, found);
  return [...found.values()];
}

/** Whether each edge has choices of its own, the strongest option of which says how strong the edge is. */
function areRankedByOperations(edges: readonly Module[]): boolean {
  const names = edges.map((edge) => new Set(openDecisions(edge).map(({ name }) => name)));
  return names.every(
    (own, i) => own.size > 0 && names.every((other, j) => i === j || [...own].every((name) => !other.has(name))),
  );
}
