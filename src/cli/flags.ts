import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { DESCRIBED, parsePairs } from '../app/command-line.ts';
import { CONFIG_FILES, readConfig } from '../app/config-file.ts';
import { ownFilesOf } from '../app/own-files.ts';
import { invalid } from '../common/errors.ts';

import { numberIfItIsOne } from '../common/numbers.ts';
import {
  checkSettings,
  FUNCTION,
  flagOf,
  GROUPS,
  isOwnFile,
  LIBRARY_ONLY,
  type SettingName,
  type StudySettings,
  studySchema,
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
  for (const name of names.filter((one) => !LIBRARY_ONLY.includes(one))) {
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
        add(flagOf(name), description + shown);
        break;
      case 'integer':
      case 'number':
        add(`${flagOf(name)} <n>`, description + shown, numberIfItIsOne);
        break;
      case 'array':
        add(`${flagOf(name)} <${PLACEHOLDERS[name] ?? 'a,b'}>`, description + shown, (text, before) => [
          // What may be given several times adds up; the last of the others counts.
          ...(name === 'until' && Array.isArray(before) ? before : []),
          ...text.split(',').map((part) => part.trim()),
        ]);
        break;
      case 'object':
        add(`${flagOf(name)} <k=v,...>`, description, (text, before) => {
          const pairs = parsePairs(text, flagOf(name));
          if (name !== 'limit' || before === null || typeof before !== 'object') return pairs;
          const twice = Object.keys(pairs).find((key) => Object.hasOwn(before, key));
          if (twice !== undefined) throw invalid(flagOf(name), `"${twice}" twice`, 'each measure has one limit');
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

/** The flag of a command that runs the data set of a study that is there. */
export function addOwnData(command: Command): Command {
  return command.option('--data <file>', 'the file of a study with your own data set, which must be named again');
}

const PLACEHOLDERS: Partial<Record<SettingName, string>> = {
  data: 'name|file',
  benchmark: 'name',
  dataDir: 'path',
  testData: 'file',
  label: 'column',
  space: 'name|file',
  strategy: 'name|file',
  estimator: 'train|proxies|predictor|file',
  time: 'duration',
  until: 'metric=value,...',
  memory: 'size',
};

/** The settings that the person gave as flags, and no others. */
export function givenSettings(command: Command): Readonly<Record<string, unknown>> {
  const options: Readonly<Record<string, unknown>> = command.opts();
  const given = Object.keys(studySchema.shape).filter((name) => command.getOptionValueSource(name) === 'cli');
  return Object.fromEntries(given.map((name) => [name, options[name]]));
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
  const flags = givenSettings(command);
  const place = (setting: string) =>
    file === undefined || setting in flags ? flagOf(setting) : `${basename(file)}: "${setting}"`;
  const settings = checkSettings({ ...presets({ ...fromFile, ...flags }), ...fromFile, ...flags }, place);
  if (settings.estimator === FUNCTION)
    throw invalid(
      place('estimator'),
      `"${FUNCTION}"`,
      'is for programs that use Netsmith as a library: optimize(function)',
    );
  return {
    ...settings,
    ...(settings.dataDir === undefined ? {} : { dataDir: resolve(settings.dataDir) }),
    ...(settings.testData === undefined ? {} : { testData: resolve(settings.testData) }),
    ...(isOwnFile(settings.space) ? { space: resolve(settings.space) } : {}),
    ...ownFilesOf(settings),
  };
}
