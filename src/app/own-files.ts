import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { invalid, messageOf, UserError } from '../common/errors.ts';
import type { EstimatorDefinition } from '../estimate/own.ts';
import type { StrategyDefinition } from '../strategy/index.ts';
import type { Strategy } from '../strategy/strategy.ts';
import type { ObjectiveFunction } from '../study/own-function.ts';
import { isOwnFile, type StudySettings } from '../study/spec.ts';

/** The user's own files that this command line names, as absolute paths. A stored study names none: its files are not run. */
export interface OwnFiles {
  readonly strategy?: string;
  readonly estimator?: string;
  /** A module whose default export judges candidates in the worker processes (`optimize(file)`). */
  readonly judge?: string;
}

/** The files that a command line's own settings name. */
export function ownFilesOf({ strategy, estimator }: Pick<StudySettings, 'strategy' | 'estimator'>): OwnFiles {
  return {
    ...(isOwnFile(strategy) && { strategy: resolve(strategy) }),
    ...(isOwnFile(estimator) && { estimator: resolve(estimator) }),
  };
}

/**
 * The user's files of a study to resume, which the command line must name again. Throws UserError if it does not, or if it names a
 * file for a study that has none.
 */
export function namedAgain(place: string, settings: StudySettings, given: Readonly<Record<string, unknown>>): OwnFiles {
  const files: { strategy?: string; estimator?: string } = {};
  for (const name of ['strategy', 'estimator'] as const) {
    const [stored, file] = [settings[name], given[name]];
    if (!isOwnFile(stored)) {
      if (file !== undefined)
        throw invalid(`--${name}`, `"${file}"`, `the study's ${name} is ${stored}, and cannot be changed`);
    } else if (typeof file !== 'string' || !isOwnFile(file))
      throw invalid(
        place,
        `its ${name} is the file "${stored}"`,
        `a stored study runs no code, so name the file again: --${name} ${stored}`,
      );
    else files[name] = resolve(file);
  }
  return files;
}

/** The strategy that a file exports, made by `defineStrategy` or a strategy itself. Throws UserError. */
export async function ownStrategy(path: string, options: Readonly<Record<string, unknown>>): Promise<Strategy> {
  const found = await exportOf(path, '--strategy', 'defineStrategy', isStrategy);
  if ('create' in found) return found.create(options);
  const [option] = Object.keys(options);
  if (option !== undefined)
    throw invalid('--strategy-options', `option ${option}`, `"${path}" has none (defineStrategy gives it some)`);
  return found;
}

/** The estimator that a file exports, made by `defineEstimator`. Throws UserError. */
export function ownEstimator(path: string): Promise<EstimatorDefinition> {
  return exportOf(path, '--estimator', 'defineEstimator', isEstimator);
}

/** The function that a file exports to judge candidates. Throws UserError. */
export function ownJudge(path: string): Promise<ObjectiveFunction> {
  const isFunction = (value: unknown): value is ObjectiveFunction => typeof value === 'function';
  return exportOf(path, 'optimize', 'default: a function of a trial', isFunction);
}

/** In place of a study's own strategy where nothing is searched: `evaluate` and `export` need none. */
export function absentStrategy(path: string): Strategy {
  const refuse = (): never => {
    throw new UserError(`--strategy: the file "${path}" must be named on the command line`);
  };
  return { name: path, init: () => null, ask: async () => refuse(), tell: async () => refuse() };
}

/** The default export if it is one, else the only one. */
async function exportOf<T>(
  path: string,
  flag: string,
  maker: string,
  isOne: (value: unknown) => value is T,
): Promise<T> {
  if (!existsSync(path)) throw invalid(flag, `"${path}"`, 'there is no such file');
  let exported: object;
  try {
    exported = await import(pathToFileURL(path).href);
  } catch (error) {
    throw new UserError(`${flag}: "${path}" cannot be loaded; ${messageOf(error).trim()}`);
  }
  const preset: unknown = Reflect.get(exported, 'default');
  if (isOne(preset)) return preset;
  const [one, ...others] = new Set(Object.values(exported).filter(isOne));
  if (one === undefined || others.length > 0)
    throw invalid(
      flag,
      `"${path}" exports ${others.length === 0 ? 'none' : `${others.length + 1} of them`}`,
      `must export one made by ${maker}, or a default`,
    );
  return one;
}

function has(value: unknown, ...methods: readonly string[]): boolean {
  return (
    value !== null &&
    typeof value === 'object' &&
    typeof Reflect.get(value, 'name') === 'string' &&
    methods.every((name) => typeof Reflect.get(value, name) === 'function')
  );
}

function isStrategy(value: unknown): value is StrategyDefinition | Strategy {
  return has(value, 'create') || has(value, 'init', 'ask', 'tell');
}

function isEstimator(value: unknown): value is EstimatorDefinition {
  return has(value, 'open', 'checkOptions');
}
