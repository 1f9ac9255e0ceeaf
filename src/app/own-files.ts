import { resolve } from 'node:path';
import { invalid } from '../common/errors.ts';
import { FUNCTION, isOwnFile, type SettingName, type StudySettings } from '../study/spec.ts';

/** The user's own files that this command line names, as absolute paths. A stored study names none: its files are not run. */
export interface OwnFiles {
  readonly data?: string;
  /** A file, or the command of a process. */
  readonly environment?: string;
  readonly strategy?: string;
  readonly estimator?: string;
  readonly measure?: string;
  readonly loss?: string;
  readonly metric?: string;
  /** No file, but run as one: the command that times networks on a device. */
  readonly deviceCommand?: string;
  /** A module whose default export judges candidates in the worker processes (`optimize(file)`). */
  readonly judge?: string;
}

/** The files that a command line's own settings name. */
export function ownFilesOf(settings: Pick<StudySettings, OwnFileName | 'deviceCommand'>): OwnFiles {
  const { deviceCommand } = settings;
  const files = Object.fromEntries(
    OWN_FILES.flatMap((name) => {
      const file = settings[name];
      return file !== undefined && isOwnFileOf(name, file) ? [[name, placeOf(name, file)] as const] : [];
    }),
  );
  return { ...files, ...(deviceCommand !== undefined && { deviceCommand }) };
}

/** Settings that are paths of data and of a study: stored as absolute ones, and changeable, since files move. */
export const DATA_PATHS = ['dataDir', 'validData', 'testData', 'initFrom'] as const satisfies readonly SettingName[];

/** Those of the settings, each as `path` makes it. */
export function pathsOf(
  settings: Readonly<Partial<Record<(typeof DATA_PATHS)[number], unknown>>>,
  path: (text: string) => string,
): Partial<Record<(typeof DATA_PATHS)[number], string>> {
  return Object.fromEntries(
    DATA_PATHS.flatMap((name) => {
      const given = settings[name];
      return typeof given === 'string' ? [[name, path(given)] as const] : [];
    }),
  );
}

/** Whether the text of `--environment` is a command: it has a space, or is the path of a program. */
export function isEnvironmentCommand(text: string): boolean {
  return /\s/.test(text.trim()) || (/[\\/]/.test(text) && !isOwnFile(text));
}

/** Whether the value of such a setting is code of the user's own: a file, or the command of an environment. */
export function isOwnFileOf(name: OwnFileName, value: string): boolean {
  return isOwnFile(value) || (name === 'environment' && isEnvironmentCommand(value));
}

const placeOf = (name: OwnFileName, value: string) =>
  name === 'environment' && isEnvironmentCommand(value) ? value : resolve(value);

/** What a command line on a study must name again: `--data FILE`, as words. */
export function againWords(settings: StudySettings, names: readonly OwnFileName[] = TRAINING_FILES): readonly string[] {
  const files = names.flatMap((name) => {
    const file = settings[name];
    return file !== undefined && isOwnFileOf(name, file) ? [`--${name}`, file] : [];
  });
  // What only trains measures no latencies.
  const { deviceCommand } = settings;
  const isSearch = names.includes('measure') && deviceCommand !== undefined;
  return isSearch ? [...files, '--device-command', deviceCommand] : files;
}

/** The files that a training needs, of a search or a final one. */
export const TRAINING_FILES = ['data', 'environment', 'loss', 'metric'] as const satisfies readonly (keyof OwnFiles)[];

export const OWN_FILES = [
  ...TRAINING_FILES,
  ...(['strategy', 'estimator', 'measure'] as const),
] as const satisfies readonly (keyof OwnFiles)[];

export type OwnFileName = (typeof OWN_FILES)[number];

const CALLED: Readonly<Record<OwnFileName, string>> = {
  data: 'data set',
  environment: 'environment',
  loss: 'loss',
  metric: 'metric',
  strategy: 'strategy',
  estimator: 'estimator',
  measure: 'measure',
};

/**
 * The files that the trainings of a study need, for what trains but does not search: `evaluate` and `export` need no strategy. `without`:
 * what a program gives. Throws UserError as `namedAgain`.
 */
export function trainingNamedAgain(
  place: string,
  settings: StudySettings,
  given: Readonly<Record<string, unknown>>,
  without: readonly OwnFileName[] = [],
): OwnFiles {
  return namedAgain(
    place,
    settings,
    given,
    TRAINING_FILES.filter((name) => !without.includes(name)),
  );
}

/** Those of the files that a training needs. */
export function trainingFiles(own: OwnFiles): OwnFiles {
  return Object.fromEntries(TRAINING_FILES.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]])));
}

/** Whether a study has code of this name that no file gave: a file may give it from here on. */
function isCode(settings: StudySettings, name: OwnFileName): boolean {
  if (name === 'loss') return settings.loss === FUNCTION;
  return (
    (name === 'measure' && settings.measures !== undefined) || (name === 'metric' && settings.metrics !== undefined)
  );
}

/**
 * The user's files of a study to resume, which the command line must name again. Throws UserError if it does not, or if it names a
 * file for a study that has none.
 */
export function namedAgain(
  place: string,
  settings: StudySettings,
  given: Readonly<Record<string, unknown>>,
  needed: readonly OwnFileName[] = OWN_FILES,
): OwnFiles {
  const files: { [name in OwnFileName]?: string } = {};
  for (const name of needed) {
    const [stored, file] = [settings[name], given[name]];
    if (stored === undefined || !isOwnFileOf(name, stored)) {
      if (file === undefined) continue;
      if (!isCode(settings, name) || typeof file !== 'string' || !isOwnFile(file)) {
        const is = stored === undefined ? 'none of your own' : stored;
        throw invalid(`--${name}`, `"${file}"`, `the study's ${CALLED[name]} is ${is}, and cannot be changed`);
      }
      files[name] = resolve(file);
    } else if (typeof file !== 'string' || !isOwnFileOf(name, file)) {
      const what = isEnvironmentCommand(stored) ? 'command' : 'file';
      throw invalid(
        place,
        `its ${CALLED[name]} is the ${what} "${stored}"`,
        `a stored study runs no code, so name the ${what} again: --${name} ${what === 'file' ? stored : `"${stored}"`}`,
      );
    } else files[name] = placeOf(name, file);
  }
  return files;
}
