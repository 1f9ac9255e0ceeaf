import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { unknownName } from '../common/closest.ts';
import { invalid, messageOf } from '../common/errors.ts';
import { parseJson } from '../common/json.ts';
import { printable } from '../common/text.ts';
import { DATASETS, type DatasetEntry } from '../data/catalog.ts';
import { SCHEMA_FILE } from '../study/config-schema.ts';
import { checkSettings, defaultSpace, ESTIMATORS, flagOf, isOwnFile, type StudySettings } from '../study/spec.ts';
import { benchmarkNamed } from './benchmarks.ts';
import { checkEnvironmentName } from './control/environment.ts';
import { definitionNamed } from './named-space.ts';
import { DATA_PATHS } from './own-files.ts';
import { studyFolder } from './pretrained.ts';
import { strategyNamed } from './strategies.ts';
import { netsmithVersion } from './versions.ts';

type Given = Readonly<Record<string, unknown>>;

/** What the file is called, in the order in which it is looked for. */
export const CONFIG_FILES = ['netsmith.config.ts', 'netsmith.config.js', 'netsmith.config.json'];

/** The settings that a configuration file holds, not yet checked. Throws UserError for a file that is none. */
export async function readConfig(file: string): Promise<Given> {
  const path = resolve(file);
  const place = `configuration "${printable(file)}"`;
  if (!existsSync(path)) throw invalid('--config', `"${printable(file)}"`, 'the file does not exist');
  if (!statSync(path).isFile()) throw invalid(place, 'is not a file', 'it must be a .json, .ts or .js file');
  if (!/\.(json|[mc]?[tj]s)$/.test(path))
    throw invalid(place, 'has an unsupported type', 'it must be a .json, .ts or .js file');
  const value = path.endsWith('.json') ? parseJson(textOf(path, place), place) : await defaultOf(path, place);
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw invalid(place, 'does not contain an object', 'must be one object (the default export of a .ts or .js file)');
  // An editor wants `$schema`; it is no setting.
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== '$schema'));
}

function textOf(path: string, place: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    throw invalid(place, `cannot be read (${messageOf(error)})`, 'it must be UTF-8 text');
  }
}

async function defaultOf(path: string, place: string): Promise<unknown> {
  try {
    return Reflect.get(await import(pathToFileURL(path).href), 'default');
  } catch (error) {
    throw invalid(place, `cannot be loaded (${messageOf(error)})`, 'it must be a module with a default export');
  }
}

/** Throws UserError where a folder has a configuration already. */
export function checkNoConfig(folder: string): void {
  const there = CONFIG_FILES.find((name) => existsSync(join(folder, name)));
  if (there !== undefined)
    throw invalid(
      `file "${join(folder, there)}"`,
      'exists already',
      'init overwrites nothing: edit it, or delete it first',
    );
}

/**
 * Writes `netsmith.config.json` with these settings and returns its content. Throws UserError, which names the setting, for a wrong value
 * and for a file that does not exist.
 */
export function writeConfig(
  folder: string,
  settings: Given,
  place: (name: string) => string,
): { readonly file: string; readonly written: Given } {
  const complete =
    settings.data === 'csv' ? { ...settings, space: settings.space ?? defaultSpace(settings) } : settings;
  const checked = checkSettings(complete, place);
  checkNames(checked);
  checkPaths(checked);
  const written = seenFrom(folder, complete);
  const file = join(folder, 'netsmith.config.json');
  const text = JSON.stringify({ $schema: schemaFrom(folder), ...written }, null, 2);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${text}\n`, { flag: 'wx' });
  return { file, written };
}

/** Settings that are a name or a file of the user's own. */
const NAMED = ['data', 'environment', 'space', 'strategy', 'estimator'] as const;

/** Relative paths, which are those from the working directory, as they are in `folder`, where the file will be used. */
function seenFrom(folder: string, settings: Given): Given {
  const isPath = (name: string, value: unknown) =>
    typeof value === 'string' &&
    !isAbsolute(value) &&
    (DATA_PATHS.some((known) => known === name) || (NAMED.some((named) => named === name) && isOwnFile(value)));
  const seen = (path: string) => relative(folder, path).replaceAll('\\', '/');
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, isPath(name, value) ? seen(String(value)) : value]),
  );
}

/** Throws UserError for unknown names and for files that do not exist. `run` checks what depends on the data. */
function checkNames(settings: StudySettings): void {
  const { data, environment, benchmark, space, spaceOptions, strategy, strategyOptions, estimator } = settings;
  if (environment !== undefined) checkEnvironmentName(environment);
  for (const name of NAMED) {
    const given = settings[name];
    if (given !== undefined && isOwnFile(given) && !existsSync(given))
      throw invalid(flagOf(name), `"${printable(given)}"`, 'there is no such file');
  }
  if (benchmark !== undefined) benchmarkNamed(benchmark);
  else if (!isOwnFile(data) && !Object.hasOwn(DATASETS, data))
    throw unknownName('--data: unknown dataset', printable(data), Object.keys(DATASETS));
  if (!isOwnFile(space)) {
    const known = Object.keys(definitionNamed(space).defaults);
    const unknown = Object.keys(spaceOptions).find((name) => !known.includes(name));
    if (unknown !== undefined) throw unknownName(`space "${space}": unknown option`, unknown, known);
  }
  if (!isOwnFile(strategy)) strategyNamed(strategy, strategyOptions);
  if (!isOwnFile(estimator) && !ESTIMATORS.some((known) => known === estimator))
    throw unknownName('--estimator:', printable(estimator), ESTIMATORS);
}

function checkPaths({ data, dataDir, validData, testData, benchmark, initFrom }: StudySettings): void {
  const entry: DatasetEntry | undefined = (DATASETS as Readonly<Record<string, DatasetEntry>>)[data];
  if (benchmark === undefined && entry !== undefined && entry.origin.kind !== 'embedded' && dataDir === undefined)
    throw invalid('--data-dir', 'missing', `data set ${data} needs the ${data === 'csv' ? 'file' : 'folder'} it is in`);
  if (dataDir !== undefined && !existsSync(dataDir))
    throw invalid('--data-dir', `"${dataDir}"`, 'there is no such file or folder');
  for (const [name, file] of Object.entries({ validData, testData }))
    if (file !== undefined && !existsSync(file)) throw invalid(flagOf(name), `"${file}"`, 'there is no such file');
  if (initFrom !== undefined) studyFolder(initFrom);
}

/** Where Netsmith is installed in the folder or above it; else where the package is published. */
function schemaFrom(folder: string): string {
  const installed = ancestors(resolve(folder))
    .map((place) => join(place, 'node_modules', 'netsmith', SCHEMA_FILE))
    .find((file) => existsSync(file));
  if (installed !== undefined) {
    const path = relative(folder, installed).replaceAll('\\', '/');
    return path.startsWith('.') ? path : `./${path}`;
  }
  return `https://unpkg.com/netsmith@${netsmithVersion()}/${SCHEMA_FILE}`;
}

/** A folder, the one above it, and so on up to the root. */
function ancestors(folder: string): readonly string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...ancestors(above)];
}
