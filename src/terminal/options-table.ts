import type { OptionRule } from '../common/option-rules.ts';
import { showLimit } from '../common/rules.ts';
import { table } from './output.ts';

/** `initial=10,gamma=0.1` */
export function presetsText(rules: readonly OptionRule[]): string {
  return rules.map((rule) => `${rule.name}=${rule.default}`).join(',');
}

/** The options of a strategy or space, one a line: name, default, and what it may be. */
export function optionsTable(rules: readonly OptionRule[]): string {
  if (rules.length === 0) return 'It has no options.';
  return table(
    ['option', 'default', 'value'],
    rules.map((rule) => [rule.name, String(rule.default), rangeText(rule)]),
  );
}

/** `whole number from 1 to 100,000`, `number above 0 and below 1`, `ei or ucb` */
function rangeText({ name, type, min, max, above, below, multipleOf, words }: OptionRule): string {
  if (type === 'boolean') return 'true or false';
  if (type === 'word') return words?.join(' or ') ?? (name === 'inner' ? 'name of a strategy' : 'text');
  const lower = limitText('above', above) ?? limitText('at least', min);
  const upper = limitText('below', below) ?? limitText('at most', max);
  const isRange = above === undefined && below === undefined && lower !== undefined && upper !== undefined;
  const limits = isRange ? [`from ${showLimit(min)} to ${showLimit(max)}`] : [lower, upper];
  const multiple = multipleOf === undefined ? '' : `, a multiple of ${multipleOf}`;
  const found = limits.filter((text) => text !== undefined).join(' and ');
  return `${type === 'integer' ? 'whole number' : 'number'} ${found}${multiple}`.trim();
}

/** Options of a user's own may lack a limit; whole numbers without one have the largest of JavaScript, which says nothing. */
function limitText(word: string, limit: number | undefined): string | undefined {
  return limit === undefined || Math.abs(limit) >= Number.MAX_SAFE_INTEGER ? undefined : `${word} ${showLimit(limit)}`;
}
