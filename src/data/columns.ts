/** What the columns of a table hold: numbers, dates or text. Judged by all cells of a column, before any split. */
import { invalid } from '../common/errors.ts';
import { printable } from '../common/text.ts';
import { isMissing, MAX_FLOAT32, mayBeName, type Notation, readNumber, unitFits } from './cells.ts';
import { type DateFormat, readDate } from './dates.ts';
import type { Notes } from './notes.ts';
import { thousands } from './split.ts';

/** A column of a file, as text. */
export interface TextColumn {
  readonly name: string;
  readonly cells: readonly string[];
}

/** Columns of a file, with what is needed to name a cell in an error. */
export interface TextTable {
  /** Of errors: `csv file "x.csv"`. */
  readonly place: string;
  readonly columns: readonly TextColumn[];
  readonly rows: number;
  /** The line of the file on which each row ends. */
  readonly lines: readonly number[];
  readonly delimiter: string;
  /** What the file's other numbers have, where one could be read either way; undefined where none tells. */
  readonly decimal: '.' | ',' | undefined;
}

/** A column as it is read; a missing value is NaN. */
export type ReadColumn =
  | {
      readonly kind: 'number';
      readonly name: string;
      readonly cells: readonly string[];
      readonly notation: Notation;
      readonly values: Float64Array;
    }
  | {
      readonly kind: 'date';
      readonly name: string;
      readonly cells: readonly string[];
      readonly format: DateFormat;
      /** Whether dates have a time of day. */
      readonly timed: boolean;
      /** Days since 1970-01-01, or fractions of a day for `time`. */
      readonly values: Float64Array;
    }
  | { readonly kind: 'text'; readonly name: string; readonly cells: readonly string[] };

/** Different numbers from which on a column is one of numbers although some of its cells are not. */
const MANY_NUMBERS = 20;
/** Different texts among numbers that can be a person's own words for a missing value. */
const OWN_MARKERS = 3;
const ODD_SHARE = 0.1;

/** Distinct cells that are not missing, and how often each stands there. */
type Counts = ReadonlyMap<string, number>;

/**
 * Reads a column. Numbers may have thousands separators, a unit, a decimal comma; a missing marker is no reason to take a column
 * for text, nor are a few odd cells among many numbers or dates: they are read as missing, with a note. Throws UserError, with line
 * and column, for a number that 32-bit floats cannot hold, and for a column whose numbers are written in two ways.
 */
export function readColumn(table: TextTable, { name, cells }: TextColumn, notes: Notes): ReadColumn {
  const { present, markers } = countCells(cells);
  const dates = dateFormatOf(present, table.decimal === ',' || table.delimiter === ';');
  if (dates !== undefined) {
    const read = new Map([...present.keys()].map((text) => [text, readDate(text, dates.format)]));
    const timed = [...read.values()].some((date) => date?.timed === true);
    const values = Float64Array.from(cells, (cell) => read.get(cell)?.days ?? Number.NaN);
    noteDates(notes, name, dates, timed);
    noteMissing(notes, name, cells, table, [...markers, ...oddOf(present, read)]);
    return { kind: 'date', name, cells, format: dates.format, timed, values };
  }
  const notation = notationOf(table, name, { cells, present }, notes);
  if (notation === undefined) return { kind: 'text', name, cells: textCells(name, cells, markers, notes) };
  const read = new Map([...present.keys()].map((text) => [text, fitting(text, notation)]));
  const values = Float64Array.from(cells, (cell) => read.get(cell) ?? Number.NaN);
  const tooLarge = values.findIndex((value) => Math.abs(value) > MAX_FLOAT32);
  if (tooLarge >= 0) throw beyondFloats(table, name, cells, tooLarge);
  noteNotation(notes, name, notation, present);
  noteMissing(notes, name, cells, table, [...markers, ...oddOf(present, read)]);
  return { kind: 'number', name, cells, notation, values };
}

/** In text, a marker that may be meant as a word is a category of its own; the others make an empty cell. */
function textCells(
  name: string,
  cells: readonly string[],
  markers: readonly string[],
  notes: Notes,
): readonly string[] {
  const words = markers.filter(mayBeName);
  for (const word of words) notes.add(name, `${shown(word)} is a category of its own, not a missing value`);
  const missing = new Set(markers.filter((marker) => !mayBeName(marker)));
  return missing.size === 0 ? cells : cells.map((cell) => (missing.has(cell) ? '' : cell));
}

function beyondFloats(table: TextTable, name: string, cells: readonly string[], row: number): Error {
  const rule = `a 32-bit float holds at most ${MAX_FLOAT32.toPrecision(2)}; correct the cell, or leave it empty`;
  return invalid(cellPlace(table, name, row), `the value is ${shown(cells[row])}`, rule);
}

/** `csv file "x.csv", line 7, column "price"` */
export function cellPlace({ place, lines }: TextTable, name: string, row: number): string {
  return `${place}, line ${thousands(lines[row] ?? 0)}, column "${printable(name)}"`;
}

/** A cell for people, shortened. */
export function shown(cell: string | undefined): string {
  const text = cell ?? '';
  return `"${printable(text.length > 40 ? `${text.slice(0, 40)}...` : text)}"`;
}

/** Whether more columns of a file have decimal points or decimal commas; undefined where none tells. */
export function decimalOf(columns: readonly TextColumn[]): '.' | ',' | undefined {
  let balance = 0;
  for (const { cells } of columns) {
    const { present } = countCells(cells.slice(0, 10_000));
    const { point, comma } = countNumbers(present);
    if (Math.max(point, comma) * 2 > total(present)) balance += Math.sign(comma - point);
  }
  return balance === 0 ? undefined : balance > 0 ? ',' : '.';
}

