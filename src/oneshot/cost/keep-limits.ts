/**
 * The architecture that mixture weights select within limits on costs: of those that keep them, the one whose options have the largest
 * product of shares. Where costs are sums over options (`CostModel`), that is a multiple-choice knapsack (knapsack.ts), solved exactly: decisions
 * that depend on one another (a choice inside an option, the edges that a node picks from) are one group, whose alternatives are listed. Where
 * they are not, or groups are too large, one decision after the other changes to what loses least of the product for what it saves.
 */
import type { Metrics } from '../../common/metrics.ts';
import type { Architecture, Condition, Decision, DecisionValue, Space, TreeArchitecture } from '../../space/space.ts';
import { architectureKey } from '../../space/tree/architecture.ts';
import { chooseAll } from '../../space/tree/choose.ts';
import { allHold, decisions, isActive } from '../../space/tree/decisions.ts';
import { type OptionWeights, passedOverIn } from '../../space/tree/derive.ts';
import { nodesOf } from '../../space/tree/domain.ts';
import type { Mixture } from '../../train/checkpoint.ts';
import { type CostGoals, keepsLimits, modelOf } from './goals.ts';
import { type Alternative, bestWithin } from './knapsack.ts';
import type { CostModel, CostTerm } from './model.ts';

/** Alternatives of a group that are listed. */
const MOST_ALTERNATIVES = 50_000;
/** How often limits are tightened where a model says less than a network costs. */
const TRIES = 8;
/** Shares below count as this: an option that was never trained is the last resort. */
const LEAST_SHARE = 1e-9;

/** `derived`, or the best architecture within the limits; `derived` again where none is found. */
export type KeepLimits = (weights: OptionWeights, derived: Architecture) => Architecture;

/** A mixture whose genotype keeps the limits of the study: the same one where it does already, or where nothing does. */
export function mixtureWithin({ space, costs }: { readonly space: Space; readonly costs?: CostGoals }) {
  const keep = costs && limitKeeper(space, costs);
  return (mixture: Mixture): Mixture =>
    keep === undefined
      ? mixture
      : { ...mixture, genotype: keep({ ...mixture.weights, ...mixture.edges }, mixture.genotype) };
}

/** For the mixture weights of a supernet of this space. */
export function limitKeeper(space: Space, goals: CostGoals): KeepLimits {
  if (goals.limits.length === 0) return (_, derived) => derived;
  const models = goals.limits.map(({ cost }) => modelOf(space, goals, cost));
  const exact = models.every((model) => model !== undefined) ? models : undefined;
  return (weights, derived) => {
    if (keepsLimits(goals, derived)) return derived;
    const scores = scoresOf(space, weights, derived);
    const found = exact && byKnapsack(space, goals, exact, scores);
    if (found !== undefined) return found;
    const changed = byChanges(space, goals, scores, derived);
    return keepsLimits(goals, changed) ? changed : derived;
  };
}

/** What decisions may be, and how good each value is: the logarithm of its share. */
interface Scores {
  readonly decisions: readonly Decision[];
  /** The values that may be derived. */
  valuesOf(decision: Decision): readonly DecisionValue[];
  scoreOf(name: string, value: DecisionValue): number;
}

function scoresOf(space: Space, weights: OptionWeights, derived: Architecture): Scores {
  const zeros = passedOverIn(space);
  const logOf = (share: number | undefined) => Math.log(Math.max(share ?? 0, LEAST_SHARE));
  const all = decisions(space);
  const domains = new Map(all.map(({ name, domain }) => [name, domain]));
  return {
    decisions: all,
    valuesOf({ name, domain }) {
      if (domain.kind === 'inputs') return subsets(nodesOf(domain), domain.count);
      if (domain.kind !== 'values') return [derived[name] as DecisionValue];
      // What nothing weighs, such as the outputs of a cell, stays.
      if (!Object.hasOwn(weights, name) && domain.values.length > 1)
        return [(derived[name] as DecisionValue | undefined) ?? (domain.values[0] as DecisionValue)];
      const operations = domain.values.filter((value) => !zeros.get(name)?.includes(String(value)));
      return operations.length > 0 ? operations : domain.values;
    },
    scoreOf(name, value) {
      const row = Object.hasOwn(weights, name) ? weights[name] : undefined;
      const domain = domains.get(name);
      if (row === undefined) return 0;
      if (Array.isArray(value)) return value.reduce((sum: number, node: number) => sum + logOf(row[node]), 0);
      return domain?.kind === 'values' ? logOf(row[domain.values.map(String).indexOf(String(value))]) : 0;
    },
  };
}

