/** Costs of the networks of a space as sums over the options that they take. */
import { type PartCosts, supernetCosts } from '../../network/supernet-costs.ts';
import type { Architecture, Condition, Decision, DecisionValue, Domain, Space } from '../../space/space.ts';
import { chooseAll } from '../../space/tree/choose.ts';
import { allHold, decisions } from '../../space/tree/decisions.ts';
import { passedOverIn } from '../../space/tree/derive.ts';
import { nodesOf } from '../../space/tree/domain.ts';

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

/**
 * Any cost of networks as a sum over options, such as a latency that a table of blocks predicts: what each option costs more than the first one
 * where all other decisions have their first value. Exact where the cost is a sum; otherwise an approximation. `of` is asked once for each option.
 * Throws what `of` throws.
 */
export function predictedCosts(space: Space, of: (architecture: Architecture) => number): CostModel {
  const all = decisions(space);
  const zeros = passedOverIn(space);
  // A cell of nothing but options that put out nothing is no network.
  const usual = new Map(
    all.map(({ name, domain }) => {
      const values = domain.kind === 'values' ? domain.values : [];
      const value = values.find((one) => !zeros.get(name)?.includes(String(one)));
      return [name, value ?? firstOf(domain)] as const;
    }),
  );
  /** A member in which the conditions hold, and the decision has the value. */
  const costWith = ({ name, when: [conditions = []] }: Decision, value: DecisionValue) => {
    const wanted = new Map<string, DecisionValue>(conditions.map((one) => [one.decision, valueFor(one, usual)]));
    wanted.set(name, value);
    return of(chooseAll(space, (decision, domain) => wanted.get(decision) ?? usual.get(decision) ?? firstOf(domain)));
  };
  const base = of(chooseAll(space, (decision, domain) => usual.get(decision) ?? firstOf(domain)));
  const terms = all.flatMap((decision): readonly CostTerm[] => {
    const { name, domain, when } = decision;
    if (domain.kind !== 'values' && domain.kind !== 'inputs') return [];
    const start = usual.get(name) ?? firstOf(domain);
    const before = costWith(decision, start);
    const more = (value: DecisionValue, condition: Condition) => {
      const cost = costWith(decision, value) - before;
      return cost === 0 ? [] : when.map((conditions): CostTerm => ({ cost, when: [...conditions, condition] }));
    };
    if (domain.kind === 'values')
      return domain.values.flatMap((value) => more(value, { decision: name, is: String(value) }));
    const taken = start as readonly number[];
    return nodesOf(domain)
      .filter((node) => !taken.includes(node))
      .flatMap((node) => more([...taken.slice(0, -1), node], { decision: name, includes: node }));
  });
  return [{ cost: base, when: [] }, ...terms];
}

function firstOf(domain: Domain): DecisionValue {
  if (domain.kind === 'inputs') return nodesOf(domain).slice(0, domain.count);
  return domain.kind === 'values' ? (domain.values[0] ?? '') : domain.min;
}

/** A value of its decision with which the condition holds. */
function valueFor(condition: Condition, usual: ReadonlyMap<string, DecisionValue>): DecisionValue {
  if ('is' in condition) return condition.is;
  if ('above' in condition) return condition.above + 1;
  const taken = usual.get(condition.decision);
  if (!Array.isArray(taken) || taken.includes(condition.includes)) return taken ?? [condition.includes];
  return [...taken.slice(0, -1), condition.includes];
}

/** What the network of an architecture costs by a model. */
export const modeledCost = (model: CostModel, architecture: Architecture): number =>
  model.reduce((sum, { cost, when }) => (allHold(when, architecture) ? sum + cost : sum), 0);
