import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { listStudies } from '../app/list-studies.ts';
import { showMetric } from '../report/numbers.ts';
import { table } from '../terminal/output.ts';
import { define, outputOf, type Shell } from './command.ts';

/** `netsmith ls [FOLDER]`: [{ study, state, trials?, best?, createdAt?, lastAt?, error? }] */
export function addLs(program: Command, shell: Shell): void {
  define(program, 'ls [folder]', 'List the studies in a folder and the folders below it, the latest first', [
    'netsmith ls',
    'netsmith ls experiments --json',
  ]).action(async (folder: string | undefined, _options: unknown, command: Command) => {
    const output = outputOf(command, shell);
    const where = folder ?? 'runs';
    // Before the first search there is no `runs`.
    const listed = folder === undefined && !existsSync(where) ? [] : await listStudies(where);
    const rows = listed.map(({ study, state, trials, best, lastAt, error }) => [
      study,
      state,
      trials === undefined ? '–' : String(trials),
      error ?? (best == null ? '–' : `${best.metric} ${showMetric(best.metric, best.value)}`),
      lastAt === undefined ? '–' : lastAt.slice(0, 16).replace('T', ' '),
    ]);
    const text =
      rows.length === 0
        ? `There are no studies in ${where}.`
        : table(['study', 'state', 'trials', 'best', 'when (UTC)'], rows);
    output.result(listed, text);
  });
}
