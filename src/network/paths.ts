import type { GraphBuilder } from '../graph/builder.ts';
import type { Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module } from '../space/tree/module.ts';
import type { OpenChoices } from './lowering.ts';
import type { OpenDecision } from './network.ts';
import { isOpenRead, openChoices, openWirings } from './open-decisions.ts';
import { scalarsOf, weightedSum } from './shares.ts';

/** A row for each decision, a column for each option (of open wiring, for each earlier node): 1 where it counts, 0 where it is left out. */
export interface PathInput {
  readonly name: string;
  /** [decisions, options] */
  readonly shape: Shape;
  readonly decisions: readonly (OpenDecision & { readonly isWiring: boolean })[];
}

/** The inputs of a supernet of paths. */
export function pathInputs(network: Module): readonly PathInput[] {
  const decisions = [
    ...openChoices(network).map((one) => ({ ...one, isWiring: false })),
    ...openWirings(network).map((one) => ({ ...one, isWiring: true })),
  ];
  return [...Map.groupBy(decisions, ({ options }) => options.length)].map(([count, rows]) => ({
    name: `paths:${count}`,
    shape: [rows.length, count],
    decisions: rows,
  }));
}

/**
 * Several paths at once (Bender et al. 2018): an open choice becomes the sum of those of its options that the inputs `pathInputs` have at
 * 1. All options are computed. Where wiring is open, so are all edges, each times 1 or 0.
 */
export function pathSums(g: GraphBuilder, network: Module): OpenChoices {
  const rows = g.within('paths', () =>
    pathInputs(network).flatMap((one) => [...scalarsOf(g, ops.input(g, one.name, one.shape), one.decisions)]),
  );
  const weights = new Map(rows);
  return {
    parameters: [],
    switches: [],
    when: [],
    choose: (l, module, x) => weightedSum(l, module, x, weights.get(module.name) ?? []),
    read(_l, read, edges) {
      const own = isOpenRead(read) ? weights.get(read.from.name) : undefined;
      return edges.map((lower, from) => {
        const [value, weight] = [lower(), own?.[from]];
        return weight === undefined ? value : ops.mul(g, value, weight);
      });
    },
  };
}
