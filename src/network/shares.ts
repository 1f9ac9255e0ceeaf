import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module } from '../space/tree/module.ts';
import { type Lowering, type ModuleOf, sum } from './lowering.ts';
import type { ArchitectureParameter, OpenDecision } from './network.ts';

/** Scalars by decision, in the order of its options. */
export type Scalars = ReadonlyMap<string, readonly NodeId[]>;

/** Deviation of fresh architecture parameters around zero, as in DARTS: all options weigh nearly the same at first. */
export const DEVIATION = 1e-3;

/**
 * Trained tensors for decisions, and the shares of their options: `sharesOf` a row. Decisions with equally many options are the rows of
 * one tensor, `FAMILY:COUNT`.
 */
export function trainedShares(
  g: GraphBuilder,
  family: string,
  decisions: readonly OpenDecision[],
  sharesOf: (node: NodeId, path: string) => NodeId,
): { readonly parameters: readonly ArchitectureParameter[]; readonly shares: Scalars } {
  const parameters: ArchitectureParameter[] = [];
  const shares = new Map<string, readonly NodeId[]>();
  for (const [count, rows] of Map.groupBy(decisions, ({ options }) => options.length)) {
    const path = `${family}:${count}`;
    const shape = [rows.length, count];
    const node = ops.input(g, path, shape);
    const initializer = { kind: 'normal', deviation: DEVIATION } as const;
    parameters.push({ path, shape, initializer, node, when: [], decisions: rows });
    for (const [name, scalars] of scalarsOf(g, sharesOf(node, path), rows)) shares.set(name, scalars);
  }
  return { parameters, shares };
}

/** The elements of a tensor [decisions, options]. */
export function scalarsOf(g: GraphBuilder, x: NodeId, decisions: readonly OpenDecision[]): Scalars {
  return new Map(
    decisions.map(({ name, options }, row) => [
      name,
      options.map((_, k) => ops.reshape(g, ops.slice(g, x, [row, k], [row + 1, k + 1]), [])),
    ]),
  );
}

/** The sum of the options of a choice, each times its weight. `after`: what becomes of an option's output before. */
export function weightedSum(
  l: Lowering,
  module: ModuleOf<'choice'>,
  x: NodeId,
  weights: readonly NodeId[],
  after: (option: Module, value: NodeId, key: string) => NodeId = (_option, value) => value,
): NodeId {
  const terms = Object.entries(module.options).flatMap(([key, option], k) => {
    const weight = weights[k];
    if (weight === undefined)
      throw l.error(`choice "${module.name}" has an option ${k + 1}`, 'a decision has one domain');
    return option.kind === 'zero' ? [] : [ops.mul(l.g, after(option, l.child(key, option, x, l.before), key), weight)];
  });
  const [nothing] = Object.values(module.options);
  if (terms.length === 0 && nothing !== undefined) return l.child('', nothing, x, l.before);
  return sum(l, terms);
}
