import { unknownName } from '../../common/closest.ts';
import { invalid, UserError } from '../../common/errors.ts';
import { deepFreeze } from '../../common/json.ts';
import { rng } from '../../common/random.ts';
import type { Domain, Space } from '../space.ts';
import { checkArchitecture } from './architecture.ts';
import { decisions } from './decisions.ts';
import { remakeAs } from './define.ts';
import { describeDomain, domainSize, inDomain, parseValue } from './domain.ts';
import { hasWord, isOption, listed, MOST_LISTED, type Named, without } from './narrow.ts';
import { requiring } from './require.ts';
import { sample } from './vary.ts';

/** What members of a space must keep. Plain data; an option may be named alone, or for one decision: `DECISION=OPTION`. */
export interface Constraints {
  /** Options of which each is taken by at least one decision. */
  readonly require?: readonly string[] | undefined;
  /** Options that no decision takes. */
  readonly forbid?: readonly string[] | undefined;
  /** Values of decisions, by their names. */
  readonly fix?: Readonly<Record<string, number | string | boolean | readonly number[]>> | undefined;
  /** `OPTION:WEIGHT`: how often it is drawn, by comparison with options of weight 1. */
  readonly prefer?: readonly string[] | undefined;
}

/**
 * The space under constraints: its members are those of `space` that keep them, with the same names, texts and networks. Forbidden
 * options and fixed values narrow the domains of decisions, so everything derived from the tree keeps them; required options are a
 * rule of membership. Throws UserError for a decision or an option that the space does not have, and where nothing is left.
 */
export function constrained(space: Space, constraints: Constraints): Space {
  const { require = [], forbid = [], fix = {}, prefer = [] } = constraints;
  if (require.length + forbid.length + prefer.length + Object.keys(fix).length === 0) return space;
  const domains = new Map(decisions(space).map(({ name, domain }) => [name, domain]));
  for (const [name, value] of Object.entries(fix)) fixDecision(space, domains, name, value);
  for (const item of forbid) forbidOption(space, domains, item);
  for (const item of prefer) preferOption(space, domains, item);
  const items = require.map((item) => named(space, domains, '--require', item));
  const narrowed: Space = Object.freeze({ ...space, domains: deepFreeze(Object.fromEntries(domains)) });
  const active = new Set(decisions(narrowed).map(({ name }) => name));
  const idle = Object.keys(fix).find((name) => !active.has(name));
  if (idle !== undefined)
    throw invalid('--fix', `"${idle}=${fix[idle]}"`, 'the decision is never open under the other constraints');
  const result =
    items.length === 0 ? narrowed : Object.freeze({ ...narrowed, membership: requiring(items, space.membership) });
  remakeAs(result, space, (other) => constrained(other, constraints));
  try {
    checkArchitecture(result, sample(result, rng('constraints')));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw invalid(
      'constraints',
      shown(constraints),
      `no architecture of space "${space.name}" was found that keeps them all`,
    );
  }
  return result;
}

/** `--require a --forbid b --fix c=1` */
function shown({ require = [], forbid = [], fix = {} }: Constraints): string {
  return [
    ...require.map((item) => `--require ${item}`),
    ...forbid.map((item) => `--forbid ${item}`),
    ...Object.entries(fix).map(([name, value]) => `--fix ${name}=${String(value)}`),
  ].join(' ');
}

type Domains = Map<string, Domain>;

function named(space: Space, domains: Domains, place: string, text: string): Named {
  const at = text.indexOf('=');
  const [decision, option] = at < 0 ? [undefined, text] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  if (decision !== undefined) {
    const domain = domainNamed(space, domains, place, decision);
    if (!isOption(domain, option))
      throw invalid(place, `"${text}"`, `decision "${decision}" must be ${describeDomain(domain)}`);
  } else if (![...domains.values()].some((domain) => hasWord(domain, option))) {
    if (Number.isFinite(Number(option)))
      throw invalid(place, `"${text}"`, 'a number must be given with its decision: DECISION=NUMBER');
    const values = [...domains.values()].flatMap((domain) => (domain.kind === 'values' ? domain.values : []));
    const words = values.filter((value) => typeof value === 'string');
    throw unknownName(`${place}: space "${space.name}" has no option`, option, [...new Set(words)]);
  }
  return { text, decision, option };
}

function domainNamed(space: Space, domains: Domains, place: string, name: string): Domain {
  const unnamed = space.membership?.unnamed;
  if (unnamed !== undefined) throw invalid(place, `decision "${name}"`, unnamed);
  const domain = domains.get(name);
  if (domain === undefined)
    throw unknownName(`${place}: space "${space.name}" has no decision`, name, [...domains.keys()]);
  return domain;
}

function fixDecision(space: Space, domains: Domains, name: string, value: unknown): void {
  const domain = domainNamed(space, domains, '--fix', name);
  const found = inDomain(domain, value)
    ? value
    : parseValue(domain, Array.isArray(value) ? value.join('+') : String(value));
  if (found === undefined) throw invalid('--fix', `"${name}=${String(value)}"`, `must be ${describeDomain(domain)}`);
  if (domain.kind === 'inputs') domains.set(name, { ...domain, among: [...(found as readonly number[])] });
  else domains.set(name, { kind: 'values', values: [found as number | string | boolean] });
}

function forbidOption(space: Space, domains: Domains, text: string): void {
  const { decision, option } = named(space, domains, '--forbid', text);
  for (const [name, domain] of domains) {
    if (decision === undefined ? !hasWord(domain, option) : name !== decision) continue;
    const left = without(domain, option);
    if (left === undefined)
      throw invalid(
        '--forbid',
        `"${text}"`,
        `decision "${name}" must be a list, or a range of at most ${MOST_LISTED} whole numbers`,
      );
    if (domainSize(left) === 0n) throw invalid('--forbid', `"${text}"`, `decision "${name}" would have no value left`);
    domains.set(name, left);
  }
}

function preferOption(space: Space, domains: Domains, text: string): void {
  const at = text.lastIndexOf(':');
  const weight = at < 0 ? Number.NaN : Number(text.slice(at + 1));
  if (!(weight > 0 && weight <= 1e6) || text.slice(at + 1).trim() === '')
    throw invalid(
      '--prefer',
      `"${text}"`,
      'must be OPTION:WEIGHT with a weight above 0 and at most 1,000,000; --forbid excludes an option',
    );
  const { decision, option } = named(space, domains, '--prefer', text.slice(0, at).trim());
  for (const [name, domain] of domains) {
    if (decision === undefined ? !hasWord(domain, option) : name !== decision) continue;
    const values = domain.kind === 'inputs' ? undefined : listed(domain);
    if (values === undefined)
      throw invalid(
        '--prefer',
        `"${text}"`,
        `decision "${name}" must be a list, or a range of at most ${MOST_LISTED} whole numbers`,
      );
    const before = domain.kind === 'values' ? domain.weights : undefined;
    const weights = values.map((value, i) => (String(value) === option ? weight : (before?.[i] ?? 1)));
    domains.set(name, { kind: 'values', values, weights });
  }
}
