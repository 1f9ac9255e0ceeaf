import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { DESCRIBED, parsePairs } from '../app/command-line.ts';
import { CONFIG_FILES, readConfig } from '../app/config-file.ts';
import { dataOf } from '../app/data-argument.ts';
import { namesOf } from '../app/own-code.ts';
import { ownFilesOf, pathsOf } from '../app/own-files.ts';
import { invalid } from '../common/errors.ts';

import { numberIfItIsOne } from '../common/numbers.ts';
import {
  checkSettings,
  FUNCTION,
  flagOf,
  GROUPS,
  isOwnFile,
  type SettingName,
  type StudySettings,
  studySchema,
  WITHOUT_FLAG,
} from '../study/spec.ts';

/**
 * Gives a command a flag for each of these settings. The schema's defaults are only named in the help text; `presets` are
 * the command's own defaults, in words.
 */
export function addSettings(
  command: Command,
  names: readonly SettingName[],
  presets: Readonly<Partial<Record<SettingName, string>>> = {},
): Command {
  for (const name of names.filter((one) => !WITHOUT_FLAG.includes(one))) {
    const { type, group, enum: words, ...described } = DESCRIBED[name];
    const { description: text = '' } = described;
    const description = presets[name] === undefined ? text : text.replace(/ \(default[^)]*\)/, '');
    const preset = presets[name] ?? DESCRIBED[name].default;
    const shown = typeof preset === 'object' || preset === undefined || preset === false ? '' : ` (default: ${preset})`;
    const heading = group === undefined ? 'Options:' : GROUPS[group];
    const add = (flags: string, text: string, parse?: (text: string, before: unknown) => unknown) => {
      const option = new Option(flags, text).helpGroup(heading);
      command.addOption(parse === undefined ? option : option.argParser(parse));
    };
    switch (type) {
      case 'boolean':
        if (preset === true) add(`--no-${flagOf(name).slice(2)}`, `turn off: ${description}`);
        if (preset === undefined) add(`--no-${flagOf(name).slice(2)}`, `the opposite of ${flagOf(name)}`);
        add(flagOf(name), description + shown);
        break;
      case 'integer':
      case 'number':
        add(`${flagOf(name)} <n>`, description + shown, numberIfItIsOne);
        break;
      case 'array':
        add(`${flagOf(name)} <${PLACEHOLDERS[name] ?? 'a,b'}>`, description + shown, (text, before) => [
          ...(ADDED.includes(name) && Array.isArray(before) ? before : []),
          ...text.split(',').map((part) => part.trim()),
        ]);
        break;
      case 'object':
        add(`${flagOf(name)} <k=v,...>`, description, (text, before) => {
          const pairs = parsePairs(text, flagOf(name));
          if (!ADDED.includes(name) || before === null || typeof before !== 'object') return pairs;
          const twice = Object.keys(pairs).find((key) => Object.hasOwn(before, key));
          if (twice !== undefined) throw invalid(flagOf(name), `"${twice}" twice`, 'each has one value');
          return { ...before, ...pairs };
        });
        break;
      default:
        add(`${flagOf(name)} <${words?.join('|') ?? PLACEHOLDERS[name] ?? 'n'}>`, description + shown, (text) =>
          name === 'imageChannels' ? numberIfItIsOne(text) : text,
        );
    }
  }
  return command;
}

/** The flags of a command on an existing study, whose settings are the defaults. */
export function addSettingsOfStudy(command: Command, names: readonly SettingName[]): Command {
  return addSettings(command, names, Object.fromEntries(names.map((name) => [name, 'as in the study'])));
}

/** The flags of a command that trains networks of an existing study. */
export function addTrainingFiles(command: Command): Command {
  const again = 'needed again if the study was created with one';
  return command
    .option('--data <file>', `the file that exports your own dataset; ${again}`)
    .option('--environment <file|command>', `your own environment; ${again}`)
    .option('--loss <file>', `the file that exports your own loss; ${again}`)
    .option('--metric <file>', `the file that exports your own metrics; ${again}`);
}

