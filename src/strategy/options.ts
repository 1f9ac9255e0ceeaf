import { invalid } from '../common/errors.ts';
import type { Rng } from '../common/random.ts';
import type { DecisionValue, Domain } from '../space/space.ts';
import { domainSize, equalValues, firstValue, nextValue, weightOf } from '../space/tree/domain.ts';

/** A decision as a choice from a list. */
export interface OptionList {
  readonly size: number;
  /** A value of the option, at random where there are several. */
  draw(option: number, stream: Rng): DecisionValue;
  optionOf(value: DecisionValue): number;
  /** How often the option is drawn, by comparison with others, where nothing else is known. */
  weight(option: number): number;
}

/** Parts that a range of more values is cut into. */
const BINS = 10;
const MOST_OPTIONS = 1000;

/** All values of a domain in order; undefined where they are not listed and there are more than `most`. */
export function listValues(domain: Domain, most: number): readonly DecisionValue[] | undefined {
  if (domain.kind === 'values') return domain.values;
  const size = domainSize(domain);
  if (size === undefined || size > BigInt(most)) return undefined;
  const list: DecisionValue[] = [];
  let value: DecisionValue | undefined = firstValue(domain);
  for (; value !== undefined; value = nextValue(domain, value)) list.push(value);
  return list;
}

/**
 * The values of a list and the sets of inputs as they are, and whole numbers of a range of up to 10; other ranges in 10 parts of equal
 * length on their scale. Throws UserError for more than 1,000 options.
 */
export function optionsOf(name: string, domain: Domain): OptionList {
  const isRange = domain.kind === 'int' || domain.kind === 'float';
  const list = listValues(domain, isRange ? BINS : MOST_OPTIONS);
  if (list) {
    return {
      size: list.length,
      draw: (option) => list[option] as DecisionValue,
      optionOf: (value) => list.findIndex((one) => equalValues(one, value)),
      weight: (option) => weightOf(domain, list[option] as DecisionValue),
    };
  }
  if (isRange) return binsOf(domain);
  throw invalid(
    `decision "${name}"`,
    `has ${domainSize(domain)} values`,
    `a controller supports up to ${MOST_OPTIONS}`,
  );
}

function binsOf({ kind, min, max, log }: Extract<Domain, { kind: 'int' | 'float' }>): OptionList {
  // Each whole number covers half a unit on either side.
  const reach = kind === 'int' ? 0.5 : 0;
  const [to, from] = log ? [Math.log, Math.exp] : [(v: number) => v, (v: number) => v];
  const [low, high] = [to(min - reach), to(max + reach)];
  return {
    size: BINS,
    weight: () => 1,
    draw(option, stream) {
      const value = from(low + ((high - low) * (option + stream.float())) / BINS);
      return Math.min(max, Math.max(min, kind === 'int' ? Math.round(value) : value));
    },
    optionOf: (value) => Math.min(BINS - 1, Math.floor((BINS * (to(Number(value)) - low)) / (high - low))),
  };
}
