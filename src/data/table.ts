/**
 * Tables as features: what `csv` and `predict` share. Needs no file; works in a browser.
 */
import { invalid } from '../common/errors.ts';
import { printable } from '../common/text.ts';
import { type Cell, isMissing, MAX_FLOAT32, numberIn, tidy } from './cells.ts';
import type { ReadColumn } from './columns.ts';
import type { ColumnEncoding, TableEncoding } from './dataset.ts';
import { readDate } from './dates.ts';
import { columnNotes, type Notes } from './notes.ts';
import { thousands } from './split.ts';
import { areTexts, shown } from './text-table.ts';

/** The category of missing values: no present value is the empty text. */
export const MISSING_CATEGORY = '';
/** Categories of one column with their own feature; rarer ones share one. */
const MOST_CATEGORIES = 100;
/** Different texts that are categories even where hardly one comes twice: what a table of a few rows has. */
const FEW_TEXTS = 5;
const ROW_NUMBER_NAME = /^(index|row|nr|no|number|#|unnamed: 0)$/i;
/** Values this many deviations from 0 keep too few digits in 32-bit floats: an offset is subtracted. */
const FAR_FROM_ZERO = 1000;
/** Below this, a deviation cannot be divided by in 32-bit floats. */
const LEAST_DEVIATION = 1e-37;

/**
 * How columns become features, fitted on the rows `train` alone: the median replaces a missing number or date, and the
 * categories are those met there (missing among them, where it is met). Columns that carry nothing (without a value, always the
 * same, a row number, an identifier, a text that differs in almost every row) are left out, and the notes say so.
 */
export function fitEncoding(
  columns: readonly ReadColumn[],
  label: string,
  train: ArrayLike<number>,
  notes: Notes = columnNotes(),
): TableEncoding {
  const kept: ColumnEncoding[] = [];
  for (const column of columns) {
    const fitted = column.kind === 'text' ? fitText(column, train, notes) : fitNumber(column, train, notes);
    if (typeof fitted === 'string') notes.add(column.name, `left out, ${fitted}`);
    else kept.push(fitted);
  }
  return { columns: kept, label };
}

/** The encoded column, or why it is left out. */
function fitNumber(
  column: Exclude<ReadColumn, { readonly kind: 'text' }>,
  train: ArrayLike<number>,
  notes: Notes,
): ColumnEncoding | string {
  const { name, values } = column;
  const present = picked(values, train).filter((value) => !Number.isNaN(value));
  if (present.length === 0) return 'no value in the training rows';
  const { least, most, deviation } = spreadOf(present);
  const missing = median(present);
  const own = column.markers.length > 0 ? { markers: column.markers } : {};
  if (least === most && present.length === train.length) return 'the same value in all training rows';
  // Whether it is there at all can tell something.
  if (least === most) return { name, kind: 'category', categories: [MISSING_CATEGORY] };
  if (least !== most && deviation < LEAST_DEVIATION) return 'its values differ too little for 32-bit floats';
  if (column.kind === 'date') {
    const { format, timed } = column;
    const offset = format === 'time' ? 0 : Math.floor(least);
    return { name, kind: 'date', format, missing, offset, ...(timed && format !== 'time' && { timed }), ...own };
  }
  const counted = values.every((value, row) => value === (values[0] ?? Number.NaN) + row);
  if (counted && (ROW_NUMBER_NAME.test(name) || isIdName(name))) return 'it only counts the rows';
  if (isIdName(name) && values.every(Number.isInteger) && new Set(values).size === values.length) {
    return 'an identifier, by its name and its unique whole numbers';
  }
  if (counted && values.length > 2) notes.add(name, 'looks like a row number; remove it if it is one');
  const offset = offsetOf(present);
  return { name, kind: 'number', missing, ...(offset !== undefined && { offset }), ...column.notation, ...own };
}

function isIdName(name: string): boolean {
  return /[a-z]I[Dd]$/.test(name) || /(^|[ _.-])(id|uuid|guid)$/i.test(name);
}

function fitText(
  { name, cells }: Extract<ReadColumn, { readonly kind: 'text' }>,
  train: ArrayLike<number>,
  notes: Notes,
): ColumnEncoding | string {
  const rows = picked(cells, train);
  const counts = new Map<string, number>();
  for (const cell of rows) if (cell !== '') counts.set(cell, (counts.get(cell) ?? 0) + 1);
  if (counts.size === 0) return 'no value in the training rows';
  const present = rows.filter((cell) => cell !== '').length;
  const missing = present < rows.length ? [MISSING_CATEGORY] : [];
  if (counts.size === 1 && missing.length === 0) return 'the same value in all training rows';
  if (counts.size > present / 2 && counts.size > FEW_TEXTS) {
    if (areTexts(rows)) return 'text that differs in almost every row (to classify such texts: --text)';
    if (missing.length === 0) return 'text that differs in almost every row';
    notes.add(name, 'text that differs in almost every row; only used as present or missing');
    return { name, kind: 'category', categories: missing };
  }
  const byCount = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([text]) => text);
  const other = counts.size > MOST_CATEGORIES;
  if (other) {
    const found = `${thousands(counts.size)} categories, of which the ${MOST_CATEGORIES} most frequent are kept apart`;
    notes.add(name, `${found}; all others share one feature`);
  }
  const categories = byCount.slice(0, MOST_CATEGORIES).sort();
  return { name, kind: 'category', categories: [...categories, ...missing], ...(other && { other }) };
}

