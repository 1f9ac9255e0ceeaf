/** Costs of the networks of a space as sums over the options that they take. */
import { type PartCosts, supernetCosts } from '../../network/supernet-costs.ts';
import type { Architecture, Condition, Space } from '../../space/space.ts';
import { allHold, decisions } from '../../space/tree/decisions.ts';

/** What networks cost in which all the conditions hold; without conditions, all networks. */
export interface CostTerm {
  readonly cost: number;
  readonly when: readonly Condition[];
}

/** A network costs the sum of the terms whose conditions its architecture keeps. */
export type CostModel = readonly CostTerm[];

/** What an option costs by itself, without the choices inside it, in all places where the choice stands. */
export type OptionCost = (choice: string, option: string) => number;

/** The costs that are sums of what single layers cost. */
const ADDITIVE = ['params', 'flops'] as const satisfies readonly (keyof PartCosts)[];

/** Spaces are frozen, so what was found for one stays true. */
const known = new WeakMap<Space, readonly PartCosts[]>();

/**
 * Parameters or FLOPs of the networks of a space, counted on its supernet; undefined for any other cost. Throws UserError for a space
 * without a supernet.
 */
export function staticCosts(space: Space, cost: string): CostModel | undefined {
  const name = ADDITIVE.find((one) => one === cost);
  if (name === undefined) return undefined;
  const parts = known.get(space) ?? supernetCosts(space);
  known.set(space, parts);
  return parts.flatMap(({ when, ...costs }) => (costs[name] > 0 ? [{ cost: costs[name], when }] : []));
}

/** The costs of a table, such as measured latencies: `base` for what all networks have in common, `costOf` for each option of each choice. */
export function tableCosts(space: Space, base: number, costOf: OptionCost): CostModel {
  const options = decisions(space).flatMap(({ name, domain, when }) => {
    if (domain.kind !== 'values') return [];
    return domain.values.flatMap((value) => {
      const cost = costOf(name, String(value));
      const is = { decision: name, is: String(value) };
      return cost === 0 ? [] : when.map((conditions): CostTerm => ({ cost, when: [...conditions, is] }));
    });
  });
  return [{ cost: base, when: [] }, ...options];
}

/** What the network of an architecture costs by a model. */
export const modeledCost = (model: CostModel, architecture: Architecture): number =>
  model.reduce((sum, { cost, when }) => (allHold(when, architecture) ? sum + cost : sum), 0);