/** What may be given several times adds up; the last of the others counts. */
const ADDED: readonly SettingName[] = ['until', 'limit', 'require', 'forbid', 'fix', 'prefer'];

const PLACEHOLDERS: Partial<Record<SettingName, string>> = {
  data: 'name|file',
  environment: 'name|file|command',
  benchmark: 'name',
  dataDir: 'path',
  validData: 'file',
  testData: 'file',
  initFrom: 'dir',
  label: 'column',
  space: 'name|file',
  strategy: 'name|file',
  estimator: 'train|proxies|predictor|file',
  measure: 'file',
  loss: 'file',
  metric: 'file',
  time: 'duration',
  trialTime: 'duration',
  until: 'metric=value,...',
  memory: 'size',
};

/** `--config FILE`, once: of two files it would not be clear which one counts. */
export function configOption(): Option {
  return new Option(
    '--config <file>',
    'file with settings (default: netsmith.config.ts, .js or .json, if it exists)',
  ).argParser((file: string, before: unknown) => {
    if (before !== undefined)
      throw invalid('--config', 'given twice', 'must be one file; only `compare` takes several, and compares them');
    return file;
  });
}

/** Only the settings that were given as flags. */
export function givenSettings(command: Command): Readonly<Record<string, unknown>> {
  const options: Readonly<Record<string, unknown>> = command.opts();
  const given = Object.keys(studySchema.shape).filter((name) => command.getOptionValueSource(name) === 'cli');
  return Object.fromEntries(given.map((name) => [name, options[name]]));
}

/** The argument that says which data a command is about. */
export const DATA = [
  '[data]',
  'name of a dataset, folder of images, texts or tables, CSV file, or .ts or .js file that exports a dataset; short for --data and --data-dir',
] as const;

/** What the first argument of a command says of the data. Throws UserError where flags say it, too. */
function givenData(command: Command): Partial<StudySettings> {
  const [argument] = command.args;
  if (argument === undefined || command.registeredArguments[0]?.name() !== 'data') return {};
  const twice = (['data', 'dataDir'] as const).find((name) => command.getOptionValueSource(name) === 'cli');
  if (twice !== undefined)
    throw invalid(flagOf(twice), `"${command.opts()[twice]}"`, `the data are "${argument}" already`);
  return dataOf(argument);
}

/**
 * Settings from flags over those of `--config` (or a `netsmith.config.*` of the working directory) over `presets` (for these) over
 * the schema's defaults; `named`: the file, where the command has several. Paths become absolute. Throws UserError naming the flag, or the file and the setting.
 */
export async function readSettings(
  command: Command,
  presets: (given: Partial<StudySettings>) => Partial<StudySettings> = () => ({}),
  named: unknown = command.opts().config,
): Promise<StudySettings> {
  const file = typeof named === 'string' ? named : CONFIG_FILES.find((name) => existsSync(name));
  const fromFile = file === undefined ? {} : await readConfig(file);
  const flags = { ...givenData(command), ...givenSettings(command) };
  const place = (setting: string) => {
    // What is stored of a file of the user's own is called as that file is.
    const name = { measures: 'measure', metrics: 'metric' }[setting] ?? setting;
    return file === undefined || name in flags ? flagOf(name) : `${basename(file)}: "${name}"`;
  };
  const given = { ...fromFile, ...flags };
  const settings = checkSettings({ ...presets(given), ...given, ...(await namesOf(given)) }, place);
  if (settings.loss === FUNCTION)
    throw invalid(place('loss'), `"${FUNCTION}"`, 'must be a .ts or .js file that exports a loss');
  if (settings.estimator === FUNCTION)
    throw invalid(
      place('estimator'),
      `"${FUNCTION}"`,
      'is for programs that use Netsmith as a library: optimize(function)',
    );
  return {
    ...settings,
    ...pathsOf(settings, resolve),
    ...(isOwnFile(settings.space) ? { space: resolve(settings.space) } : {}),
    ...ownFilesOf(settings),
  };
}