/** The number of features. */
export function featureCount(encoding: Pick<TableEncoding, 'columns'>): number {
  return encoding.columns.reduce((sum, column) => sum + widthOf(column), 0);
}

/**
 * The features of one row, given by column name; further columns do not matter. A missing number or date becomes the median, a
 * missing category its own category, an unknown category that of the rest, or all zeros where there is none.
 * Throws UserError when a column is absent from the row, or when the cell of a number or date holds something else.
 */
export function encodeRow(encoding: TableEncoding, row: Readonly<Record<string, Cell>>): Float32Array {
  const features = new Float32Array(featureCount(encoding));
  let at = 0;
  for (const column of encoding.columns) {
    if (!Object.hasOwn(row, column.name)) {
      const needed = encoding.columns.map(({ name }) => printable(name)).join(', ');
      throw invalid('table row', `there is no column "${printable(column.name)}"`, `the columns needed are ${needed}`);
    }
    encodeCell(column, row[column.name], features, at);
    at += widthOf(column);
  }
  return features;
}

/** The features of all rows, one after another; `columns` are looked up by name. */
export function encodeColumns(encoding: TableEncoding, columns: readonly ReadColumn[], rows: number): Float32Array {
  const width = featureCount(encoding);
  const features = new Float32Array(rows * width);
  let at = 0;
  for (const column of encoding.columns) {
    const read = columns.find(({ name }) => name === column.name);
    for (let row = 0; row < rows; row++) {
      const start = row * width + at;
      if (column.kind === 'category') encodeCategory(column, read?.cells[row], features, start);
      else encodeNumber(column, (read?.kind === 'text' ? undefined : read?.values[row]) ?? Number.NaN, features, start);
    }
    at += widthOf(column);
  }
  return features;
}

function widthOf(column: ColumnEncoding): number {
  switch (column.kind) {
    case 'number':
      return 1;
    case 'date':
      return column.timed ? 2 : 1;
    case 'category':
      return column.categories.length + (column.other ? 1 : 0);
  }
}

