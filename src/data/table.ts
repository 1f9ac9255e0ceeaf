/**
 * Tables as features: what `csv` and `predict` share. Needs no file; works in a browser.
 */
import { invalid } from '../common/errors.ts';
import type { TableEncoding } from './dataset.ts';
import { thousands } from './split.ts';

/** A column of a file, as text. */
export interface TextColumn {
  readonly name: string;
  readonly cells: readonly string[];
}

export type Cell = string | number | null | undefined;
type EncodedColumn = TableEncoding['columns'][number];

/** Cells that say that a value is missing. */
const MISSING: ReadonlySet<string> = new Set(['', '?', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL']);
/** The category of missing values: no present value is the empty text. */
export const MISSING_CATEGORY = '';
/** Categories of one column; the rarer ones beyond them encode as zeros, like unknown ones. */
const MOST_CATEGORIES = 100;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const ROW_NUMBER_NAME = /(^|[ _])id$|^(index|row|nr|no|number|#|unnamed: 0)$/i;

export function isMissing(cell: Cell): boolean {
  return cell === undefined || cell === null || MISSING.has(String(cell).trim());
}

/** The finite decimal number that a cell holds, if it does. */
export function numberIn(cell: Cell): number | undefined {
  const text = String(cell ?? '').trim();
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** Whether there are values and all of them are numbers; missing ones aside. */
export function isNumeric(column: TextColumn): boolean {
  const present = column.cells.filter((cell) => !isMissing(cell));
  return present.length > 0 && present.every((cell) => numberIn(cell) !== undefined);
}

/**
 * How columns become features, fitted on the rows `train` alone: the median stands for a missing number, and the
 * categories are those met there (missing among them, where it is met). Whether a column is numeric is taken from all its
 * cells. Columns that carry nothing (without a value, a row number, a text that differs in almost every row) are left out,
 * and the notes say so.
 */
export function fitEncoding(
  columns: readonly TextColumn[],
  label: string,
  train: ArrayLike<number>,
): { readonly encoding: TableEncoding; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const kept: EncodedColumn[] = [];
  for (const column of columns) {
    const fitted = isNumeric(column) ? fitNumber(column, train) : fitCategory(column, train, notes);
    if (typeof fitted === 'string') notes.push(`Column "${column.name}" is left out: ${fitted}.`);
    else kept.push(fitted);
  }
  return { encoding: { columns: kept, label }, notes };
}

/** The encoded column, or why it is left out. */
function fitNumber({ name, cells }: TextColumn, train: ArrayLike<number>): EncodedColumn | string {
  const first = numberIn(cells[0]) ?? Number.NaN;
  if (ROW_NUMBER_NAME.test(name) && cells.every((cell, row) => numberIn(cell) === first + row))
    return 'it numbers the rows';
  const values = picked(cells, train).flatMap((cell) => numberIn(cell) ?? []);
  if (values.length === 0) return 'the training rows have no value in it';
  return { name, kind: 'number', missing: median(values) };
}

function fitCategory({ name, cells }: TextColumn, train: ArrayLike<number>, notes: string[]): EncodedColumn | string {
  const rows = picked(cells, train);
  const counts = new Map<string, number>();
  for (const cell of rows) if (!isMissing(cell)) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  if (counts.size === 0) return 'the training rows have no value in it';
  if (counts.size > MOST_CATEGORIES && counts.size > rows.length / 2) {
    return `it is text that differs in almost every row (${thousands(counts.size)} values in ${thousands(rows.length)} rows)`;
  }
  const byCount = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([text]) => text);
  if (counts.size > MOST_CATEGORIES) {
    notes.push(
      `Column "${name}" has ${thousands(counts.size)} categories; the ${MOST_CATEGORIES} most frequent are told apart.`,
    );
  }
  const categories = byCount.slice(0, MOST_CATEGORIES).sort();
  const missing = rows.some(isMissing) ? [MISSING_CATEGORY] : [];
  return { name, kind: 'category', categories: [...categories, ...missing] };
}

/** The number of features: one for a number, one for each category. */
export function featureCount(encoding: TableEncoding): number {
  return encoding.columns.reduce((sum, column) => sum + widthOf(column), 0);
}

/**
 * The features of one row, given by column name; further columns do not matter. A missing number becomes the median, a
 * missing category its own category, an unknown category all zeros.
 * Throws UserError when a column is absent from the row, or when a number's cell holds something else.
 */
export function encodeRow(encoding: TableEncoding, row: Readonly<Record<string, Cell>>): Float32Array {
  const features = new Float32Array(featureCount(encoding));
  let at = 0;
  for (const column of encoding.columns) {
    if (!Object.hasOwn(row, column.name)) {
      const needed = encoding.columns.map(({ name }) => name).join(', ');
      throw invalid('table row', `there is no column "${column.name}"`, `the columns needed are ${needed}`);
    }
    encodeCell(column, row[column.name], features, at);
    at += widthOf(column);
  }
  return features;
}

/** The features of all rows, one after another; the cells of `columns` are looked up by name. */
export function encodeColumns(encoding: TableEncoding, columns: readonly TextColumn[], rows: number): Float32Array {
  const width = featureCount(encoding);
  const features = new Float32Array(rows * width);
  let at = 0;
  for (const column of encoding.columns) {
    const cells = columns.find(({ name }) => name === column.name)?.cells ?? [];
    for (let row = 0; row < rows; row++) encodeCell(column, cells[row], features, row * width + at);
    at += widthOf(column);
  }
  return features;
}

function widthOf(column: EncodedColumn): number {
  return column.kind === 'number' ? 1 : column.categories.length;
}

function encodeCell(column: EncodedColumn, cell: Cell, features: Float32Array, at: number): void {
  switch (column.kind) {
    case 'number': {
      const value = isMissing(cell) ? column.missing : numberIn(cell);
      if (value === undefined) {
        throw invalid(`table row, column "${column.name}"`, `the value is "${cell}"`, 'it must be a number or missing');
      }
      features[at] = value;
      return;
    }
    case 'category': {
      const category = column.categories.indexOf(isMissing(cell) ? MISSING_CATEGORY : String(cell).trim());
      if (category >= 0) features[at + category] = 1;
      return;
    }
  }
}

function picked(cells: readonly string[], rows: ArrayLike<number>): string[] {
  return Array.from({ length: rows.length }, (_, k) => cells[rows[k] as number] as string);
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
