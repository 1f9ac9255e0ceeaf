/** What can be done with the values of one decision. */
import type { Rng } from '../../common/random.ts';
import type { DecisionValue, Domain } from '../space.ts';

export function equalValues(a: DecisionValue, b: DecisionValue): boolean {
  return Array.isArray(a) && Array.isArray(b) ? a.length === b.length && a.every((v, i) => v === b[i]) : a === b;
}

export function sameDomain(a: Domain, b: Domain): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** How many values; undefined for a continuous range. */
export function domainSize(domain: Domain): bigint | undefined {
  switch (domain.kind) {
    case 'values':
      return BigInt(domain.values.length);
    case 'int':
      return BigInt(domain.max) - BigInt(domain.min) + 1n;
    case 'float':
      return undefined;
    case 'inputs':
      return binomial(nodesOf(domain).length, domain.count);
    default:
      return domain satisfies never;
  }
}

/** The nodes that may be read, rising. */
export const nodesOf = ({ among, from }: Extract<Domain, { kind: 'inputs' }>): readonly number[] => among ?? upTo(from);

function binomial(n: number, k: number): bigint {
  let result = 1n;
  for (let i = 1; i <= k; i++) result = (result * BigInt(n - k + i)) / BigInt(i);
  return result;
}

/** For error messages: `one of 3, 5, 7`. */
export function describeDomain(domain: Domain): string {
  switch (domain.kind) {
    case 'values':
      return `one of ${domain.values.join(', ')}`;
    case 'int':
      return `a whole number from ${domain.min} to ${domain.max}`;
    case 'float':
      return `a number from ${domain.min} to ${domain.max}`;
    case 'inputs':
      return domain.among === undefined
        ? `${domain.count} different numbers from 0 to ${domain.from - 1}, rising`
        : `${domain.count} of the numbers ${domain.among.join(', ')}, rising`;
    default:
      return domain satisfies never;
  }
}

export function inDomain(domain: Domain, value: unknown): value is DecisionValue {
  switch (domain.kind) {
    case 'values':
      return domain.values.some((one) => one === value);
    case 'int':
      return Number.isSafeInteger(value) && isBetween(domain, value as number);
    case 'float':
      return Number.isFinite(value) && isBetween(domain, value as number);
    case 'inputs':
      return (
        Array.isArray(value) &&
        value.length === domain.count &&
        value.every((v, i) => Number.isInteger(v) && v >= (i === 0 ? 0 : value[i - 1] + 1) && v < domain.from) &&
        (domain.among === undefined || value.every((v) => domain.among?.includes(v)))
      );
    default:
      return domain satisfies never;
  }
}

const isBetween = ({ min, max }: { min: number; max: number }, value: number) => value >= min && value <= max;

/** A draw by the weights of a list, uniform where it has none; of a range, uniform on its scale. */
export function sampleValue(domain: Domain, rng: Rng): DecisionValue {
  switch (domain.kind) {
    case 'values':
      return drawn(domain.values, domain, rng);
    case 'int':
      // Each whole number covers half a unit on either side, also on the logarithmic scale.
      return domain.log
        ? clamp(domain, Math.round(between(Math.log(domain.min - 0.5), Math.log(domain.max + 0.5), rng, Math.exp)))
        : domain.min + rng.int(domain.max - domain.min + 1);
    case 'float':
      return domain.log
        ? clamp(domain, between(Math.log(domain.min), Math.log(domain.max), rng, Math.exp))
        : clamp(domain, between(domain.min, domain.max, rng));
    case 'inputs':
      return rising(rng.shuffle(nodesOf(domain)).slice(0, domain.count));
    default:
      return domain satisfies never;
  }
}

/** One of some values of a list, by their weights. */
function drawn<V extends number | string | boolean>(
  some: readonly V[],
  domain: Extract<Domain, { kind: 'values' }>,
  rng: Rng,
): V {
  if (domain.weights === undefined) return rng.pick(some);
  const weights = some.map((value) => weightOf(domain, value));
  let left = rng.float() * weights.reduce((sum, weight) => sum + weight, 0);
  const at = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return some.at(at) as V;
}

/** How often a value is drawn, by comparison with others of its domain; 1 where all are alike. */
export function weightOf(domain: Domain, value: DecisionValue): number {
  if (domain.kind !== 'values' || domain.weights === undefined) return 1;
  return domain.weights[domain.values.indexOf(value as string)] ?? 1;
}

/** The probability of a value when it is drawn from a list or from sets of inputs. */
export function shareOf(domain: Domain, value: DecisionValue): number {
  if (domain.kind !== 'values' || domain.weights === undefined) return 1 / Number(domainSize(domain) ?? 1n);
  return weightOf(domain, value) / domain.weights.reduce((sum, weight) => sum + weight, 0);
}