export function countCells(cells: readonly string[]): {
  readonly present: Counts;
  readonly markers: readonly string[];
} {
  const all = new Map<string, number>();
  for (const cell of cells) all.set(cell, (all.get(cell) ?? 0) + 1);
  const markers = [...all.keys()].filter(isMissing);
  const present = new Map([...all].filter(([text]) => !isMissing(text)));
  return { present, markers: markers.filter((text) => text !== '') };
}

function countNumbers(present: Counts): { readonly point: number; readonly comma: number } {
  let [point, comma] = [0, 0];
  for (const [text, count] of present) {
    if (readNumber(text, '.') !== undefined) point += count;
    if (readNumber(text, ',') !== undefined) comma += count;
  }
  return { point, comma };
}

/** How the numbers of a column are written; undefined where it is no column of numbers. Throws UserError where it is mixed. */
function notationOf(
  table: TextTable,
  name: string,
  { cells, present }: { readonly cells: readonly string[]; readonly present: Counts },
  notes: Notes,
): Notation | undefined {
  const { point, comma } = countNumbers(present);
  if (Math.max(point, comma) * 2 <= total(present)) return undefined;
  const either = point === comma && [...present.keys()].some(readsBothWays);
  const decimal = comma > point || (either && guessesComma(table, present)) ? ',' : '.';
  const units = new Map<string, number>();
  for (const [text, count] of present) {
    const unit = readNumber(text, decimal)?.unit;
    if (unit !== undefined && unit !== '') units.set(unit, (units.get(unit) ?? 0) + count);
  }
  const [unit] = [...units].sort((a, b) => b[1] - a[1])[0] ?? [''];
  const notation: Notation = { ...(decimal === ',' && { decimal }), ...(unit !== '' && { unit }) };
  const good = [...present].filter(([text]) => fitting(text, notation) !== undefined);
  const odd = [...present].filter(([text]) => fitting(text, notation) === undefined);
  if (odd.length > 0) {
    const count = (some: readonly (readonly [string, number])[]) => some.reduce((sum, [, n]) => sum + n, 0);
    if (!areMany(good.length, total(present)) || count(good) * 2 <= total(present)) return undefined;
    const alike = odd.filter(([text]) => (readNumber(text, '.') ?? readNumber(text, ',')) !== undefined);
    if (alike.length > 0 && count(good) + count(alike) >= (1 - ODD_SHARE) * total(present)) {
      const row = cells.indexOf(alike[0]?.[0] ?? '');
      const rule = `most numbers of this column are written like ${shown(good[0]?.[0])}; write all of them alike`;
      throw invalid(cellPlace(table, name, row), `the value is ${shown(cells[row])}`, rule);
    }
    if (!areFew(odd, total(present))) {
      const row = cells.indexOf(odd[0]?.[0] ?? '');
      const share = Math.round((100 * count(good)) / total(present));
      notes.add(
        name,
        `${share} % of the cells are numbers, others are not (${shown(cells[row])} in line ${thousands(table.lines[row] ?? 0)}); read as text`,
      );
      return undefined;
    }
  }
  if (either) {
    const [example = ''] = [...present.keys()].filter(readsBothWays);
    const value = readNumber(example, decimal)?.value ?? Number.NaN;
    // A plain decimal point needs no words.
    if (decimal === ',' || example.includes(',')) notes.add(name, `${shown(example)} is read as ${value}`);
  }
  return notation;
}

function fitting(text: string, { decimal, unit = '' }: Notation): number | undefined {
  const found = readNumber(text, decimal ?? '.');
  return found !== undefined && unitFits(found.unit, unit) ? found.value : undefined;
}

/** `1,344` and `1.344`: 1344 or 1.344. */
function readsBothWays(text: string): boolean {
  return readNumber(text, '.')?.value !== readNumber(text, ',')?.value;
}

/** Of numbers that can be read either way: the file's other numbers tell, or the habits of those who write semicolons. */
function guessesComma({ decimal, delimiter }: TextTable, present: Counts): boolean {
  return decimal === undefined
    ? delimiter === ';' && [...present.keys()].some((text) => text.includes(','))
    : decimal === ',';
}

function areMany(different: number, rows: number): boolean {
  return different > Math.min(MANY_NUMBERS, rows / 2);
}

function areFew(odd: readonly (readonly [string, number])[], rows: number): boolean {
  return odd.length <= OWN_MARKERS || odd.reduce((sum, [, n]) => sum + n, 0) <= ODD_SHARE * rows;
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
  // Most columns are told apart by their first cells.
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
const FORMAT_NAMES = { ymd: 'year-month-day', dmy: 'day/month/year', mdy: 'month/day/year' } as const;

function noteDates(notes: Notes, name: string, { format, ambiguous }: FoundFormat, timed: boolean): void {
  if (format === 'time') {
    notes.add(name, 'read as times of day');
    return;
  }
  const doubt = ambiguous ? ', which no cell tells from the other order' : '';
  notes.add(name, `read as dates (${FORMAT_NAMES[format]}${doubt})${timed ? ' with a time of day' : ''}`);
}

function noteNotation(notes: Notes, name: string, { decimal, unit }: Notation, present: Counts): void {
  if (unit !== undefined) {
    notes.add(name, `read as numbers in ${shown(unit)}`);
    return;
  }
  const texts = [...present.keys()];
  if (decimal === ',') {
    const grouped = texts.find((text) => text.includes('.'));
    if (grouped !== undefined) notes.add(name, `${shown(grouped)} is read as ${readNumber(grouped, ',')?.value}`);
    return;
  }
  const special = texts.find((text) => Number.isNaN(Number(text)) && readNumber(text) !== undefined);
  if (special !== undefined) notes.add(name, `${shown(special)} is read as ${readNumber(special)?.value}`);
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

function total(counts: Counts): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
