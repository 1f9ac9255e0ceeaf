import { isUtf8 } from 'node:buffer';
import { CsvError, parse } from 'csv-parse/sync';
import { invalid } from '../../common/errors.ts';
import { assemble } from '../assemble.ts';
import { inClassOrder } from '../class-names.ts';
import type { DataRequest, Dataset } from '../dataset.ts';
import { memorySource } from '../samples.ts';
import { divide, thousands } from '../split.ts';
import { encodeColumns, featureCount, fitEncoding, isMissing, isNumeric, numberIn, type TextColumn } from '../table.ts';
import { existing, readUnpacked } from './files.node.ts';

/** The columns of a table, all cells as text, and the line of the file on which each row ends. */
export interface Table {
  readonly columns: readonly TextColumn[];
  readonly rows: number;
  readonly lines: readonly number[];
  /** Header fields without a name, which are left out. */
  readonly unnamed: number;
}

/**
 * A table with a header (comma, semicolon or tab; UTF-8; gzipped or not). The label is the column `label`, by default the
 * last. A label is a class, or, where `regression` is asked for, a number to predict. See fitEncoding for how columns become
 * features.
 */
export async function openCsv(request: DataRequest): Promise<Dataset> {
  const path = await existing('csv', request.dir, 'file');
  const place = `csv file "${path}"`;
  const table = await readTable(path);
  if (table.columns.length < 2) {
    throw invalid(`${place}, line 1`, 'there is 1 column', 'at least a feature and a label are needed');
  }
  const label = labelColumn(place, table.columns, request.label);
  const missing = label.cells.findIndex(isMissing);
  if (missing >= 0) {
    const rule = 'every row needs its label';
    throw invalid(
      `${place}, line ${thousands(table.lines[missing] ?? 0)}`,
      `the label "${label.name}" is missing`,
      rule,
    );
  }
  const { regression = false } = request;
  const { targets, names } = regression ? numbers(place, table, label) : classes(place, label);
  const parts = divide(
    {
      place,
      count: table.rows,
      ...(!regression && { classes: { of: targets, names } }),
      ownTest: false,
    },
    request,
  );
  const features = table.columns.filter((column) => column !== label);
  const { encoding, notes } = fitEncoding(features, label.name, parts.train);
  const width = featureCount(encoding);
  if (width === 0)
    throw invalid(place, `no column beside the label "${label.name}" is of use`, 'at least one feature is needed');
  const numeric = encoding.columns.filter((column) => column.kind === 'number').length;
  return assemble(
    {
      info: {
        name: 'csv',
        kind: regression ? 'regression' : 'classification',
        input: [width],
        outputs: names.length,
        labels: names,
        encoding,
      },
      pool: memorySource({ values: encodeColumns(encoding, features, table.rows), elements: width, targets }),
      notes: [
        `${thousands(table.rows)} rows; the label is the column "${label.name}" (${regression ? 'regression' : `${names.length} classes`}).`,
        `${numeric} numeric and ${encoding.columns.length - numeric} categorical columns make ${width} features.`,
        ...(table.unnamed > 0 ? ['The column without a name is left out.'] : []),
        ...notes,
      ],
    },
    parts,
    request,
  );
}

/**
 * Reads a table as text. Throws UserError, with the line, for a file that is not UTF-8 text, a header without names or with
 * the same name twice, a row whose number of fields is not the header's, a quote never closed, or a table without rows.
 */
export async function readTable(path: string): Promise<Table> {
  const place = `csv file "${path}"`;
  const bytes = await readUnpacked(path);
  if (!isUtf8(bytes))
    throw invalid(`${place}, line ${thousands(firstBadLine(bytes))}`, 'not UTF-8 text', 'save it as UTF-8');
  const lines: number[] = [];
  const cells: string[][] = [];
  let names: readonly string[] | undefined;
  let last = 0;
  const delimiter = delimiterOf(bytes);
  const cellOf = (text: string) => (delimiter === ';' ? withDecimalPoint(text.trim()) : text.trim());
  try {
    parse(bytes, {
      bom: true,
      delimiter,
      trim: true,
      skip_empty_lines: true,
      on_record(record: readonly string[], context) {
        last = context.lines;
        if (names === undefined) {
          names = record.map((name) => name.trim());
          for (const _ of names) cells.push([]);
        } else {
          lines.push(context.lines);
          for (let c = 0; c < cells.length; c++) cells[c]?.push(cellOf(record[c] ?? ''));
        }
        return null;
      },
    });
  } catch (error) {
    throw error instanceof CsvError ? refusal(place, error, last, cells.length) : error;
  }
  checkHeader(place, names ?? []);
  if (lines.length === 0) throw invalid(place, 'there are no rows', 'a header and at least one row are needed');
  const columns = (names ?? []).map((name, c) => ({ name, cells: cells[c] ?? [] })).filter(({ name }) => name !== '');
  return { columns, rows: lines.length, lines, unnamed: cells.length - columns.length };
}

