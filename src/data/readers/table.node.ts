/** Reads the text of a table. csv-parse knows where fields begin and end; what the file is, and its header, is judged here. */
import { CsvError, parse } from 'csv-parse/sync';
import { invalid, type UserError } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import { numberIn, tidy } from '../cells.ts';
import { decimalOf } from '../notation.ts';
import { thousands } from '../split.ts';
import { shown, type TextColumn, type TextTable } from '../text-table.ts';
import { readUnpacked } from './files.node.ts';
import { tableText } from './table-bytes.node.ts';

/** The columns of a file, all cells as text. */
export interface Table extends TextTable {
  /** The number of each row in its file, from 1: rows without any value are counted, and left out. */
  readonly numbers: readonly number[];
  /** Notes on what was left out, as sentences. */
  readonly notes: readonly string[];
}

/**
 * Reads a table with a header, UTF-8 or UTF-16, gzipped or not; fields stand between commas, semicolons, tabs or bars, and a line
 * `sep=;` may say which. Rows without any value, and columns without a name, are left out. Throws UserError, with the line, for a
 * file of another format, a header without names, with numbers for names or with the same name twice, a row whose number of fields
 * is not the header's, a quotation mark never closed, or a table without rows. Where `onBadRow` is given, a row with another number
 * of fields is told to it, and left out.
 */
export async function readTable(path: string, onBadRow?: OnBadRow): Promise<Table> {
  const place = `csv file "${printable(path)}"`;
  return parseTable(place, tableText(place, await readUnpacked(path)), onBadRow);
}

/** `row`: its number in the file, from 1. `why`: a sentence that names its line. */
export type OnBadRow = (row: number, why: string) => void;

/** `bytes`: UTF-8 with line feeds. Errors as `readTable`. */
export function parseTable(place: string, bytes: Uint8Array, onBadRow?: OnBadRow): Table {
  const said = separatorLine(bytes);
  const body = bytes.subarray(said.bytes);
  const delimiter = said.delimiter ?? delimiterOf(body);
  const where = (line: number) => `${place}, line ${thousands(line + said.lines)}`;
  const [lines, numbers]: [number[], number[]] = [[], []];
  const cells: string[][] = [];
  let names: readonly string[] | undefined;
  let [last, read, headerLine, cut, bad] = [0, 0, 1, 0, 0];
  try {
    parse(body, {
      bom: true,
      delimiter,
      record_delimiter: '\n',
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      on_record(record: readonly string[], { lines: line }) {
        last = line;
        const fields = record.map(tidy);
        const empty = fields.every((field) => field === '');
        if (names === undefined) {
          if (empty) return null;
          names = fields.map((name) => name.replace(/\s+/g, ' '));
          headerLine = line;
          for (const _ of names) cells.push([]);
          return null;
        }
        read++;
        if (empty) return null;
        // Spreadsheets write separators behind the last value.
        if (fields.length > names.length && fields.slice(names.length).every((field) => field === '')) cut++;
        else if (fields.length !== names.length) {
          const rule = `the header names ${thousands(names.length)} columns`;
          const found = `${thousands(fields.length)} field${fields.length === 1 ? '' : 's'}`;
          if (onBadRow === undefined) throw invalid(where(line), found, rule);
          bad++;
          onBadRow(read, `line ${thousands(line + said.lines)} has ${found}; ${rule}`);
          return null;
        }
        lines.push(line + said.lines);
        numbers.push(read);
        for (const [c, column] of cells.entries()) column.push(fields[c] ?? '');
        return null;
      },
    });
  } catch (error) {
    throw error instanceof CsvError ? refusal(where, error, last) : error;
  }
  const all = (names ?? []).map((name, c) => ({ name, cells: cells[c] ?? [] }));
  checkHeader(where(headerLine), all);
  if (lines.length + bad === 0)
    throw invalid(place, 'there are no rows', 'the table needs a header and at least one row');
  const columns = all.filter(({ name }) => name !== '');
  const unnamed = all.flatMap(({ name, cells: own }, c) =>
    name === '' && own.some((cell) => cell !== '') ? [c + 1] : [],
  );
  const skipped = read - lines.length - bad;
  const notes = [
    ...(skipped > 0
      ? [`${thousands(skipped)} row${skipped === 1 ? ' without any value is' : 's without any value are'} left out.`]
      : []),
    ...(cut > 0 ? [`${thousands(cut)} row${cut === 1 ? ' has' : 's have'} empty fields behind the last column.`] : []),
    ...(unnamed.length > 0
      ? [`The column without a name (number ${unnamed.slice(0, 5).join(', ')} in the file) is left out.`]
      : []),
  ];
  return { place, columns, rows: lines.length, lines, numbers, delimiter, decimal: decimalOf(columns), notes };
}

