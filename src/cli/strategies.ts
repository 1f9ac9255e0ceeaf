import type { Command } from 'commander';
import { ALL_STRATEGIES, objectivesOf } from '../app/strategies.ts';
import { unknownName } from '../common/closest.ts';
import type { OptionRule } from '../common/option-rules.ts';
import { optionsTable, presetsText } from '../terminal/options-table.ts';
import { table } from '../terminal/output.ts';
import { define, outputOf, type Shell } from './command.ts';

/** `netsmith strategies [NAME]`: [{ name, description, objectives, options: [{ name, type, default, min?, max?, above?, below?, words? }] }] */
export function addStrategies(program: Command, shell: Shell): void {
  define(program, 'strategies [name]', 'List the search strategies, or the options of one', [
    'netsmith strategies',
    'netsmith strategies aging-evolution',
  ]).action((name: string | undefined, _options: unknown, command: Command) => {
    const all = Object.values(ALL_STRATEGIES);
    const chosen = name === undefined ? all : all.filter((strategy) => strategy.name === name);
    if (name !== undefined && chosen.length === 0)
      throw unknownName('unknown strategy', name, Object.keys(ALL_STRATEGIES));
    const strategies = chosen.map(({ name, description, rules }) => ({
      name,
      description,
      objectives: objectivesOf(name),
      options: (rules?.() ?? []).map((rule) => ({ ...rule })),
    }));
    const [one] = strategies;
    const text =
      name === undefined || one === undefined
        ? table(
            ['name', 'objectives', 'options', 'description'],
            strategies.map((one) => [one.name, one.objectives, presetsText(one.options), one.description]),
          )
        : `${one.name}: ${one.description}\nSeveral objectives: ${one.objectives}.\n\n${optionsTable(one.options)}${wrapperNote(one.options)}`;
    outputOf(command, shell).result(strategies, text);
  });
}

function wrapperNote(rules: readonly OptionRule[]): string {
  return rules.some(({ name }) => name === 'inner')
    ? '\n\nOptions of the strategy inside begin with "inner.": inner=aging-evolution,inner.population=20'
    : '';
}