type Values = Readonly<Record<string, DecisionValue>>;
type Listed = Alternative & { readonly values: Values };

function byKnapsack(
  space: Space,
  goals: CostGoals,
  models: readonly CostModel[],
  scores: Scores,
): Architecture | undefined {
  const always = models.map((model) => sumOf(model.filter(({ when }) => when.length === 0)));
  const groups = groupsOf(scores.decisions, models).map((group) => {
    const own = new Set(group.map(({ name }) => name));
    const terms = models.map((model) => model.filter(({ when }) => when[0] !== undefined && own.has(when[0].decision)));
    return alternativesOf(group, terms, scores);
  });
  if (groups.some((group) => group === undefined)) return undefined;
  const listed = groups as readonly (readonly Listed[])[];
  let limits = goals.limits.map(({ max }) => max);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const left = limits.map((max, i) => max - (always[i] ?? 0));
    const taken = bestWithin(listed, left);
    if (taken === undefined) return undefined;
    const values: Values = Object.assign({}, ...listed.map((group, g) => group[taken[g] ?? 0]?.values));
    const found = complete(space, scores, values);
    if (keepsLimits(goals, found)) return found;
    const costs = costsOf(goals, found);
    if (costs === undefined) return undefined;
    limits = limits.map((max, i) => {
      const { cost, max: wanted } = goals.limits[i] ?? { cost: '', max };
      const over = (costs[cost] ?? Number.POSITIVE_INFINITY) / wanted;
      return over > 1 ? max / Math.min(2, over * 1.001) : max;
    });
  }
  return undefined;
}

const sumOf = (terms: readonly CostTerm[]) => terms.reduce((sum, { cost }) => sum + cost, 0);

/** Decisions that depend on one another, or that have a cost together; each group in the order of the walk. */
function groupsOf(all: readonly Decision[], models: readonly CostModel[]): readonly (readonly Decision[])[] {
  const parents = new Map(all.map(({ name }) => [name, name]));
  const rootOf = (name: string): string => {
    const parent = parents.get(name) ?? name;
    return parent === name ? name : rootOf(parent);
  };
  const join = (names: readonly string[]) => {
    const [first, ...others] = names;
    for (const name of others) parents.set(rootOf(name), rootOf(first ?? name));
  };
  const namesIn = (when: readonly Condition[]) => when.map(({ decision }) => decision);
  for (const { name, when } of all) join([name, ...when.flatMap(namesIn)]);
  for (const { when } of models.flat()) join(namesIn(when));
  return [...Map.groupBy(all, ({ name }) => rootOf(name)).values()];
}

/** All that a group can be; undefined where that is too much. `terms`: the group's, for each limit. */
function alternativesOf(
  group: readonly Decision[],
  terms: readonly CostModel[],
  scores: Scores,
): readonly Listed[] | undefined {
  const found: Listed[] = [];
  const list = (i: number, values: Values, score: number): boolean => {
    const decision = group[i];
    if (decision === undefined) {
      if (found.length === MOST_ALTERNATIVES) return false;
      const costs = terms.map((model) => sumOf(model.filter(({ when }) => allHold(when, values))));
      found.push({ values, score, costs });
      return true;
    }
    if (!isActive(decision, values)) return list(i + 1, values, score);
    return scores
      .valuesOf(decision)
      .every((value) =>
        list(i + 1, { ...values, [decision.name]: value }, score + scores.scoreOf(decision.name, value)),
      );
  };
  return list(0, {}, 0) ? found : undefined;
}

