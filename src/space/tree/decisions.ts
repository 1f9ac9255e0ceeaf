import { invalid, UserError } from '../../common/errors.ts';
import type { Json } from '../../common/json.ts';
import type { Architecture, Condition, Decision, DecisionValue, Domain, OpenTree } from '../space.ts';
import { nodesOf, sameDomain } from './domain.ts';
import { implies, walk } from './walk.ts';

type Conjunction = readonly Condition[];

/** Spaces are frozen, so what was found for one stays true. */
const known = new WeakMap<object, readonly Decision[]>();

/**
 * All that is to decide in a space, in the order of the walk, each with the conditions under which it is active.
 * Throws UserError when choices of one name have different domains.
 */
export function decisions(space: OpenTree): readonly Decision[] {
  const found = known.get(space) ?? findDecisions(space);
  known.set(space, found);
  return found;
}

function findDecisions(space: OpenTree): readonly Decision[] {
  const found = new Map<string, { domain: Domain; paths: Map<string, Conjunction> }>();
  walk(space, ({ name, domain, path }) => {
    const entry = found.get(name) ?? { domain, paths: new Map() };
    if (!sameDomain(entry.domain, domain)) {
      const [a, b] = [entry.domain, domain].map((one) => JSON.stringify(one));
      throw new UserError(
        `choice "${name}" has the domains ${a} and ${b}; choices of one name are one decision and need the same domain`,
      );
    }
    entry.paths.set(key(path), path);
    found.set(name, entry);
    return undefined;
  });
  const domains = new Map([...found].map(([name, { domain }]) => [name, domain]));
  return Object.freeze(
    [...found].map(([name, { domain, paths }]) =>
      Object.freeze({ name, domain, when: Object.freeze(simplify([...paths.values()], domains)) }),
    ),
  );
}

/** The value of a decision in an architecture; undefined where it is inactive. Throws UserError for what no decision can be. */
export function decided(architecture: Architecture, name: string): DecisionValue | undefined {
  const value = architecture[name];
  if (value === undefined || isDecisionValue(value)) return value;
  throw invalid(
    'architecture',
    `decision "${name}" is ${JSON.stringify(value)}`,
    'must be a value or a list of numbers',
  );
}

export function isDecisionValue(value: Json): value is DecisionValue {
  if (Array.isArray(value)) return value.every((one) => typeof one === 'number');
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean';
}

/** Whether the architecture has values that make the decision active. */
export function isActive(decision: Decision, architecture: Architecture): boolean {
  return decision.when.some((conditions) => allHold(conditions, architecture));
}

/** Whether all the conditions hold in the architecture. */
export function allHold(conditions: readonly Condition[], architecture: Architecture): boolean {
  return conditions.every((condition) => holdsFor(condition, decided(architecture, condition.decision)));
}

/** Whether the condition holds when its decision has this value; undefined: is inactive. */
export function holdsFor(condition: Condition, value: DecisionValue | undefined): boolean {
  if ('is' in condition) return value === condition.is;
  if ('above' in condition) return typeof value === 'number' && value > condition.above;
  return Array.isArray(value) && value.includes(condition.includes);
}

/**
 * A shorter disjunction of the same meaning. Two rules, until neither applies: what implies another alternative goes;
 * alternatives that differ only in an option (or in a picked input), and are there for every one, become one without it. The second is
 * sound because the conditions of an alternative are those of a path: what is left still implies that the choice taken
 * out is active.
 */
export function simplify(alternatives: readonly Conjunction[], domains: ReadonlyMap<string, Domain>): Conjunction[] {
  let current = absorb(alternatives);
  for (;;) {
    const merged = mergeOptions(current, domains);
    if (!merged) return current;
    current = absorb(merged);
  }
}

function absorb(alternatives: readonly Conjunction[]): Conjunction[] {
  const weakens = (a: Conjunction, b: Conjunction) => a.every((one) => b.some((other) => implies(other, one)));
  return alternatives.filter(
    (one, i) => !alternatives.some((other, j) => j !== i && weakens(other, one) && (!weakens(one, other) || j < i)),
  );
}

function mergeOptions(alternatives: readonly Conjunction[], domains: ReadonlyMap<string, Domain>) {
  // A choice has two options at least. What most decisions have is one alternative, as long as choices are nested.
  if (alternatives.length < 2) return undefined;
  const groups = new Map<string, { rest: Conjunction; decision: string; options: Set<string | number> }>();
  for (const alternative of alternatives) {
    for (const condition of alternative) {
      if ('above' in condition) continue;
      const rest = alternative.filter((one) => one !== condition);
      const group = `${condition.decision}=${key(rest)}`;
      const entry = groups.get(group) ?? { rest, decision: condition.decision, options: new Set() };
      entry.options.add('is' in condition ? condition.is : condition.includes);
      groups.set(group, entry);
    }
  }
  for (const { rest, decision, options } of groups.values()) {
    const domain = domains.get(decision);
    if (domain?.kind === 'values' && domain.values.length === options.size) return [...alternatives, rest];
    // At least one input is picked.
    if (domain?.kind === 'inputs' && nodesOf(domain).length === options.size) return [...alternatives, rest];
  }
  return undefined;
}

const key = (conditions: Conjunction) =>
  conditions
    .map((condition) => JSON.stringify(condition))
    .toSorted()
    .join();
