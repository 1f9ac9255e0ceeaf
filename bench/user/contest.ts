/** Holds contests: writes the files, runs the contestants, one a core, and measures them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONTESTANTS, type Contest, type Ground } from './contestants.ts';
import { imageFiles, type Sources, splitOf, tableFiles } from './data.ts';
import { type Finished, runPinned } from './process.ts';
import type { Row } from './results.ts';
import { TASKS, type Task } from './tasks.ts';

export interface Plan {
  /** Names of tasks or contestants; none: all. */
  readonly only: readonly string[];
  readonly seeds: number;
  readonly peerSeeds: number;
  /** For tasks with a new division for each seed; every contestant gets all divisions. */
  readonly splits: number;
  readonly timeScale: number;
}

/** Names in `only` that are neither a task's nor a contestant's. */
export function unknownNames({ only }: Plan): readonly string[] {
  const names = [...TASKS, ...CONTESTANTS].map(({ name }) => name);
  return only.filter((name) => !names.includes(name));
}

/** All contests of a plan, a seed of all contestants before the next seed. */
export function contestsOf({ only, seeds, peerSeeds, splits, timeScale }: Plan): readonly Contest[] {
  const chosen = <T extends { readonly name: string }>(all: readonly T[]) => {
    const named = all.filter(({ name }) => only.includes(name));
    return named.length > 0 ? named : all;
  };
  return chosen(TASKS).flatMap((task) =>
    chosen(CONTESTANTS)
      .filter((contestant) => contestant.takesPart(task))
      .flatMap((contestant) => {
        const count =
          task.splits === undefined ? (contestant.by === 'run' ? seeds : peerSeeds) : Math.min(splits, task.splits);
        const budget = Math.round(task.seconds * timeScale);
        return Array.from({ length: count }, (_, seed) => ({ task, contestant, seed, budget }));
      })
      .sort((a, b) => a.seed - b.seed),
  );
}

/** What all contests share. */
export interface Venue {
  readonly sources: Sources;
  readonly python: string;
  /** Where the training and test files are written. */
  readonly folder: string;
}

/** What a contestant may take before it is killed. */
const limitOf = (budget: number) => 1.5 * budget + 60;

/** Holds a contest on a core. Whatever goes wrong is a row with the reason. */
export async function hold(contest: Contest, core: number, venue: Venue): Promise<Row> {
  const { task, contestant, seed, budget } = contest;
  const scratch = mkdtempSync(join(tmpdir(), 'netsmith-contest-'));
  const what = { task: task.name, contestant: contestant.name, seed };
  let finished: Finished | undefined;
  const measured = () => ({
    seconds: rounded(finished?.seconds ?? 0),
    metric: task.metric,
    peakMiB: Math.round(finished?.peakMiB ?? 0),
    budget,
    cpuSeconds: rounded(finished?.cpuSeconds ?? 0),
  });
  try {
    const ground: Ground = { files: await filesOf(task, seed, venue), scratch, python: venue.python, core };
    finished = await runPinned(contestant.order(contest, ground), core, limitOf(budget));
    const why = finished.isOverdue
      ? `killed after ${Math.round(finished.seconds)} s`
      : finished.code !== 0
        ? `exit code ${finished.code}: ${lastLine(finished.stderr)}`
        : undefined;
    try {
      const outcome = await contestant.outcome(contest, ground, finished.stdout);
      return { ...what, ...measured(), ...outcome, ...(why !== undefined && { reason: why }) };
    } catch (error) {
      const reason = [why, messageOf(error)].filter((text) => text !== undefined).join('; ');
      return { ...what, ...measured(), test: null, params: null, exported: false, reason };
    }
  } catch (error) {
    return { ...what, ...measured(), test: null, params: null, exported: false, reason: messageOf(error) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Writing of files that has begun, so that two contests at once do not write the same. */
const writing = new Map<string, Promise<Ground['files']>>();

function filesOf(task: Task, seed: number, { sources, folder }: Venue): Promise<Ground['files']> {
  const own = join(folder, `${task.name}-${splitOf(task, seed)}`);
  const begun = writing.get(own) ?? written(task, seed, sources, own);
  writing.set(own, begun);
  return begun;
}

async function written(task: Task, seed: number, sources: Sources, folder: string): Promise<Ground['files']> {
  return task.kind === 'images'
    ? { images: await imageFiles(task, seed, sources, folder) }
    : { table: tableFiles(task, seed, sources, folder) };
}

/** Holds contests in their order, one at a time on each core; `ended` is told of each row. */
export async function holdAll(
  contests: readonly Contest[],
  cores: readonly number[],
  venue: Venue,
  ended: (row: Row) => void,
): Promise<void> {
  const waiting = [...contests];
  const onCore = async (core: number) => {
    for (let contest = waiting.shift(); contest !== undefined; contest = waiting.shift()) {
      ended(await hold(contest, core, venue));
    }
  };
  await Promise.all(cores.map(onCore));
}

const rounded = (seconds: number) => Math.round(seconds * 10) / 10;
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? '';