/** The architecture with these values; decisions without one take the best. */
function complete(space: Space, scores: Scores, values: Values): TreeArchitecture {
  const byName = new Map(scores.decisions.map((decision) => [decision.name, decision]));
  return chooseAll(space, (name) => {
    const decision = byName.get(name);
    const own = Object.hasOwn(values, name) ? values[name] : undefined;
    const best = () =>
      (decision === undefined ? [] : scores.valuesOf(decision)).reduce<DecisionValue | undefined>(
        (a, b) => (a !== undefined && scores.scoreOf(name, a) >= scores.scoreOf(name, b) ? a : b),
        undefined,
      );
    return own ?? best() ?? '';
  });
}

/**
 * One change after the other, by the costs of the networks themselves. Where no single change saves any of what is above the limits (a depth
 * that two paths have), one that makes the network smaller is taken.
 */
function byChanges(space: Space, goals: CostGoals, scores: Scores, derived: Architecture): Architecture {
  const lookUp = memoized((architecture: Architecture) => measured(goals, architecture));
  let current = derived;
  for (let now = lookUp(current); now.excess > 0; now = lookUp(current)) {
    const score = scoreOf(scores, current);
    const changes = scores.decisions
      .filter((decision) => isActive(decision, current))
      .flatMap((decision) =>
        scores
          .valuesOf(decision)
          .map((value) => complete(space, scores, { ...(current as Values), [decision.name]: value })),
      )
      .map((architecture) => {
        const { excess, size } = lookUp(architecture);
        return {
          architecture,
          lost: score - scoreOf(scores, architecture),
          saved: now.excess - excess,
          less: now.size - size,
        };
      });
    const saving = changes.filter(({ saved }) => saved > 0);
    const smaller = changes.filter(({ saved, less }) => saved === 0 && less > 0);
    const best =
      cheapest(saving, ({ lost, saved }) => lost / saved) ?? cheapest(smaller, ({ lost, less }) => lost / less);
    if (best === undefined) return current;
    current = best.architecture;
  }
  return current;
}

/** How far an architecture is above the limits, in shares of them, and a size that tells architectures apart which are equally far. */
function measured(goals: CostGoals, architecture: Architecture): { readonly excess: number; readonly size: number } {
  const costs = costsOf(goals, architecture);
  if (costs === undefined) return { excess: Number.POSITIVE_INFINITY, size: Number.POSITIVE_INFINITY };
  const excess = goals.limits.reduce((sum, { cost, max }) => {
    const over = (costs[cost] ?? Number.POSITIVE_INFINITY) - max;
    return sum + Math.max(0, over) / Math.max(Math.abs(max), 1);
  }, 0);
  return { excess, size: (costs.flops ?? 0) + (costs.params ?? 0) };
}

const cheapest = <T>(some: readonly T[], priceOf: (one: T) => number): T | undefined =>
  some.reduce<T | undefined>((a, b) => (a !== undefined && priceOf(a) <= priceOf(b) ? a : b), undefined);

const scoreOf = (scores: Scores, architecture: Architecture) =>
  scores.decisions
    .filter((decision) => isActive(decision, architecture))
    .reduce((sum, { name }) => sum + scores.scoreOf(name, architecture[name] as DecisionValue), 0);

/** Undefined where the network cannot be built. */
function costsOf({ of }: CostGoals, architecture: Architecture): Metrics | undefined {
  try {
    return of(architecture);
  } catch {
    return undefined;
  }
}

function memoized<T extends object>(of: (architecture: Architecture) => T): (architecture: Architecture) => T {
  const known = new Map<string, T>();
  return (architecture) => {
    const key = architectureKey(architecture);
    const value = known.get(key) ?? of(architecture);
    known.set(key, value);
    return value;
  };
}

/** The lists of `count` of these numbers, in their order. */
function subsets(numbers: readonly number[], count: number): readonly (readonly number[])[] {
  if (count === 0) return [[]];
  return numbers.flatMap((first, i) => subsets(numbers.slice(i + 1), count - 1).map((others) => [first, ...others]));
}
