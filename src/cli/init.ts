import { existsSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { checkNoConfig, writeConfig } from '../app/config-file.ts';
import { hint } from '../app/invocation.ts';
import { invalid } from '../common/errors.ts';
import { isWhole, parseNumber } from '../common/numbers.ts';
import { DATASETS, type DatasetEntry } from '../data/catalog.ts';
import { parseDuration } from '../study/quantities.ts';
import { flagOf, SETTING_NAMES } from '../study/spec.ts';
import { type Asker, withTerminal } from '../terminal/questions.ts';
import { define, outputOf, type Shell } from './command.ts';
import { addSettings, givenSettings } from './flags.ts';

type Given = Readonly<Record<string, unknown>>;

/** `netsmith init [FOLDER]`: { file, settings } */
export function addInit(program: Command, shell: Shell): void {
  const command = define(program, 'init [folder]', 'Write netsmith.config.json: asks a few questions, or takes flags', [
    'netsmith init',
    'netsmith init --data csv --data-dir houses.csv --label price --regression --trials 40 --yes',
  ]).option('--yes', 'ask nothing: write what the flags say', false);
  addSettings(command, SETTING_NAMES).action(
    async (folder: string | undefined, { yes }: { readonly yes: boolean }, command: Command) => {
      const output = outputOf(command, shell);
      const where = folder ?? '.';
      if (statSync(where, { throwIfNoEntry: false })?.isDirectory() === false)
        throw invalid('folder', `"${where}"`, 'is a file; it must be a folder');
      checkNoConfig(where);
      const given = givenSettings(command);
      if (!yes && process.stdin.isTTY !== true)
        throw invalid('init', 'there is no terminal to ask in', 'give the settings as flags, and --yes');
      const settings = yes ? given : await withTerminal((asker) => askSettings(given, asker));
      const { file, written } = writeConfig(where, settings, (name) => (name in given ? flagOf(name) : `"${name}"`));
      output.note(`Next: ${hint('run')}`);
      output.result({ file, settings: JSON.parse(JSON.stringify(written)) }, file);
    },
  );
}

/** Asks for the missing settings: the data, how to read them, and when the search ends. */
export async function askSettings(given: Given, asker: Asker): Promise<Given> {
  const answers: Record<string, unknown> = { ...given };
  /** Asks, unless a flag has answered. */
  const fill = async (name: string, ask: () => Promise<unknown>) => {
    if (answers[name] === undefined) answers[name] = await ask();
  };
  const isControl = given.environment !== undefined;
  if (!isControl)
    await fill('data', () =>
      asker.choose(
        'What data is the network for?',
        Object.entries<DatasetEntry>(DATASETS).map(([name, { description }]) => [name, description]),
      ),
    );
  const isTable = answers.data === 'csv';
  const what = isTable ? 'file' : 'folder';
  if (!isControl && answers.data !== 'digits')
    await fill('dataDir', () =>
      asker.ask(`Which ${what}?`, (path) => (existsSync(path) ? undefined : `There is no ${what} "${path}".`)),
    );
  if (isTable) {
    await fill('label', () =>
      asker.ask('Which column is to be predicted?', (name) => (name === '' ? 'Its name, please.' : undefined)),
    );
    await fill('regression', async () => {
      const kinds = [
        ['class', 'one of a few names or codes'],
        ['number', 'a quantity'],
      ] as const;
      return (await asker.choose('What is in that column?', kinds)) === 'number';
    });
  }
  if (answers.data === 'image-folder')
    await fill('imageSize', async () => {
      const rule = (text: string) =>
        isWhole(parseNumber(text), 4, 4096) ? undefined : 'A whole number from 4 to 4,096, please.';
      return parseNumber(await asker.ask('To how many pixels a side should images be resized?', rule, '64'));
    });
  if (answers.time === undefined && answers.trials === undefined) {
    const isTrials = (text: string) => isWhole(parseNumber(text), 1, 10_000_000);
    const rule = (text: string) =>
      isTrials(text) || parseDuration(text) !== undefined ? undefined : 'Such as 40, 30m or 2h, please.';
    const budget = await asker.ask(
      'When should the search end? (after 40 trials: 40; after a time: 30m, 2h)',
      rule,
      '30m',
    );
    Object.assign(answers, isTrials(budget) ? { trials: parseNumber(budget) } : { time: budget });
  }
  return answers;
}