const between = (low: number, high: number, rng: Rng, scale = (v: number) => v) =>
  scale(low + (high - low) * rng.float());
const clamp = ({ min, max }: { min: number; max: number }, value: number) => Math.min(max, Math.max(min, value));
const upTo = (below: number) => Array.from({ length: below }, (_, i) => i);
const rising = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

/** Another value, at random: of inputs, one exchanged for another (Real et al. 2019, hidden state mutation). */
export function otherValue(domain: Domain, value: DecisionValue, rng: Rng): DecisionValue {
  if (domain.kind === 'values')
    return drawn(
      domain.values.filter((one) => one !== value),
      domain,
      rng,
    );
  if (domain.kind === 'inputs') return rng.pick(nearValues(domain, value));
  if (domain.kind === 'int' && !domain.log) {
    const drawn = domain.min + rng.int(domain.max - domain.min);
    return drawn >= Number(value) ? drawn + 1 : drawn;
  }
  // A draw equals the present value rarely, but at the end of a steep logarithmic range not that rarely.
  for (let attempt = 0; attempt < 64; attempt++) {
    const drawn = sampleValue(domain, rng);
    if (drawn !== value) return drawn;
  }
  return rng.pick(nearValues(domain, value));
}

/**
 * The values next to this one: all others of a list; inputs with one exchanged; of a range, a tenth of its scale up and
 * down (whole numbers move by at least 1), or its end.
 */
export function nearValues(domain: Domain, value: DecisionValue): readonly DecisionValue[] {
  switch (domain.kind) {
    case 'values':
      return domain.values.filter((one) => one !== value);
    case 'inputs': {
      const taken = value as readonly number[];
      const free = nodesOf(domain).filter((node) => !taken.includes(node));
      return taken.flatMap((node) => free.map((one) => rising([...taken.filter((kept) => kept !== node), one])));
    }
    case 'int':
    case 'float': {
      const from = Number(value);
      const step = (direction: number) => {
        const moved = domain.log
          ? from * (domain.max / domain.min) ** (direction / 10)
          : from + (direction * (domain.max - domain.min)) / 10;
        if (domain.kind === 'float') return clamp(domain, moved);
        return clamp(domain, direction * Math.max(direction * from + 1, direction * Math.round(moved)));
      };
      return [step(-1), step(1)].filter((one) => one !== from);
    }
    default:
      return domain satisfies never;
  }
}

/** The first value in the order of enumeration; of a continuous range, its least. */
export function firstValue(domain: Domain): DecisionValue {
  switch (domain.kind) {
    case 'values':
      return domain.values[0] as DecisionValue;
    case 'int':
    case 'float':
      return domain.min;
    case 'inputs':
      return nodesOf(domain).slice(0, domain.count);
    default:
      return domain satisfies never;
  }
}

/** The next value in the order of enumeration; undefined after the last. Not for continuous ranges. */
export function nextValue(domain: Domain, value: DecisionValue): DecisionValue | undefined {
  switch (domain.kind) {
    case 'values':
      return domain.values[domain.values.indexOf(value as string) + 1];
    case 'int':
      return Number(value) < domain.max ? Number(value) + 1 : undefined;
    case 'float':
      throw new RangeError('a continuous range has no next value');
    case 'inputs': {
      const nodes = nodesOf(domain);
      const taken = (value as readonly number[]).map((node) => nodes.indexOf(node));
      // The last input that can go up takes those after it along, as an odometer of subsets.
      for (let i = taken.length - 1; i >= 0; i--) {
        const moved = (taken[i] ?? Number.NaN) + 1;
        if (moved + (taken.length - 1 - i) < nodes.length) {
          const next = [...taken.slice(0, i), ...upTo(taken.length - i).map((k) => moved + k)];
          return next.map((at) => nodes[at] ?? Number.NaN);
        }
      }
      return undefined;
    }
    default:
      return domain satisfies never;
  }
}

/** Inputs are joined by `+`: `0+2`. */
export function formatValue(value: DecisionValue): string {
  return Array.isArray(value) ? value.join('+') : String(value);
}

/** The value that a text denotes; undefined if the domain does not contain it. */
export function parseValue(domain: Domain, text: string): DecisionValue | undefined {
  const value =
    domain.kind === 'values'
      ? domain.values.find((one) => String(one) === text)
      : domain.kind === 'inputs'
        ? text.split('+').map(toNumber)
        : toNumber(text);
  return inDomain(domain, value) ? value : undefined;
}

const toNumber = (text: string) => (text.trim() === '' ? Number.NaN : Number(text));
