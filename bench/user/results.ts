/** The file of results: a JSON line for each contest that ended, so that an interrupted bench loses none. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Contest } from './contestants.ts';

/** What one contest came to. */
export interface Row {
  readonly task: string;
  readonly contestant: string;
  readonly seed: number;
  /** Of the whole command, by the clock on the wall. */
  readonly seconds: number;
  readonly metric: string;
  /** On the test file, a fraction; null where the contestant left no result. */
  readonly test: number | null;
  readonly params: number | null;
  readonly peakMiB: number;
  /** Whether `test` is that of an exported model. */
  readonly exported: boolean;
  /** The time that the contestant was told. */
  readonly budget: number;
  /** Of processor time: below `seconds` where other work had the core. */
  readonly cpuSeconds: number;
  /** Why there is no result, or that it took far too long. */
  readonly reason?: string;
}

/** What tells contests apart. */
export const keyOf = ({ task, contestant, seed, budget }: Pick<Row, 'task' | 'contestant' | 'seed' | 'budget'>) =>
  [task, contestant, seed, budget].join('|');

export const keyOfContest = ({ task, contestant, seed, budget }: Contest) =>
  keyOf({ task: task.name, contestant: contestant.name, seed, budget });

/** The rows of a file of results; a last line that was cut off is none. */
export function readResults(file: string): readonly Row[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Row);
}

/** Begins a file with these rows. */
export function writeResults(file: string, rows: readonly Row[]): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

export function appendResult(file: string, row: Row): void {
  appendFileSync(file, `${JSON.stringify(row)}\n`);
}
