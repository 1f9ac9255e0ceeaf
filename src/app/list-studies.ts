import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { invalid, messageOf } from '../common/errors.ts';
import { isHeld } from '../study/store/lock.node.ts';
import { bestTrials } from './best.ts';
import { isFinished } from './report.ts';
import { readStudy } from './study.ts';

/** Folders below the given one in which studies are looked for. */
const DEPTH = 6;

/** A study as a list shows it. */
export interface ListedStudy {
  /** Its folder. */
  readonly study: string;
  readonly state: 'running' | 'finished' | 'unfinished' | 'damaged';
  readonly trials?: number;
  /** The best value of the first objective; null if no trial is complete. */
  readonly best?: { readonly metric: string; readonly value: number } | null;
  readonly createdAt?: string;
  readonly lastAt?: string;
  readonly error?: string;
}

/**
 * The studies in a folder and the folders below it, the latest first; one that cannot be read is there with its error. Throws UserError
 * where there is no such folder.
 */
export async function listStudies(folder: string): Promise<readonly ListedStudy[]> {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw invalid('folder', `"${folder}"`, 'there is no such folder');
  const listed: ListedStudy[] = [];
  for (const dir of studiesIn(folder, DEPTH)) listed.push(await describe(dir));
  return listed.sort((a, b) => (b.lastAt ?? '').localeCompare(a.lastAt ?? '') || a.study.localeCompare(b.study));
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

async function describe(dir: string): Promise<ListedStudy> {
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
