import { z } from 'zod';
import { unknownName } from '../common/closest.ts';
import { invalid } from '../common/errors.ts';
import { numberIfItIsOne } from '../common/numbers.ts';
import { recordOf } from '../common/records.ts';
import {
  flagOf,
  GROUPS,
  SETTING_NAMES,
  type SettingName,
  type StudySettings,
  studySchema,
  WITHOUT_FLAG,
} from '../study/spec.ts';

/** What a flag shows and checks of its setting, as the JSON Schema of the settings describes it. */
export interface Described {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly group?: keyof typeof GROUPS;
}

const { properties = {} } = z.toJSONSchema(studySchema, { io: 'input' });

export const DESCRIBED: Readonly<Record<SettingName, Described>> = recordOf(SETTING_NAMES, (name) => {
  const found = properties[name];
  if (typeof found !== 'object') return {};
  const { type, description, default: preset, enum: words, group } = found;
  return {
    ...(typeof type === 'string' && { type }),
    ...(description !== undefined && { description }),
    ...(preset !== undefined && { default: preset }),
    ...(words !== undefined && { enum: words.map(String) }),
    ...(isGroup(group) && { group }),
  };
});

function isGroup(name: unknown): name is keyof typeof GROUPS {
  return typeof name === 'string' && Object.hasOwn(GROUPS, name);
}

/** The command line that has these settings, those aside that are the schema's defaults anyway. */
export function commandOf(command: string, settings: StudySettings): string {
  const flags = Object.entries(settings).flatMap(([name, value]) => {
    const { default: preset } = DESCRIBED[name as SettingName];
    const hasFlag = !WITHOUT_FLAG.some((one) => one === name);
    return !hasFlag || value === undefined || JSON.stringify(value) === JSON.stringify(preset)
      ? []
      : [flagText(name, value)];
  });
  return ['netsmith', command, ...flags].join(' ');
}

/** `--learning-rate 0.1`, `--no-flip`: a setting as it is typed. */
export function flagText(name: string, value: unknown): string {
  if (typeof value === 'boolean') return value ? flagOf(name) : `--no-${flagOf(name).slice(2)}`;
  const text = Array.isArray(value)
    ? value.join(',')
    : value !== null && typeof value === 'object'
      ? Object.entries(value)
          .map(([key, option]) => `${key}=${option}`)
          .join(',')
      : String(value);
  return `${flagOf(name)} ${shellWord(text)}`;
}

/** The text as one word of this machine's shell, quoted where it must be. */
export function shellWord(text: string): string {
  return quoted(text, process.platform);
}

/** As a word of a POSIX shell, or of cmd.exe and PowerShell. */
export function quoted(text: string, platform: NodeJS.Platform): string {
  if (platform === 'win32') return /^[\w.,=/:\\-]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
  return /^[\w.,=/:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** `cells=1,channels=16,flip=true`. Throws UserError for text that is not a pair, and for a repeated name. */
export function parsePairs(text: string, place: string): Record<string, number | string | boolean> {
  const pairs = new Map<string, number | string | boolean>();
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    if (at < 1) throw invalid(place, `"${part}"`, 'must be name=value pairs, separated by commas');
    const [name, value] = [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    if (pairs.has(name)) throw invalid(place, `"${name}" twice`, 'each option can be given only once');
    // As a key of a plain object it would be lost on the way.
    if (name === '__proto__') throw unknownName(`${place}: unknown option`, name, []);
    pairs.set(name, value === 'true' ? true : value === 'false' ? false : numberIfItIsOne(value));
  }
  return Object.fromEntries(pairs);
}