/** The rows of a table by column name, as `encodeRow` takes them. */
export function tableRows({ columns, rows }: Table): Record<string, string>[] {
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(columns.map(({ name, cells }) => [name, cells[row] ?? ''])),
  );
}

function checkHeader(place: string, names: readonly string[]): void {
  const where = `${place}, line 1`;
  if (names.length === 0) throw invalid(where, 'the file is empty', 'the first line must name the columns');
  if (names.every((name) => name === '' || numberIn(name) !== undefined)) {
    throw invalid(where, 'there are only numbers', 'the first line must name the columns');
  }
  const twice = names.find((name, k) => name !== '' && names.indexOf(name) < k);
  if (twice !== undefined) throw invalid(where, `two columns are named "${twice}"`, 'every column needs its own name');
}

/** What the parser met, as a UserError; `last` is the line on which the last good row ends. */
function refusal(place: string, error: CsvError, last: number, columns: number): Error {
  const where = (line: unknown) => `${place}, line ${thousands(Number(line))}`;
  switch (error.code) {
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH':
      return invalid(where(error.lines), `${String(error.column)} fields`, `the header names ${columns} columns`);
    case 'CSV_QUOTE_NOT_CLOSED':
      return invalid(where(last + 1), 'a quotation mark in this row is never closed', 'quotation marks come in pairs');
    default:
      return invalid(where(error.lines), error.message, 'the row must be well-formed CSV');
  }
}

/** `-1,5` as `-1.5`: spreadsheets of half of Europe write a decimal comma, and semicolons between the columns. */
function withDecimalPoint(cell: string): string {
  return /^[+-]?\d*,\d+$/.test(cell) ? cell.replace(',', '.') : cell;
}

/** The most frequent of comma, semicolon and tab in the first line, outside quotation marks. */
function delimiterOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(10);
  const header = new TextDecoder().decode(bytes.subarray(0, end < 0 ? undefined : end)).replace(/"[^"]*"/g, '');
  const count = (delimiter: string) => header.split(delimiter).length;
  return [',', ';', '\t'].reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best));
}

function firstBadLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(10, start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) break;
    start = end + 1;
  }
  return line;
}

function labelColumn(place: string, columns: readonly TextColumn[], wanted: string | undefined): TextColumn {
  const label = wanted === undefined ? columns.at(-1) : columns.find(({ name }) => name === wanted);
  if (label) return label;
  throw invalid(
    place,
    `there is no column "${wanted}"`,
    `the label must be one of ${columns.map(({ name }) => name).join(', ')}`,
  );
}

interface Labels {
  readonly targets: Float32Array;
  readonly names: readonly string[];
}

function numbers(place: string, table: Table, label: TextColumn): Labels {
  const targets = label.cells.map((cell, row) => {
    const value = numberIn(cell);
    if (value !== undefined) return value;
    const where = `${place}, line ${thousands(table.lines[row] ?? 0)}, column "${label.name}"`;
    throw invalid(where, `the value is "${cell}"`, 'the label of a regression must be a number');
  });
  return { targets: Float32Array.from(targets), names: [label.name] };
}

function classes(place: string, label: TextColumn): Labels {
  const counts = new Map<string, number>();
  for (const cell of label.cells) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  if (counts.size < 2)
    throw invalid(place, `the label "${label.name}" is always "${label.cells[0]}"`, 'at least 2 classes are needed');
  if (isNumeric(label) && counts.size > 20 && [...counts.values()].some((count) => count < 3)) {
    const found = `the label "${label.name}" has ${thousands(counts.size)} different numbers, some of them rare`;
    throw invalid(place, found, 'as classes each needs at least 3 rows; to predict the number, ask for a regression');
  }
  const names = inClassOrder(counts.keys());
  const numberOf = new Map(names.map((name, k) => [name, k]));
  return { targets: Float32Array.from(label.cells, (cell) => numberOf.get(cell) ?? Number.NaN), names };
}
