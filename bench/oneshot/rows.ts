/** The file of results: a JSON line for each search that ended. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** What one search came to, without the table: it is looked up when rows are read. */
export interface SearchRow {
  readonly method: string;
  readonly seed: number;
  readonly minutes: number;
  /** What was set in place of the settings of the bench; empty: nothing. */
  readonly changed: string;
  readonly epochs: number;
  readonly seconds: number;
  /** The cell, as NAS-Bench-201 writes it. */
  readonly architecture: string;
  /** The cell of the moment, epoch by epoch; empty where a method has none. */
  readonly course: readonly string[];
  /** How many architectures were measured with shared weights. */
  readonly architectures: number;
  /** Accuracies of the fixed random cells with shared weights, fractions; empty where a method measures none. */
  readonly shared: readonly number[];
}

/** The rows of a file; a last line that was cut off is none. */
export function readRows(file: string): readonly SearchRow[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as SearchRow);
}

export function appendRow(file: string, row: SearchRow): void {
  appendFileSync(file, `${JSON.stringify(row)}\n`);
}
