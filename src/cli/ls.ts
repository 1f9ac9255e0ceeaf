import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { bestTrials } from '../app/best.ts';
import { isFinished } from '../app/report.ts';
import { readStudy } from '../app/study.ts';
import { invalid, messageOf } from '../common/errors.ts';
import { showMetric } from '../report/numbers.ts';
import { isHeld } from '../study/store/lock.node.ts';
import { define, outputOf, type Shell } from './command.ts';
import { table } from './output.ts';

/** Folders below the given one in which studies are looked for. */
const DEPTH = 6;

/** `netsmith ls [FOLDER]`: [{ study, state, trials?, best?, createdAt?, lastAt?, error? }] */
export function addLs(program: Command, shell: Shell): void {
  define(program, 'ls [folder]', 'List the studies in a folder and the folders below it, the latest first', [
    'netsmith ls',
    'netsmith ls experiments --json',
  ]).action(async (folder: string | undefined, _options: unknown, command: Command) => {
    const output = outputOf(command, shell);
    const where = folder ?? 'runs';
    if (folder !== undefined && !statSync(folder, { throwIfNoEntry: false })?.isDirectory())
      throw invalid('folder', `"${folder}"`, 'there is no such folder');
    const listed = [];
    for (const dir of studiesIn(where, DEPTH)) listed.push(await describe(dir));
    listed.sort((a, b) => (b.lastAt ?? '').localeCompare(a.lastAt ?? '') || a.study.localeCompare(b.study));
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

/** The folders with a study, in the order of their names. A study's own folders and links are not looked into. */
function studiesIn(folder: string, depth: number): string[] {
  if (existsSync(join(folder, 'study.db'))) return [folder];
  if (depth === 0) return [];
  return foldersIn(folder).flatMap((name) => studiesIn(join(folder, name), depth - 1));
}

/** Folders that cannot be read have none. */
function foldersIn(folder: string): string[] {
  let entries: readonly Dirent[] = [];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
}

type Listed = {
  readonly study: string;
  readonly state: 'running' | 'finished' | 'unfinished' | 'damaged';
  readonly trials?: number;
  /** Of the first objective; null where no trial is complete. */
  readonly best?: { readonly metric: string; readonly value: number } | null;
  readonly createdAt?: string;
  readonly lastAt?: string;
  readonly error?: string;
};

async function describe(dir: string): Promise<Listed> {
  try {
    const study = await readStudy(dir);
    const { trials, record, problem } = study;
    const [best] = bestTrials(study);
    const { metric } = problem.objectives[0];
    const value = best?.metrics[metric];
    const lastAt = trials.reduce(
      (at, { startedAt = 0, endedAt = 0 }) => Math.max(at, startedAt, endedAt),
      record.createdAt,
    );
    const isAtWork = trials.some(({ state }) => state === 'running') && isHeld(dir);
    return {
      study: dir,
      state: isAtWork ? 'running' : (await isFinished(study)) ? 'finished' : 'unfinished',
      trials: trials.filter(({ purpose }) => purpose === 'search').length,
      best: value === undefined ? null : { metric, value },
      createdAt: new Date(record.createdAt).toISOString(),
      lastAt: new Date(lastAt).toISOString(),
    };
  } catch (error) {
    // One that cannot be read hides none of the others.
    return { study: dir, state: 'damaged', error: messageOf(error) };
  }
}
