/** What the columns of a table hold: numbers, dates or text. Judged by all cells of a column, before any split. */
import { invalid } from '../common/errors.ts';
import { isMissing, MAX_FLOAT32, mayBeName, type Notation } from './cells.ts';
import { type DateFormat, readDate } from './dates.ts';
import { fitting, notationOf, noteNotation, plainNumbers } from './notation.ts';
import type { Notes } from './notes.ts';
import { thousands } from './split.ts';
import {
  areFew,
  areMany,
  type Counts,
  cellPlace,
  countCells,
  shown,
  type TextColumn,
  type TextTable,
  total,
} from './text-table.ts';

/** A column in raw form; a missing value is NaN. */
export type ReadColumn =
  | {
      readonly kind: 'number';
      readonly name: string;
      readonly cells: readonly string[];
      /** Markers of missing values found in the data, beside the usual ones. */
      readonly markers: readonly string[];
      readonly notation: Notation;
      readonly values: Float64Array;
    }
  | {
      readonly kind: 'date';
      readonly name: string;
      readonly cells: readonly string[];
      readonly markers: readonly string[];
      readonly format: DateFormat;
      /** Whether dates have a time of day. */
      readonly timed: boolean;
      /** Days since 1970-01-01, or fractions of a day for `time`. */
      readonly values: Float64Array;
    }
  | { readonly kind: 'text'; readonly name: string; readonly cells: readonly string[] };

/**
 * Reads a column. Numbers may have thousands separators, a unit, a decimal comma; a missing marker is no reason to take a column
 * for text, nor are a few odd cells among many numbers or dates: they are read as missing, with a note. Throws UserError, with line
 * and column, for a number that 32-bit floats cannot hold, and for a column whose numbers are written in two ways.
 */
export function readColumn(table: TextTable, { name, cells }: TextColumn, notes: Notes): ReadColumn {
  const plain = plainNumbers(cells);
  if (plain !== undefined) {
    checkRange(table, { name, cells }, plain);
    return { kind: 'number', name, cells, markers: [], notation: {}, values: plain };
  }
  const { present, markers } = countCells(cells);
  const dates = dateFormatOf(present, table.decimal === ',' || table.delimiter === ';');
  if (dates !== undefined) {
    const read = new Map([...present.keys()].map((text) => [text, readDate(text, dates.format)]));
    const timed = [...read.values()].some((date) => date?.timed === true);
    const values = Float64Array.from(cells, (cell) => read.get(cell)?.days ?? Number.NaN);
    noteDates(notes, name, dates, exampleOf(read));
    const own = oddOf(present, read);
    noteMissing(notes, name, cells, table, [...markers, ...own]);
    return { kind: 'date', name, cells, markers: own, format: dates.format, timed, values };
  }
  const notation = notationOf(table, name, { cells, present }, notes);
  if (notation === undefined) return { kind: 'text', name, cells: textCells(name, cells, markers, notes) };
  const read = new Map([...present.keys()].map((text) => [text, fitting(text, notation)]));
  const values = Float64Array.from(cells, (cell) => read.get(cell) ?? Number.NaN);
  checkRange(table, { name, cells }, values);
  noteNotation(notes, name, notation, present);
  const own = oddOf(present, read);
  noteMissing(notes, name, cells, table, [...markers, ...own]);
  return { kind: 'number', name, cells, markers: own, notation, values };
}

/** In text, a marker that may be meant as a word is its own category; the others make an empty cell. */
function textCells(
  name: string,
  cells: readonly string[],
  markers: readonly string[],
  notes: Notes,
): readonly string[] {
  if (cells.every(isMissing)) return cells.map(() => '');
  const words = markers.filter(mayBeName);
  for (const word of words) notes.add(name, `${shown(word)} is read as a category, not as a missing value`);
  const missing = new Set(markers.filter((marker) => !mayBeName(marker)));
  return missing.size === 0 ? cells : cells.map((cell) => (missing.has(cell) ? '' : cell));
}

