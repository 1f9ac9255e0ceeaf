/** What settings are made of: their type, the heading of --help that they stand under, and their help text. */
import { z } from 'zod';
import { showLimit } from '../common/rules.ts';

/** Headings of --help. */
export const GROUPS = {
  data: 'Data:',
  control: 'Control:',
  search: 'Search:',
  training: 'Training:',
  machine: 'Machine:',
  device: 'Latency on a device:',
} as const;

type Group = keyof typeof GROUPS;

export const say = <T extends z.ZodType>(type: T, group: Group, description: string) =>
  type.meta({ group, description });

export const whole = (least: number, most = Number.MAX_SAFE_INTEGER) => {
  const rule = `must be a whole number from ${least} to ${showLimit(most)}`;
  return z.int(rule).min(least, rule).max(most, rule);
};

export const optionValue = z.union([z.number(), z.boolean(), z.string()], {
  error: 'must be a number, a word, true or false',
});