/** The rows of a table by column name, as `encodeRow` takes them. */
export function tableRows({ columns, rows }: Pick<Table, 'columns' | 'rows'>): Record<string, string>[] {
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(columns.map(({ name, cells }) => [name, cells[row] ?? ''])),
  );
}

/** `columns` with the header's fields as names. */
function checkHeader(where: string, columns: readonly TextColumn[]): void {
  const names = columns.map(({ name }) => name);
  if (names.every((name) => name === ''))
    throw invalid(where, 'the file is empty', 'the first line must name the columns');
  const looksLikeData = columns.filter(
    ({ name, cells }) => name !== '' && (numberIn(name) !== undefined || cells.includes(name)),
  );
  const named = names.filter((name) => name !== '').length;
  if (looksLikeData.length * 2 > named && !isRising(names) && !countsColumns(columns)) {
    const listed = looksLikeData
      .slice(0, 4)
      .map(({ name }) => shown(name))
      .join(', ');
    const only = names.every((name) => name === '' || numberIn(name) !== undefined);
    const found = only
      ? `the first line contains only numbers (${listed})`
      : `most column names look like values (${listed})`;
    throw invalid(where, found, 'the first line must name the columns; add a header line');
  }
  const again = names.findIndex((name, k) => name !== '' && names.indexOf(name) < k);
  if (again < 0) return;
  const found = `two columns are named ${shown(names[again])} (numbers ${names.indexOf(names[again] ?? '') + 1} and ${again + 1})`;
  throw invalid(where, found, 'every column needs a unique name');
}

/** Numbers that are names: 0, 1, 2, ..., years, wavelengths. A row of data that rises all along is rare. */
function isRising(names: readonly string[]): boolean {
  const numbers = names.flatMap((name) => numberIn(name) ?? []);
  return numbers.length >= 4 && numbers.every((n, k) => k === 0 || n > (numbers[k - 1] ?? Number.NaN));
}

/** pandas' names: 0, 1, 2, ... beside others that are names. */
function countsColumns(columns: readonly TextColumn[]): boolean {
  const words = columns.filter(({ name }) => name !== '' && numberIn(name) === undefined);
  const numbers = columns.flatMap(({ name }) => numberIn(name) ?? []);
  const counted = numbers.every((n, k) => n === (numbers[0] ?? 0) + k) && (numbers[0] === 0 || numbers[0] === 1);
  return counted && words.length > 0 && words.every(({ name, cells }) => !cells.includes(name));
}

/** What the codes of csv-parse mean. */
const CSV_FAULTS: Readonly<Record<string, string>> = {
  CSV_INVALID_CLOSING_QUOTE: 'there is text behind a closing quotation mark',
  CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE: 'there is text behind a closing quotation mark',
  INVALID_OPENING_QUOTE: 'there is a quotation mark within a cell that does not begin with one',
  CSV_MAX_RECORD_SIZE: 'the row is too long',
};

/** What the parser met, as a UserError; `last` is the line on which the last good row ends. */
function refusal(where: (line: number) => string, error: CsvError, last: number): UserError {
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') {
    return invalid(where(last + 1), 'a quotation mark in this row is not closed', 'quotation marks come in pairs');
  }
  return invalid(
    where(Number(error.lines)),
    CSV_FAULTS[error.code] ?? 'the row cannot be read',
    'the row must be well-formed CSV',
  );
}

/** Excel's first line `sep=;`. */
function separatorLine(bytes: Uint8Array): {
  readonly bytes: number;
  readonly lines: number;
  readonly delimiter?: string;
} {
  const end = bytes.subarray(0, 20).indexOf(10);
  const line = new TextDecoder().decode(bytes.subarray(0, Math.max(end, 0)));
  const delimiter = /^"?sep=(.)"?[,;\t]*$/i.exec(line)?.[1];
  return delimiter === undefined ? { bytes: 0, lines: 0 } : { bytes: end + 1, lines: 1, delimiter };
}

/** The most frequent of comma, semicolon, tab and bar in the header, outside quotation marks. */
function delimiterOf(bytes: Uint8Array): string {
  const counts = new Map([',', ';', '\t', '|'].map((delimiter) => [delimiter.charCodeAt(0), 0]));
  let [quoted, found] = [false, false];
  for (const byte of bytes) {
    if (byte === 34) quoted = !quoted;
    if (quoted) continue;
    if (byte === 10 && found) break;
    found ||= byte > 32 && byte < 128;
    const count = counts.get(byte);
    if (count !== undefined) counts.set(byte, count + 1);
  }
  const [best] = [...counts].reduce((most, entry) => (entry[1] > most[1] ? entry : most));
  return String.fromCharCode(best);
}
