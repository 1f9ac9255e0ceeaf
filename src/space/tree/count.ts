import type { Condition, Decision, Domain, Space } from '../space.ts';
import { decisions, holdsFor } from './decisions.ts';
import { domainSize, firstValue, nextValue } from './domain.ts';

/**
 * How many architectures a space has, exactly; undefined when a decision is continuous, and where
 * counting would take longer than some seconds. Model counting by components
 * (Bayardo & Pehoushek 2000): groups of decisions that share no condition multiply; within a group,
 * one that is certainly active is branched on, its values taken together where they activate the same. Cost: linear for
 * decisions without conditions; exponential only in the depth to which conditions depend on one another.
 */
export function count(space: Space): bigint | undefined {
  if (space.members !== undefined) return undefined;
  if (space.membership !== undefined) return space.membership.size?.(space);
  const all = decisions(space);
  if (all.some(({ domain }) => domain.kind === 'float')) return undefined;
  return countGroups(withoutImplied(all), { left: MOST_STEPS });
}

/** About a second of counting. Only spaces made to be hard have more, for example in an untrusted study. */
const MOST_STEPS = 1_000_000;

interface Steps {
  left: number;
}

/** Choices inside one another share their conditions. */
const keys = new WeakMap<Condition, string>();

function keyOf(condition: Condition): string {
  const known = keys.get(condition);
  if (known !== undefined) return known;
  const key = JSON.stringify(condition);
  keys.set(condition, key);
  return key;
}

/**
 * The decisions without the conditions that others of the same alternative imply: `b is 1` is enough where b is there only if
 * `a is 0`. Of choices nested n deep, each then has one condition in place of up to n.
 */
function withoutImplied(all: readonly Decision[]): readonly Decision[] {
  /** By decision: the conditions that hold wherever it is active. */
  const sure = new Map<string, ReadonlySet<string>>();
  for (const { name, when } of all) {
    const [first = [], ...others] = when.map((conditions) => new Set(conditions.map(keyOf)));
    sure.set(name, new Set([...first].filter((key) => others.every((other) => other.has(key)))));
  }
  const reduce = (conditions: readonly Condition[]): readonly Condition[] => {
    let kept = [...conditions];
    // The innermost stands last and implies the most.
    for (let i = kept.length - 1; i >= 0; i = Math.min(i, kept.length) - 1) {
      const one = kept[i];
      const implied = one && sure.get(one.decision);
      if (one === undefined || implied === undefined || implied.size === 0) continue;
      kept = kept.filter((other) => other === one || !implied.has(keyOf(other)));
      i = kept.indexOf(one);
    }
    return kept;
  };
  return all.map((decision) => ({ ...decision, when: decision.when.map(reduce) }));
}

/** undefined: it takes too long. */
function countGroups(pending: readonly Decision[], steps: Steps): bigint | undefined {
  steps.left -= pending.length + 1;
  if (steps.left < 0) return undefined;
  let product = 1n;
  for (const group of groups(pending)) {
    const found = countGroup(group, steps);
    if (found === undefined) return undefined;
    product *= found;
  }
  return product;
}

/** Decisions connected by conditions, as lists. */
function groups(pending: readonly Decision[]): Decision[][] {
  const leader = new Map(pending.map(({ name }) => [name, name]));
  const find = (name: string): string => {
    let at = name;
    for (;;) {
      const up = leader.get(at) ?? at;
      if (up === at) return at;
      // Everything on the way is moved up: a chain is never walked twice.
      const above = leader.get(up) ?? up;
      leader.set(at, above);
      at = above;
    }
  };
  for (const { name, when } of pending) {
    for (const { decision } of when.flat()) if (leader.has(decision)) leader.set(find(name), find(decision));
  }
  const byLeader = new Map<string, Decision[]>();
  for (const decision of pending) {
    const root = find(decision.name);
    const group = byLeader.get(root);
    if (group === undefined) byLeader.set(root, [decision]);
    else group.push(decision);
  }
  return [...byLeader.values()];
}

