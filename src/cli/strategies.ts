import type { Command } from 'commander';
import { unknownName } from '../common/closest.ts';
import { showLimit } from '../common/rules.ts';
import { type OptionRule, STRATEGIES, type StrategyDefinition } from '../strategy/index.ts';
import { table } from '../terminal/output.ts';
import { define, outputOf, type Shell } from './command.ts';

/** `netsmith strategies [NAME]`: [{ name, description, options: [{ name, type, default, min?, max?, above?, below?, words? }] }] */
export function addStrategies(program: Command, shell: Shell): void {
  define(program, 'strategies [name]', 'List the search strategies, or the options of one', [
    'netsmith strategies',
    'netsmith strategies aging-evolution',
  ]).action((name: string | undefined, _options: unknown, command: Command) => {
    const all = Object.values<StrategyDefinition>(STRATEGIES);
    const chosen = name === undefined ? all : all.filter((strategy) => strategy.name === name);
    if (name !== undefined && chosen.length === 0) throw unknownName('unknown strategy', name, Object.keys(STRATEGIES));
    const strategies = chosen.map(({ name, description, rules }) => ({
      name,
      description,
      options: (rules?.() ?? []).map((rule) => ({ ...rule })),
    }));
    const [one] = strategies;
    const text =
      name === undefined || one === undefined
        ? table(
            ['name', 'options', 'description'],
            strategies.map(({ name, options, description }) => [
              name,
              options.map((rule) => `${rule.name}=${rule.default}`).join(','),
              description,
            ]),
          )
        : `${one.name}: ${one.description}\n\n${optionsTable(one.options)}`;
    outputOf(command, shell).result(strategies, text);
  });
}

function optionsTable(rules: readonly OptionRule[]): string {
  if (rules.length === 0) return 'It has no options.';
  const listed = table(
    ['option', 'default', 'value'],
    rules.map((rule) => [rule.name, String(rule.default), rangeText(rule)]),
  );
  const isWrapper = rules.some(({ name }) => name === 'inner');
  return isWrapper
    ? `${listed}\n\nOptions of the strategy inside begin with "inner.": inner=aging-evolution,inner.population=20`
    : listed;
}

/** `whole number from 1 to 100,000`, `number above 0 and below 1`, `ei or ucb` */
function rangeText({ type, min, max, above, below, multipleOf, words }: OptionRule): string {
  if (type === 'boolean') return 'true or false';
  if (type === 'word') return words === undefined ? 'name of a strategy' : words.join(' or ');
  const lower = above === undefined ? `from ${showLimit(min)}` : `above ${showLimit(above)}`;
  const upper = below === undefined ? `to ${showLimit(max)}` : `and below ${showLimit(below)}`;
  const multiple = multipleOf === undefined ? '' : `, a multiple of ${multipleOf}`;
  return `${type === 'integer' ? 'whole number' : 'number'} ${lower} ${upper}${multiple}`;
}
