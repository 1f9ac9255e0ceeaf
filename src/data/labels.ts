/** The label of a table: a class for each row, or a number. */
import { invalid } from '../common/errors.ts';
import { printable } from '../common/text.ts';
import { isMissing, mayBeName, numberIn } from './cells.ts';
import { inClassOrder } from './class-names.ts';
import { readColumn } from './columns.ts';
import { columnNotes } from './notes.ts';
import { thousands } from './split.ts';
import { offsetOf } from './table.ts';
import { cellPlace, countCells, shown, type TextColumn, type TextTable } from './text-table.ts';

export interface Labels {
  /** The rows that have a label. */
  readonly rows: Int32Array;
  /** Class numbers, or numbers less `offset`, of these rows. */
  readonly targets: Float32Array;
  readonly names: readonly string[];
  readonly offset?: number;
  readonly notes: readonly string[];
}

/** Different numbers from which on a label may be a quantity. */
const MANY_NUMBERS = 20;

/**
 * Whether a label that nobody has described is a quantity: it has only numbers, more than 20 different ones, and some of them are
 * fractions or too rare (below 3 rows) to be classes.
 */
export function isQuantity({ cells }: TextColumn): boolean {
  const { present } = countCells(cells);
  if (present.size <= MANY_NUMBERS) return false;
  const numbers = [...present.keys()].map((text) => numberIn(text));
  if (numbers.some((number) => number === undefined)) return false;
  const counts = new Map<number, number>();
  for (const [i, count] of [...present.values()].entries()) {
    const number = numbers[i] ?? Number.NaN;
    counts.set(number, (counts.get(number) ?? 0) + count);
  }
  if (counts.size <= MANY_NUMBERS) return false;
  return [...counts].some(([number, count]) => count < 3 || !Number.isInteger(number));
}

/**
 * Numbers to predict. Rows without one are left out. Throws UserError, with line and column, for a label that is not a number or
 * beyond 32-bit floats.
 */
export function numberLabels(table: TextTable, label: TextColumn): Labels {
  const notes = columnNotes();
  const cells = label.cells.map((cell) => (isMissing(cell) ? '' : cell));
  const read = readColumn(table, { name: label.name, cells }, notes);
  const wrong = label.cells.findIndex(
    (cell, row) => !isMissing(cell) && (read.kind !== 'number' || Number.isNaN(read.values[row])),
  );
  if (wrong >= 0) {
    const row =
      read.kind === 'number'
        ? wrong
        : label.cells.findIndex((cell) => !isMissing(cell) && numberIn(cell) === undefined);
    const place = cellPlace(table, label.name, Math.max(row, 0));
    throw invalid(
      place,
      `the value is ${shown(label.cells[Math.max(row, 0)])}`,
      'the label of a regression must be a number',
    );
  }
  const all = read.kind === 'number' ? read.values : new Float64Array(label.cells.length).fill(Number.NaN);
  const rows = labeled(table, label, (row) => !Number.isNaN(all[row]));
  const values = Float64Array.from(rows, (row) => all[row] ?? Number.NaN);
  const offset = offsetOf(values);
  return {
    rows,
    targets: Float32Array.from(values, (value) => value - (offset ?? 0)),
    names: [label.name],
    ...(offset !== undefined && { offset }),
    notes: [...notes.sentences(), ...leftOut(table, label, rows)],
  };
}

/**
 * Classes. Numbers that are equal are one class (`1` and `1.0`). A marker like `NA` is a class where the others are words and it
 * is about as frequent as they are; rows without a label are left out. Throws UserError for a label with one class, or with many
 * different numbers, some of them rare.
 */
export function classLabels(table: TextTable, label: TextColumn): Labels {
  const { place } = table;
  const counts = new Map<string, number>();
  for (const cell of label.cells) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  const present = [...counts].filter(([text]) => !isMissing(text));
  const numeric = present.every(([text]) => numberIn(text) !== undefined);
  const usual = median(present.map(([, count]) => count));
  const isClass = (text: string, count: number) => !numeric && mayBeName(text) && count * 2 >= usual;
  const named = [...counts]
    .filter(([text, count]) => text !== '' && isMissing(text) && isClass(text, count))
    .map(([text]) => text);
  const classOf = new Map<string, string>();
  const merged: string[] = [];
  for (const texts of sameClass([...present.map(([text]) => text), ...named], numeric)) {
    const name = texts.reduce((best, text) => (text.length < best.length ? text : best));
    if (texts.length > 1) merged.push(texts.map((text) => shown(text)).join(' and '));
    for (const text of texts) classOf.set(text, name);
  }
  const rows = labeled(table, label, (row) => classOf.has(label.cells[row] as string));
  const names = inClassOrder(new Set(classOf.values()));
  if (names.length < 2) {
    throw invalid(
      place,
      `the label ${shown(label.name)} is always ${shown(names[0])}`,
      'at least 2 classes are needed',
    );
  }
  const numberOf = new Map(names.map((name, k) => [name, k]));
  const targets = Float32Array.from(
    rows,
    (row) => numberOf.get(classOf.get(label.cells[row] as string) ?? '') ?? Number.NaN,
  );
  if (numeric && names.length > MANY_NUMBERS) checkRare(place, label, targets, names.length);
  const alike = names.filter((name, k) => names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) !== k);
  const notes = [
    ...named.map((text) => `The label ${shown(text)} is read as a class, not as a missing value.`),
    ...(merged.length > 0
      ? [`Labels with the same numeric value were merged into one class: ${merged.slice(0, 3).join('; ')}.`]
      : []),
    ...(alike.length > 0
      ? [`Some class names differ only in case, such as ${shown(alike[0])}; they are kept as different classes.`]
      : []),
    ...leftOut(table, label, rows),
  ];
  return { rows, targets, names, notes };
}

