import { resolve } from 'node:path';
import { invalid } from '../../common/errors.ts';
import { createStrategy } from '../../strategy/index.ts';
import { ESTIMATORS, isOwnFile, type StudySettings } from '../../study/spec.ts';
import { parsePairs } from '../flags.ts';

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
 * `tpe,aging-evolution:population=50:sample=10`: strategies by name, options after colons. Random search comes first, also where it is not
 * named. Throws UserError for an unknown strategy or option, and for one that is named twice.
 */
export function parseStrategies(text: string): readonly NamedStrategy[] {
  const named = parseNamed('--strategies', text).map(({ name, word, options }) => {
    // A file is loaded, and its options checked, where its settings are.
    if (isOwnFile(word)) return { name, strategy: resolve(word), options };
    createStrategy(word, options);
    return { name, strategy: word, options };
  });
  return [RANDOM, ...named.filter(({ name }) => name !== RANDOM.name)];
}

/**
 * `train,proxies:batchSize=32`: estimators likewise. Throws UserError for an unknown estimator, and for one that is named twice; its options
 * are checked with the settings that they become part of.
 */
export function parseEstimators(text: string): readonly NamedEstimator[] {
  return parseNamed('--estimators', text).map(({ name, word, options }) => {
    const estimator = isOwnFile(word) ? resolve(word) : ESTIMATORS.find((one) => one === word);
    if (estimator === undefined) throw invalid('--estimators', `"${word}"`, `must be one of ${ESTIMATORS.join(', ')}`);
    return { name, estimator, options };
  });
}

function parseNamed(flag: string, text: string) {
  const named = text.split(',').map((part) => {
    const [word = '', ...pairs] = part.trim().split(':');
    if (pairs.some((pair) => pair.indexOf('=') < 1))
      throw invalid(flag, `"${part}"`, 'must be NAME or NAME:option=value:option=value');
    return { name: part.trim(), word, options: pairs.length === 0 ? {} : parsePairs(pairs.join(','), flag) };
  });
  const twice = named.find(({ name }, i) => named.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined) throw invalid(flag, `"${twice.name}" twice`, 'must name each once');
  return named;
}