function checkRange(table: TextTable, { name, cells }: TextColumn, values: Float64Array): void {
  const row = values.findIndex((value) => Math.abs(value) > MAX_FLOAT32);
  if (row < 0) return;
  const rule = `a 32-bit float holds at most ${MAX_FLOAT32.toPrecision(2)}; correct the cell, or leave it empty`;
  throw invalid(cellPlace(table, name, row), `the value is ${shown(cells[row])}`, rule);
}

function oddOf(present: Counts, read: ReadonlyMap<string, unknown>): string[] {
  return [...present.keys()].filter((text) => read.get(text) === undefined);
}

interface FoundFormat {
  readonly format: DateFormat;
  /** Day and month could be the other way round. */
  readonly ambiguous: boolean;
}

function dateFormatOf(present: Counts, dayFirst: boolean): FoundFormat | undefined {
  const texts = [...present.keys()];
  // The first cells show the type of most columns.
  if (!texts.slice(0, 50).some((text) => FORMATS.some((format) => readDate(text, format) !== undefined)))
    return undefined;
  const rows = total(present);
  const fits = FORMATS.map((format) => {
    const odd = [...present].filter(([text]) => readDate(text, format) === undefined);
    return { format, odd, good: rows - odd.reduce((sum, [, n]) => sum + n, 0) };
  });
  const most = Math.max(...fits.map(({ good }) => good));
  const best = fits.filter(({ good }) => good === most);
  const { odd = [] } = best[0] ?? {};
  if (odd.length > 0 && (most * 2 <= rows || !areFew(odd, rows) || !areMany(texts.length - odd.length, rows)))
    return undefined;
  const names = best.map(({ format }) => format);
  const ambiguous =
    names.includes('dmy') &&
    names.includes('mdy') &&
    texts.some((text) => readDate(text, 'dmy')?.days !== readDate(text, 'mdy')?.days);
  const [format] = ambiguous && !(dayFirst || texts.some((text) => /^\d+\./.test(text))) ? ['mdy' as const] : names;
  return format && { format, ambiguous };
}

const FORMATS: readonly DateFormat[] = ['ymd', 'dmy', 'mdy', 'time'];

function noteDates(notes: Notes, name: string, { format, ambiguous }: FoundFormat, example: string): void {
  if (format === 'time') {
    notes.add(name, `read as times of day (${shown(example)} as a fraction of the day)`);
    return;
  }
  const days = readDate(example, format)?.days ?? 0;
  const day = new Date(Math.floor(days) * 86_400_000).toISOString().slice(0, 10);
  const how = example.startsWith(day) ? '' : `, ${shown(example)} as ${day}`;
  notes.add(name, `read as dates${how}${ambiguous ? ' (the order of day and month is ambiguous)' : ''}`);
}

/** A date whose day and month differ, if there is one. */
function exampleOf(read: ReadonlyMap<string, unknown>): string {
  const texts = [...read].flatMap(([text, date]) => (date === undefined ? [] : [text]));
  return texts.find((text) => readDate(text, 'dmy')?.days !== readDate(text, 'mdy')?.days) ?? texts[0] ?? '';
}

function noteMissing(
  notes: Notes,
  name: string,
  cells: readonly string[],
  { lines }: TextTable,
  markers: readonly string[],
): void {
  if (markers.length === 0) return;
  const wanted = new Set(markers);
  const first = cells.findIndex((cell) => wanted.has(cell));
  const count = cells.reduce((sum, cell) => sum + (wanted.has(cell) ? 1 : 0), 0);
  const listed =
    markers
      .slice(0, 3)
      .map((text) => shown(text))
      .join(', ') + (markers.length > 3 ? ', ...' : '');
  const where = `${thousands(count)} cell${count === 1 ? '' : 's'}, the first in line ${thousands(lines[first] ?? 0)}`;
  notes.add(name, `${listed} read as missing (${where})`);
}
