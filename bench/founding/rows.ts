/** The file of results: a JSON line for each step that ended. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Form } from './form.ts';

/** What each row says. */
interface Step {
  readonly form: Form;
  readonly method: string;
  readonly seed: number;
  /** Of the whole command, by the clock on the wall. */
  readonly seconds: number;
  /** Processor seconds of all of its processes. */
  readonly cpuSeconds: number;
  /** Why there is no result. */
  readonly reason?: string;
}

/** What networks are trained on. */
export type Data = 'cifar-10' | 'eurosat';

/** A search. */
export interface SearchRow extends Step {
  readonly step: 'search';
  readonly data: Data;
  readonly peakMiB: number;
  /** It was stopped and continued: `cpuSeconds` and `peakMiB` are those of the last process alone. */
  readonly resumed?: true;
  /** Trained, or measured with shared weights. */
  readonly trials: number;
  /** In the notation of the space; null: none was found. */
  readonly text: string | null;
}

type Scores = Readonly<Partial<Record<'accuracy' | 'precision' | 'recall' | 'f1', number>>>;

/** A training from scratch, with its only look at the test split at its end. */
export interface TrainRow extends Step {
  readonly step: 'train';
  readonly data: Data;
  /** What the architecture was found on; of a hand-designed network, `data`. */
  readonly found: Data;
  readonly params: number;
  readonly flops: number;
  readonly architecture: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** Of the same weights: those of the last epoch. */
  readonly valid: Scores;
  readonly test: Scores;
}

/** The exported network, one image at a time. */
export interface InferenceRow extends Step {
  readonly step: 'inference';
  readonly milliseconds: number;
  readonly mebibytes: number;
}

/** A new search on the table of another data set. */
export interface TableRow extends Step {
  readonly step: 'table';
  readonly data: 'cifar-100' | 'imagenet16-120';
  readonly text: string | null;
}

export type Row = SearchRow | TrainRow | InferenceRow | TableRow;

/** What tells steps of one form apart. */
export function keyOf(
  row: Pick<Row, 'step' | 'method' | 'seed'> & { readonly data?: string; readonly found?: string },
): string {
  return [row.step, row.method, row.seed, row.data ?? '', row.found ?? ''].join('|');
}

export const isOfForm = (row: Row, form: Form): boolean => JSON.stringify(row.form) === JSON.stringify(form);

/** The rows of a file; a last line that was cut off is none. */
export function readRows(file: string): readonly Row[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Row);
}

/** Begins a file with these rows. */
export function writeRows(file: string, rows: readonly Row[]): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

export function appendRow(file: string, row: Row): void {
  appendFileSync(file, `${JSON.stringify(row)}\n`);
}
