import { resolve } from 'node:path';
import { invalid } from '../../common/errors.ts';
import type { StrategyChoice } from '../../strategy/index.ts';
import { ESTIMATORS, isOwnFile, type StudySettings } from '../../study/spec.ts';
import { parsePairs } from '../command-line.ts';
import { strategyNamed } from '../strategies.ts';

type Options = Readonly<Record<string, number | string | boolean>>;

/** A strategy with its options, and what a comparison calls it. */
export interface NamedStrategy {
  readonly name: string;
  readonly strategy: string;
  readonly options: Options;
}

/** An estimator likewise. */
export interface NamedEstimator {
  readonly name: string;
  readonly estimator: StudySettings['estimator'];
  readonly options: Options;
}

export const RANDOM: NamedStrategy = { name: 'random', strategy: 'random', options: {} };

/**
 * Strategies by name with options after colons (`aging-evolution:population=50:sample=10`), by the path of a file, or with their options
 * (`tpe({ gamma: 0.15 })`). Random search comes first, also where it is not named. Throws UserError for an unknown strategy or option, and
 * for one that is named twice.
 */
export function namedStrategies(given: readonly (string | StrategyChoice)[]): readonly NamedStrategy[] {
  const named = given.map((one) => {
    if (typeof one !== 'string') {
      strategyNamed(one.strategy, one.options);
      return { name: withOptions(one.strategy, one.options), ...one };
    }
    const { name, word, options } = parseNamed('--strategies', one);
    // A file is loaded, and its options checked, where its settings are.
    if (isOwnFile(word)) return { name, strategy: resolve(word), options };
    strategyNamed(word, options);
    return { name, strategy: word, options };
  });
  checkNamedOnce('--strategies', named);
  return [RANDOM, ...named.filter(({ name }) => name !== RANDOM.name)];
}

/**
 * `train`, `proxies:batchSize=32`: estimators likewise. Throws UserError for an unknown estimator, and for one that is named twice; its
 * options are checked with the settings that they become part of.
 */
export function namedEstimators(given: readonly string[]): readonly NamedEstimator[] {
  const named = given.map((one) => {
    const { name, word, options } = parseNamed('--estimators', one);
    const estimator = isOwnFile(word) ? resolve(word) : ESTIMATORS.find((known) => known === word);
    if (estimator === undefined) throw invalid('--estimators', `"${word}"`, `must be one of ${ESTIMATORS.join(', ')}`);
    return { name, estimator, options };
  });
  checkNamedOnce('--estimators', named);
  return named;
}

/** `tpe:gamma=0.15` */
export function withOptions(name: string, options: object): string {
  return [name, ...Object.entries(options).map(([option, value]) => `${option}=${value}`)].join(':');
}

function parseNamed(flag: string, text: string) {
  const [word = '', ...pairs] = text.trim().split(':');
  if (pairs.some((pair) => pair.indexOf('=') < 1))
    throw invalid(flag, `"${text}"`, 'must be NAME or NAME:option=value:option=value');
  return { name: text.trim(), word, options: pairs.length === 0 ? {} : parsePairs(pairs.join(','), flag) };
}

/** Throws UserError where two have the same name. */
export function checkNamedOnce(place: string, named: readonly { readonly name: string }[]): void {
  const twice = named.find(({ name }, i) => named.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined) throw invalid(place, `"${twice.name}" twice`, 'must name each once');
}
