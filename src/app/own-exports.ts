/** What files of the user's own export: loads one, and finds in it what `defineStrategy`, `defineDataset` and the like have made. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { invalid, messageOf, UserError } from '../common/errors.ts';
import type { Environment } from '../control/environment.ts';
import type { DataRequest, Dataset } from '../data/dataset.ts';
import { openOwnDataset } from '../data/open.node.ts';
import type { DatasetDefinition } from '../data/own.ts';
import type { EstimatorDefinition } from '../estimate/own.ts';
import type { MeasureDefinition } from '../measure/own.ts';
import type { SearchSpace } from '../space/search-space.ts';
import type { StrategyDefinition } from '../strategy/index.ts';
import type { Strategy } from '../strategy/strategy.ts';
import type { Judge } from '../study/own-function.ts';
import type { LossDefinition, MetricDefinition } from '../task/own.ts';

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

/** The data set that a file exports, made by `defineDataset`. Throws UserError. */
export function ownDataset(path: string): Promise<DatasetDefinition> {
  return exportOf(path, '--data', 'defineDataset', isDataset);
}

/** The environment that a file exports, made by `defineEnvironment`. Throws UserError. */
export function ownEnvironment(path: string): Promise<Environment> {
  return exportOf(path, '--environment', 'defineEnvironment', isEnvironment);
}

/** The loss that a file exports, made by `defineLoss`. Throws UserError. */
export function ownLoss(path: string): Promise<LossDefinition> {
  return exportOf(path, '--loss', 'defineLoss', isLoss);
}

/** The measures that a file exports, made by `defineMeasure`, by name. Throws UserError. */
export function ownMeasures(path: string): Promise<Readonly<Record<string, MeasureDefinition>>> {
  return allOf(path, '--measure', 'defineMeasure', isMeasure);
}

/** The metrics that a file exports, made by `defineMetric`, by name. Throws UserError. */
export function ownMetrics(path: string): Promise<Readonly<Record<string, MetricDefinition>>> {
  return allOf(path, '--metric', 'defineMetric', isMetric);
}

/** Opens the data set that a file exports. Throws UserError, with the line in the file where its own code fails. */
export async function openOwnData(path: string, request: DataRequest): Promise<Dataset> {
  const definition = await ownDataset(path);
  try {
    return await openOwnDataset(definition, request);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`--data: "${basename(path)}"${lineIn(path, error)}: ${messageOf(error).trim()}`, {
      cause: error,
    });
  }
}

/** `, line 12`: where in the file an error, or what caused it, was thrown; nothing where that is not known. */
export function lineIn(path: string, error: unknown): string {
  let deepest = '';
  for (let one = error; one instanceof Error; one = one.cause) {
    const { stack = '' } = one;
    const at = [pathToFileURL(path).href, path].map((name) => stack.indexOf(`${name}:`)).find((found) => found >= 0);
    const line = at === undefined ? undefined : /:(\d+)/.exec(stack.slice(at + path.length))?.[1];
    if (line !== undefined) deepest = `, line ${line}`;
  }
  return deepest;
}

/** The function that a file exports to judge candidates. Throws UserError. */
export function ownJudge(path: string): Promise<Judge> {
  const isFunction = (value: unknown): value is Judge => typeof value === 'function';
  return exportOf(path, 'optimize', 'default: a function of a trial', isFunction);
}

/**
 * The space of this name that the module with the function exports, too: the space of the study is code, which worker processes need.
 * Throws UserError.
 */
export async function ownSpaceBeside(path: string | undefined, name: string): Promise<SearchSpace> {
  if (path === undefined) throw new Error(`space "${name}" is code, and no file was given`);
  const spaces = Object.values(await importOf(path, 'optimize')).filter(isSearchSpace);
  const found = spaces.find((space) => space.name === name);
  if (found === undefined)
    throw invalid(
      'optimize',
      `"${path}" exports no space "${name}"`,
      "worker processes need the study's space: the module must export it beside its default function",
    );
  return found;
}

/** In place of a study's own strategy where nothing is searched: `evaluate` and `export` need none. */
export function absentStrategy(path: string): Strategy {
  const refuse = (): never => {
    throw new UserError(`--strategy: the file "${path}" must be named on the command line`);
  };
  return { name: path, init: () => null, ask: async () => refuse(), tell: async () => refuse() };
}

async function importOf(path: string, flag: string): Promise<object> {
  if (!existsSync(path)) throw invalid(flag, `"${path}"`, 'there is no such file');
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    throw new UserError(`${flag}: "${path}" cannot be loaded; ${messageOf(error).trim()}`);
  }
}

/** The default export if it is one, else the only one. */
async function exportOf<T>(
  path: string,
  flag: string,
  maker: string,
  isOne: (value: unknown) => value is T,
): Promise<T> {
  const exported = await importOf(path, flag);
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

/** All of a kind that a file exports, by name; an array of them counts, too. */
async function allOf<T extends { readonly name: string }>(
  path: string,
  flag: string,
  maker: string,
  isOne: (value: unknown) => value is T,
): Promise<Readonly<Record<string, T>>> {
  const exported: unknown[] = Object.values(await importOf(path, flag)).flat();
  const found = [...new Set(exported.filter(isOne))];
  if (found.length === 0) throw invalid(flag, `"${path}" exports none`, `must export one made by ${maker}, or several`);
  const twice = found.find(({ name }, i) => found.findIndex((one) => one.name === name) < i);
  if (twice !== undefined) throw invalid(flag, `"${path}" exports "${twice.name}" twice`, 'each needs its own name');
  return Object.fromEntries(found.map((one) => [one.name, one]));
}

function has(value: unknown, ...methods: readonly string[]): boolean {
  return (
    value !== null &&
    typeof value === 'object' &&
    typeof Reflect.get(value, 'name') === 'string' &&
    methods.every((name) => typeof Reflect.get(value, name) === 'function')
  );
}

const SPACE_METHODS = ['sample', 'check', 'mutate', 'crossover', 'format', 'parse'] as const;

/** Whether it has what every `SearchSpace` has. */
export function isSearchSpace(value: unknown): value is SearchSpace {
  return has(value, ...SPACE_METHODS);
}

function isStrategy(value: unknown): value is StrategyDefinition | Strategy {
  return has(value, 'create') || has(value, 'init', 'ask', 'tell');
}

function isDataset(value: unknown): value is DatasetDefinition {
  return has(value, 'open') && typeof Reflect.get(Object(value), 'kind') === 'string';
}

function isEnvironment(value: unknown): value is Environment {
  return has(value, 'open') && ['observation', 'action', 'maxSteps'].every((name) => Reflect.has(Object(value), name));
}

function isLoss(value: unknown): value is LossDefinition {
  return has(value, 'of') && Reflect.get(Object(value), 'direction') === undefined;
}

function isMeasure(value: unknown): value is MeasureDefinition {
  return has(value, 'of') && typeof Reflect.get(Object(value), 'direction') === 'string';
}

function isMetric(value: unknown): value is MetricDefinition {
  return has(value, 'scorer') && typeof Reflect.get(Object(value), 'direction') === 'string';
}

function isEstimator(value: unknown): value is EstimatorDefinition {
  return has(value, 'open', 'checkOptions');
}