function countGroup(group: readonly Decision[], steps: Steps): bigint | undefined {
  const root = mostAsked(group);
  // Those that only activate each other are never reached.
  if (root === undefined) return 1n;
  const rest = group.filter((decision) => decision !== root);
  if (rest.length === 0) return domainSize(root.domain) ?? 0n;
  let total = 0n;
  for (const { size, truths } of classes(root.domain, conditionsOn(root.name, rest))) {
    const left = rest.flatMap((decision) => substitute(decision, root.name, truths));
    const found = countGroups(left, steps);
    if (found === undefined) return undefined;
    total += size * found;
  }
  return total;
}

/** The decision named by the most different conditions, among those that are certainly active; the first of equals. */
function mostAsked(group: readonly Decision[]): Decision | undefined {
  const certain = group.filter(isCertain);
  if (certain.length < 2) return certain[0];
  const asked = new Map(certain.map(({ name }) => [name, new Set<string>()]));
  for (const { when } of group)
    for (const condition of when.flat()) asked.get(condition.decision)?.add(keyOf(condition));
  const times = ({ name }: Decision) => asked.get(name)?.size ?? 0;
  return certain.reduce((most, one) => (times(one) > times(most) ? one : most));
}

const isCertain = ({ when }: Decision) => when.some((conditions) => conditions.length === 0);

function conditionsOn(name: string, pending: readonly Decision[]): readonly Condition[] {
  const found = pending.flatMap(({ when }) => when.flat()).filter(({ decision }) => decision === name);
  return [...new Map(found.map((condition) => [keyOf(condition), condition])).values()];
}

/** The decision once `name` is settled; none when it can no longer become active. */
function substitute(decision: Decision, name: string, truths: ReadonlySet<string>): Decision[] {
  const when = decision.when.flatMap((conditions) => {
    const possible = conditions.every((one) => one.decision !== name || truths.has(keyOf(one)));
    return possible ? [conditions.filter((one) => one.decision !== name)] : [];
  });
  if (when.length === 0) return [];
  return [{ ...decision, when: when.some((conditions) => conditions.length === 0) ? [[]] : when }];
}

interface ValueClass {
  readonly size: bigint;
  /** The conditions that its values meet. */
  readonly truths: ReadonlySet<string>;
}

/** The values of a domain, those together that meet the same of the conditions. */
function classes(domain: Domain, conditions: readonly Condition[]): readonly ValueClass[] {
  if (domainSize(domain) === 0n) return [];
  if (domain.kind === 'int') return intervals(domain.min, domain.max, conditions);
  const found = new Map<string, ValueClass>();
  for (
    let value: ReturnType<typeof nextValue> = firstValue(domain);
    value !== undefined;
    value = nextValue(domain, value)
  ) {
    const met = conditions.filter((one) => holdsFor(one, value));
    const truths = met.map((one) => keyOf(one));
    const known = found.get(truths.join());
    found.set(truths.join(), { size: (known?.size ?? 0n) + 1n, truths: new Set(truths) });
  }
  return [...found.values()];
}

/** A range of whole numbers is only ever asked whether it goes above something: cut there. */
function intervals(min: number, max: number, conditions: readonly Condition[]): readonly ValueClass[] {
  const thresholds = conditions.flatMap((one) => ('above' in one ? [one.above] : []));
  const inside = [...new Set(thresholds)].filter((above) => above >= min && above < max).toSorted((a, b) => a - b);
  const ends = [...inside, max];
  return ends.map((end, i) => {
    const start = i === 0 ? min : (ends[i - 1] ?? Number.NaN) + 1;
    const met = conditions.filter((one) => 'above' in one && start > one.above);
    return { size: BigInt(end - start + 1), truths: new Set(met.map((one) => keyOf(one))) };
  });
}
