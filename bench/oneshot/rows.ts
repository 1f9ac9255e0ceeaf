/** The file of results: a JSON line for each search that ended. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** What one search came to. */
export interface SearchRow {
  readonly method: string;
  readonly seed: number;
  readonly minutes: number;
  /** What was set in place of the settings of the bench; empty: nothing. */
  readonly changed: string;
  readonly epochs: number;
  readonly seconds: number;
  /** The cell, as NAS-Bench-201 writes it, and its accuracies, fractions. */
  readonly architecture: string;
  readonly accuracy: number;
  readonly others: Readonly<Record<string, number>>;
  /** How many architectures were measured with shared weights. */
  readonly architectures: number;
  /** Rank correlations with the table over the fixed random cells; null: the method measures none. */
  readonly kendall: number | null;
  readonly kendallAbove92: number | null;
  /** The middle 95 % of `kendall` over bootstrap samples of the cells. */
  readonly kendallInterval?: readonly [low: number, high: number] | null;
  /** Of the architecture of the moment, epoch by epoch. */
  readonly course: readonly number[];
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
