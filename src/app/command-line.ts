import { z } from 'zod';
import { flagOf, type GROUPS, type SettingName, type StudySettings, studySchema } from '../study/spec.ts';

/** What a flag needs to know of a setting; read from the schema's own JSON Schema, so that there is one list. */
export interface Described {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly group?: keyof typeof GROUPS;
}

export const DESCRIBED = z.toJSONSchema(studySchema, { io: 'input' }).properties as unknown as Readonly<
  Record<SettingName, Described>
>;

/** The command line that has these settings, those aside that are the schema's defaults anyway. */
export function commandOf(command: string, settings: StudySettings): string {
  const flags = Object.entries(settings).flatMap(([name, value]) => {
    const { default: preset } = DESCRIBED[name as SettingName];
    return value === undefined || JSON.stringify(value) === JSON.stringify(preset) ? [] : [flagText(name, value)];
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
