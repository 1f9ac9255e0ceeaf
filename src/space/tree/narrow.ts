/** Domains of which some values are taken away. */
import type { DecisionValue, Domain } from '../space.ts';
import { domainSize, firstValue, nextValue, nodesOf, parseValue } from './domain.ts';

/** An option of one decision or of several, as `--require`, `--forbid` and `--prefer` name it. */
export interface Named {
  readonly text: string;
  /** Undefined: whichever decision has it. */
  readonly decision: string | undefined;
  /** The value as text. */
  readonly option: string;
}

/** Most values of a range that becomes a list. */
export const MOST_LISTED = 1000;

/** Whether it is one of a list of words: what may be named without its decision. */
export const hasWord = (domain: Domain, option: string): boolean =>
  domain.kind === 'values' && domain.values.some((value) => value === option);

/** Of chosen inputs, an option is one of the nodes. */
export function isOption(domain: Domain, option: string): boolean {
  if (domain.kind === 'inputs') return nodesOf(domain).some((node) => String(node) === option);
  return parseValue(domain, option) !== undefined;
}

/** The values of a list or of a short range of whole numbers; undefined for other ranges. */
export function listed(
  domain: Exclude<Domain, { kind: 'inputs' }>,
): readonly (number | string | boolean)[] | undefined {
  if (domain.kind === 'values') return domain.values;
  if (domain.kind === 'float' || (domainSize(domain) ?? 0n) > MOST_LISTED) return undefined;
  const values: number[] = [];
  let value: DecisionValue | undefined = firstValue(domain);
  for (; value !== undefined; value = nextValue(domain, value)) values.push(Number(value));
  return values;
}

/** The domain without an option, of inputs without a node; it may be left without values. Undefined for a range that has no list. */
export function without(domain: Domain, option: string): Domain | undefined {
  if (domain.kind === 'inputs') return { ...domain, among: nodesOf(domain).filter((node) => String(node) !== option) };
  const values = listed(domain)?.filter((value) => String(value) !== option);
  return values && { kind: 'values', values };
}
