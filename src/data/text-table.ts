/** A file's columns as text, with what is needed to judge a column and to name a cell. */
import { printable } from '../common/text.ts';
import { isMissing } from './cells.ts';
import { thousands } from './split.ts';

/** A column of a file, as text. */
export interface TextColumn {
  readonly name: string;
  readonly cells: readonly string[];
}

/** Columns of a file, with what is needed to name a cell in an error. */
export interface TextTable {
  /** The place that errors name: `csv file "x.csv"`. */
  readonly place: string;
  readonly columns: readonly TextColumn[];
  readonly rows: number;
  /** The line of the file on which each row ends. */
  readonly lines: readonly number[];
  readonly delimiter: string;
  /** What the file's other numbers have, where one could be read either way; undefined where none tells. */
  readonly decimal: '.' | ',' | undefined;
}

/** Distinct cells that are not missing, and how often each stands there. */
export type Counts = ReadonlyMap<string, number>;

/** Different numbers from which on a column is one of numbers although some of its cells are not. */
const MANY_NUMBERS = 20;
/** Different texts among numbers that can be unusual markers of a missing value. */
const OWN_MARKERS = 3;
export const ODD_SHARE = 0.1;

/** Markers that are there, without the empty cell. */
export function countCells(cells: readonly string[]): {
  readonly present: Counts;
  readonly markers: readonly string[];
} {
  const present = new Map<string, number>();
  const markers = new Set<string>();
  for (const cell of cells) {
    const count = present.get(cell);
    if (count !== undefined) present.set(cell, count + 1);
    else if (cell === '' || markers.has(cell)) continue;
    else if (isMissing(cell)) markers.add(cell);
    else present.set(cell, 1);
  }
  return { present, markers: [...markers] };
}

export function total(counts: Counts): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
/** Whether some of a column's cells differ enough to say what the column holds. */
export function areMany(different: number, rows: number): boolean {
  return different > Math.min(MANY_NUMBERS, rows / 2);
}

/** Whether cells that do not fit are few, or always the same: markers of a missing value. */
export function areFew(odd: readonly (readonly [string, number])[], rows: number): boolean {
  return odd.length <= OWN_MARKERS || odd.reduce((sum, [, n]) => sum + n, 0) <= ODD_SHARE * rows;
}

/** `csv file "x.csv", line 7, column "price"` */
export function cellPlace({ place, lines }: TextTable, name: string, row: number): string {
  return `${place}, line ${thousands(lines[row] ?? 0)}, column "${printable(name)}"`;
}

/** A cell as shown in messages, shortened. */
export function shown(cell: string | undefined): string {
  const text = cell ?? '';
  return `"${printable(text.length > 40 ? `${text.slice(0, 40)}...` : text)}"`;
}

/** Words of a cell from which on a column that differs in almost every row is one of texts, on average. */
const MANY_WORDS = 3;

/** Whether cells are texts that somebody wrote, rather than names, addresses or categories: more than half differ, and they have several words. */
export function areTexts(cells: readonly string[]): boolean {
  const present = cells.filter((cell) => cell !== '');
  if (new Set(present).size * 2 <= present.length) return false;
  const words = present.reduce((sum, cell) => sum + cell.split(/\s+/).length, 0);
  return words >= MANY_WORDS * present.length && present.length > 0;
}