function encodeCell(column: ColumnEncoding, cell: Cell, features: Float32Array, at: number): void {
  if (column.kind === 'category') {
    encodeCategory(column, cell, features, at);
    return;
  }
  const value =
    isMissing(cell) || column.markers?.includes(tidy(String(cell)))
      ? Number.NaN
      : column.kind === 'date'
        ? dateCell(column, cell)
        : numberCell(column, cell);
  if (value === undefined) {
    const rule =
      column.kind === 'date'
        ? `it must be a date like those of the training (${column.format})`
        : 'it must be a number';
    throw refusedCell(column.name, cell, `${rule}, or missing`);
  }
  if (Math.abs(value - (column.offset ?? 0)) > MAX_FLOAT32) {
    throw refusedCell(column.name, cell, `a 32-bit float holds at most ${MAX_FLOAT32.toPrecision(2)}`);
  }
  encodeNumber(column, value, features, at);
}

function refusedCell(name: string, cell: Cell, rule: string): Error {
  return invalid(`table row, column "${printable(name)}"`, `the value is ${shown(String(cell))}`, rule);
}

/** As the training's numbers were written, or else with a decimal point or comma where only one of them makes it a number. */
function numberCell(column: Extract<ColumnEncoding, { readonly kind: 'number' }>, cell: Cell): number | undefined {
  const { unit } = column;
  const plain = { ...(unit !== undefined && { unit }) };
  return numberIn(cell, column) ?? numberIn(cell, plain) ?? numberIn(cell, { ...plain, decimal: ',' });
}

function dateCell({ format }: Extract<ColumnEncoding, { readonly kind: 'date' }>, cell: Cell): number | undefined {
  const text = tidy(String(cell));
  return (readDate(text, format) ?? (format === 'time' ? undefined : readDate(text, 'ymd')))?.days;
}

/** `value` is NaN where it is missing. */
function encodeNumber(
  column: Exclude<ColumnEncoding, { readonly kind: 'category' }>,
  value: number,
  features: Float32Array,
  at: number,
): void {
  const present = Number.isNaN(value) ? column.missing : value;
  features[at] = present - (column.offset ?? 0);
  if (column.kind === 'date' && column.timed) features[at + 1] = present - Math.floor(present);
}

function encodeCategory(
  { categories, other }: Extract<ColumnEncoding, { readonly kind: 'category' }>,
  cell: Cell,
  features: Float32Array,
  at: number,
): void {
  const text = cell === null || cell === undefined || Number.isNaN(cell) ? MISSING_CATEGORY : tidy(String(cell));
  let category = categories.indexOf(text);
  // A marker that the training did not have as its own category.
  if (category < 0 && isMissing(text)) category = categories.indexOf(MISSING_CATEGORY);
  if (category < 0 && other) category = categories.length;
  if (category >= 0) features[at + category] = 1;
}

function picked<T>(cells: ArrayLike<T>, rows: ArrayLike<number>): T[] {
  return Array.from({ length: rows.length }, (_, k) => cells[rows[k] ?? Number.NaN] as T);
}

/** In two passes, so that a large mean does not swallow a small deviation. */
export function spreadOf(values: ArrayLike<number>): {
  readonly least: number;
  readonly most: number;
  readonly deviation: number;
} {
  let [least, most, sum] = [Infinity, -Infinity, 0];
  const first = values[0] ?? 0;
  for (let k = 0; k < values.length; k++) {
    const value = values[k] ?? Number.NaN;
    least = Math.min(least, value);
    most = Math.max(most, value);
    sum += value - first;
  }
  const mean = first + sum / values.length;
  let square = 0;
  for (let k = 0; k < values.length; k++) square += ((values[k] ?? Number.NaN) - mean) ** 2;
  return { least, most, deviation: Math.sqrt(square / values.length) };
}

/** What is subtracted from values that lie far from 0 beside their deviation; undefined where nothing needs to be. */
export function offsetOf(values: ArrayLike<number>): number | undefined {
  const { least, most, deviation } = spreadOf(values);
  const far = Math.max(Math.abs(least), Math.abs(most)) > FAR_FROM_ZERO * deviation;
  return far && least !== most ? median(values) : undefined;
}

function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
