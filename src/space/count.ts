import { decisions, holdsFor } from './decisions.ts';
import { domainSize, firstValue, nextValue } from './domain.ts';
import type { Condition, Decision, Domain, Space } from './space.ts';

/**
 * How many architectures a space has, exactly; undefined when a decision is continuous. Model counting by components
 * (Bayardo & Pehoushek 2000): groups of decisions that share no condition multiply; within a group,
 * one that is surely active is branched on, its values taken together where they activate the same. Cost: linear for
 * decisions without conditions; exponential only in the depth to which conditions hang on one another.
 */
export function count(space: Space): bigint | undefined {
  const all = decisions(space);
  return all.some(({ domain }) => domain.kind === 'float') ? undefined : countGroups(all);
}

function countGroups(pending: readonly Decision[]): bigint {
  return groups(pending).reduce((product, group) => product * countGroup(group), 1n);
}

/** Decisions connected by conditions, as lists. */
function groups(pending: readonly Decision[]): Decision[][] {
  const leader = new Map(pending.map(({ name }) => [name, name]));
  const find = (name: string): string => {
    let root = name;
    for (let next = leader.get(root); next !== undefined && next !== root; next = leader.get(root)) root = next;
    leader.set(name, root);
    return root;
  };
  for (const { name, when } of pending) {
    for (const { decision } of when.flat()) if (leader.has(decision)) leader.set(find(decision), find(name));
  }
  const byLeader = new Map<string, Decision[]>();
  for (const decision of pending) {
    const root = find(decision.name);
    byLeader.set(root, [...(byLeader.get(root) ?? []), decision]);
  }
  return [...byLeader.values()];
}

function countGroup(group: readonly Decision[]): bigint {
  const asked = (decision: Decision) => conditionsOn(decision.name, group).length;
  const [root] = group.filter(isCertain).toSorted((a, b) => asked(b) - asked(a));
  // Those that only activate each other are never reached.
  if (root === undefined) return 1n;
  const rest = group.filter((decision) => decision !== root);
  if (rest.length === 0) return domainSize(root.domain) ?? 0n;
  let total = 0n;
  for (const { size, truths } of classes(root.domain, conditionsOn(root.name, rest))) {
    total += size * countGroups(rest.flatMap((decision) => substitute(decision, root.name, truths)));
  }
  return total;
}

const isCertain = ({ when }: Decision) => when.some((conditions) => conditions.length === 0);

function conditionsOn(name: string, pending: readonly Decision[]): readonly Condition[] {
  const found = pending.flatMap(({ when }) => when.flat()).filter(({ decision }) => decision === name);
  return [...new Map(found.map((condition) => [JSON.stringify(condition), condition])).values()];
}

/** The decision once `name` is settled; none when it can no longer become active. */
function substitute(decision: Decision, name: string, truths: ReadonlySet<string>): Decision[] {
  const when = decision.when.flatMap((conditions) => {
    const possible = conditions.every((one) => one.decision !== name || truths.has(JSON.stringify(one)));
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
  if (domain.kind === 'int') return intervals(domain.min, domain.max, conditions);
  const found = new Map<string, ValueClass>();
  for (
    let value: ReturnType<typeof nextValue> = firstValue(domain);
    value !== undefined;
    value = nextValue(domain, value)
  ) {
    const met = conditions.filter((one) => holdsFor(one, value));
    const truths = met.map((one) => JSON.stringify(one));
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
    const start = i === 0 ? min : (ends[i - 1] as number) + 1;
    const met = conditions.filter((one) => 'above' in one && start > one.above);
    return { size: BigInt(end - start + 1), truths: new Set(met.map((one) => JSON.stringify(one))) };
  });
}