/**
 * The class numbers of rows whose classes are known: those of another file. Numbers that are equal are one class. Rows without a label
 * are left out. Throws UserError, with line and column, for a label that is none of the classes.
 */
export function knownClasses(
  table: TextTable,
  label: TextColumn,
  names: readonly string[],
): Pick<Labels, 'rows' | 'targets' | 'notes'> {
  const numeric = names.every((name) => numberIn(name) !== undefined);
  const key = (text: string) => (numeric ? numberKey(text) : text);
  const numberOf = new Map(names.map((name, k) => [key(name), k]));
  const classes = label.cells.map((cell) => numberOf.get(key(cell)));
  const unknown = label.cells.findIndex((cell, row) => classes[row] === undefined && !isMissing(cell));
  if (unknown >= 0) {
    const known = names.slice(0, 10).map((name) => shown(name));
    throw invalid(
      cellPlace(table, label.name, unknown),
      `the label is ${shown(label.cells[unknown])}`,
      `the classes of the training file are ${known.join(', ')}${names.length > 10 ? ', ...' : ''}`,
    );
  }
  const rows = labeled(table, label, (row) => classes[row] !== undefined);
  return {
    rows,
    targets: Float32Array.from(rows, (row) => classes[row] ?? Number.NaN),
    notes: leftOut(table, label, rows),
  };
}

function checkRare(place: string, label: TextColumn, targets: Float32Array, classes: number): void {
  const sizes = new Int32Array(classes);
  for (const target of targets) sizes[target] = (sizes[target] ?? Number.NaN) + 1;
  if (sizes.every((size) => size >= 3)) return;
  const found = `the label ${shown(label.name)} looks numeric (${thousands(classes)} distinct values, some of them rare)`;
  throw invalid(
    place,
    found,
    'to predict it as a number, add --regression; to use it as classes, every class needs at least 3 rows',
  );
}

function sameClass(texts: readonly string[], numeric: boolean): string[][] {
  const groups = new Map<string, string[]>();
  for (const text of texts) {
    const key = numeric ? numberKey(text) : text;
    groups.set(key, [...(groups.get(key) ?? []), text]);
  }
  return [...groups.values()];
}

/** The same text for the same number, also where a 64-bit number would not hold all digits. */
function numberKey(text: string): string {
  const plain = /^([+-]?)0*(\d*)(?:\.(\d*?)0*)?$/.exec(text);
  if (plain === null) return String(numberIn(text));
  const [, sign = '', whole = '', fraction = ''] = plain;
  const digits = `${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
  return sign === '-' && digits !== '0' ? `-${digits}` : digits;
}

function labeled({ place }: TextTable, label: TextColumn, has: (row: number) => boolean): Int32Array {
  const rows = Int32Array.from([...label.cells.keys()].filter(has));
  if (rows.length > 0) return rows;
  throw invalid(place, `the label ${shown(label.name)} is missing in every row`, 'rows need a label');
}

function leftOut({ lines }: TextTable, label: TextColumn, rows: Int32Array): string[] {
  const count = label.cells.length - rows.length;
  if (count === 0) return [];
  const kept = new Set(rows);
  const first = label.cells.findIndex((_, row) => !kept.has(row));
  const cell = label.cells[first] === '' ? 'an empty cell' : shown(label.cells[first]);
  const whose = count === 1 ? '1 row without a label is' : `${thousands(count)} rows without a label are`;
  return [`${whose} left out ("${printable(label.name)}" in line ${thousands(lines[first] ?? 0)} is ${cell}).`];
}

function median(counts: readonly number[]): number {
  return [...counts].sort((a, b) => a - b)[counts.length >> 1] ?? 0;
}
