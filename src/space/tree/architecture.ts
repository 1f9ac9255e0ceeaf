import { invalid } from '../../common/errors.ts';
import { parseJson } from '../../common/json.ts';
import type { Architecture, Condition, DecisionValue, OpenTree, Space, TreeArchitecture } from '../space.ts';
import { type Choose, chooseRaw } from './choose.ts';
import { decisions } from './decisions.ts';
import { describeDomain, formatValue, inDomain, parseValue } from './domain.ts';
import { isObject } from './fields.ts';
import { complete, type Walked } from './walk.ts';

const placeOf = (space: Pick<Space, 'name'>) => `architecture of space "${space.name}"`;

/**
 * Plain data as an architecture of the space: its decisions in the order of the walk, frozen; of several that are the same network the
 * canonical one. Throws UserError naming the decision, the value and the rule when one is unknown, missing, inactive or outside its
 * domain, or when a rule of membership is broken.
 */
export function checkArchitecture(space: Space, found: unknown): Architecture {
  return space.members === undefined ? checkDecisions(space, found) : space.members.check(found);
}

function checkDecisions(space: Space, found: unknown): TreeArchitecture {
  const make = (choose: Choose) => chooseRaw(space, choose);
  const architecture = checked(space, found, make, (one) => one);
  const refusal = space.membership?.refusal(architecture, space);
  if (refusal !== undefined) throw invalid(placeOf(space), refusal.found, refusal.rule);
  return space.membership?.canonical(architecture, space) ?? architecture;
}

/** The tree with the choices made as `found` says, checked on the way as `checkArchitecture` does. */
export function completeChecked(space: Space, found: unknown): Walked & { readonly architecture: TreeArchitecture } {
  const member = space.membership === undefined ? found : checkDecisions(space, found);
  const make = (choose: Choose) => complete(space, choose);
  const walked = checked(space, member, make, ({ architecture }) => architecture);
  const root = space.membership?.network?.(walked.architecture);
  return root === undefined ? walked : { ...walked, root };
}

/** Identifies an architecture of any space: equal exactly if the JSON is equal, regardless of key order. */
export function architectureKey(architecture: Architecture): string {
  return JSON.stringify(entriesOf(architecture), (_, value: unknown) =>
    isObject(value) ? Object.fromEntries(entriesOf(value)) : value,
  );
}

const entriesOf = (value: object) => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));

function checked<Built>(
  space: Space,
  found: unknown,
  make: (choose: Choose) => Built,
  architectureOf: (built: Built) => TreeArchitecture,
): Built {
  const place = placeOf(space);
  if (!isObject(found)) throw invalid(place, `is ${JSON.stringify(found)}`, 'must be an object of decisions by name');
  const known = new Map(decisions(space).map((decision) => [decision.name, decision]));
  for (const name of Object.keys(found)) {
    if (!known.has(name)) {
      const names = known.size === 0 ? 'it has no decisions' : `must be one of ${shortList([...known.keys()])}`;
      throw invalid(place, `unknown decision "${name}"`, names);
    }
  }
  const built = make((name, domain) => {
    const value = Object.hasOwn(found, name) ? found[name] : undefined;
    if (value === undefined) throw invalid(place, `decision "${name}" is missing`, `must be ${describeDomain(domain)}`);
    if (inDomain(domain, value)) return Array.isArray(value) ? Object.freeze([...value]) : value;
    throw invalid(place, `decision "${name}" is ${JSON.stringify(value)}`, `must be ${describeDomain(domain)}`);
  });
  const architecture = architectureOf(built);
  for (const name of Object.keys(found)) {
    if (!Object.hasOwn(architecture, name)) {
      const when = (known.get(name)?.when ?? []).map((all) => all.map(describeCondition).join(' and ')).join(', or ');
      throw invalid(place, `decision "${name}" is ${JSON.stringify(found[name])} but inactive`, `only where ${when}`);
    }
  }
  return built;
}

function describeCondition(condition: Condition): string {
  if ('is' in condition) return `${condition.decision} is ${condition.is}`;
  if ('above' in condition) return `${condition.decision} is above ${condition.above}`;
  return `${condition.decision} includes ${condition.includes}`;
}

const shortList = (names: readonly string[]) =>
  names.length <= 12 ? names.join(', ') : `${names.slice(0, 12).join(', ')}, ... (${names.length} in all)`;

/**
 * The architecture as one line of text, the same for equal architectures: the space's own notation, or
 * `name=value, name=value` in the order of the walk. Throws UserError when it is no member of the space.
 */
export function formatArchitecture(space: Space, architecture: Architecture): string {
  if (space.members !== undefined) return space.members.format(architecture);
  const checked = checkDecisions(space, architecture);
  return space.text ? space.text.format(checked) : formatDecisions(checked);
}

/** `name=value, name=value`, in the order that the architecture has. */
export const formatDecisions = (architecture: Architecture): string =>
  Object.entries(architecture)
    .map(([name, value]) => `${name}=${formatValue(value as DecisionValue)}`)
    .join(', ');

/**
 * What `formatArchitecture` wrote, with the decisions in any order; or JSON, when it begins with `{`. Throws UserError
 * naming the place in the text.
 */
export function parseArchitecture(space: Space, text: string): Architecture {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return checkArchitecture(space, parseJson(trimmed, placeOf(space)));
  if (space.members !== undefined) return space.members.parse(trimmed);
  return checkArchitecture(space, space.text ? space.text.parse(trimmed, space) : parseDecisions(space, trimmed));
}

/** What `formatDecisions` wrote. Throws UserError. */
export function parseDecisions(space: OpenTree & Pick<Space, 'name'>, text: string): Architecture {
  const place = placeOf(space);
  const domains = new Map(decisions(space).map(({ name, domain }) => [name, domain]));
  const found = new Map<string, DecisionValue>();
  if (text === '') return {};
  for (const [i, part] of text.split(',').entries()) {
    const separator = part.indexOf('=');
    if (separator < 0) throw invalid(place, `part ${i + 1} is "${part.trim()}"`, 'must be name=value');
    const name = part.slice(0, separator).trim();
    const written = part.slice(separator + 1).trim();
    const domain = domains.get(name);
    if (found.has(name)) throw invalid(place, `decision "${name}" is given twice`, 'must be given once');
    const value = domain && parseValue(domain, written);
    if (domain && value === undefined) {
      throw invalid(place, `decision "${name}" is "${written}"`, `must be ${describeDomain(domain)}`);
    }
    // checkArchitecture refuses unknown names.
    found.set(name, value ?? written);
  }
  return Object.fromEntries(found);
}
