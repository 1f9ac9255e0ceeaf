/** How the numbers of a column are written. */
import { invalid } from '../common/errors.ts';
import { isPlainNumber, type Notation, readNumber, unitFits } from './cells.ts';
import type { Notes } from './notes.ts';
import { thousands } from './split.ts';
import {
  areFew,
  areMany,
  type Counts,
  cellPlace,
  countCells,
  ODD_SHARE,
  shown,
  type TextColumn,
  type TextTable,
  total,
} from './text-table.ts';

/** Rows that tell whether a file has decimal commas. */
const SAMPLE = 2000;

/** Whether more columns of a file have decimal points or decimal commas; undefined where none tells. */
export function decimalOf(columns: readonly TextColumn[]): '.' | ',' | undefined {
  let balance = 0;
  for (const { cells } of columns) {
    const { present } = countCells(cells.slice(0, SAMPLE));
    const { point, comma } = countNumbers(present);
    if (Math.max(point, comma) * 2 > total(present)) balance += Math.sign(comma - point);
  }
  return balance === 0 ? undefined : balance > 0 ? ',' : '.';
}

/**
 * The values of a column of whole numbers, or of numbers with a decimal point that cannot be meant otherwise; NaN for an empty
 * cell. Most columns are such, and this is much faster than to judge their different cells.
 * Undefined for any other column.
 */
export function plainNumbers(cells: readonly string[]): Float64Array | undefined {
  const values = new Float64Array(cells.length);
  let [empty, dotted, certain] = [true, false, false];
  for (const [row, cell] of cells.entries()) {
    if (cell !== '' && !isPlainNumber(cell)) return undefined;
    values[row] = cell === '' ? Number.NaN : Number(cell);
    empty &&= cell === '';
    dotted ||= cell.includes('.');
    certain ||= dotted && readNumber(cell, ',') === undefined && cell !== '';
  }
  return !empty && (certain || !dotted) ? values : undefined;
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
export function notationOf(
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
    if (unit !== undefined) units.set(unit, (units.get(unit) ?? 0) + count);
  }
  const [unit] = [...units].sort((a, b) => b[1] - a[1])[0] ?? [''];
  const notation: Notation = { ...(decimal === ',' && { decimal }), ...(unit !== '' && { unit }) };
  const good = [...present].filter(([text]) => fitting(text, notation) !== undefined);
  const odd = [...present].filter(([text]) => fitting(text, notation) === undefined);
  if (odd.length > 0) {
    const count = (some: readonly (readonly [string, number])[]) => some.reduce((sum, [, n]) => sum + n, 0);
    if (!areMany(good.length, total(present))) return undefined;
    const alike = odd.filter(([text]) => (readNumber(text, '.') ?? readNumber(text, ',')) !== undefined);
    if (alike.length > 0 && count(good) + count(alike) >= (1 - ODD_SHARE) * total(present)) {
      const [usual, other] = [good[0]?.[0], alike[0]?.[0] ?? ''];
      if (count(good) * 2 <= total(present)) {
        notes.add(name, `has numbers in different notations (${shown(usual)}, ${shown(other)}); read as text`);
        return undefined;
      }
      const row = cells.indexOf(other);
      const rule = `most numbers of this column are written like ${shown(usual)}; use one notation for the whole column`;
      throw invalid(cellPlace(table, name, row), `the value is ${shown(other)}`, rule);
    }
    if (count(good) * 2 <= total(present)) return undefined;
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

/** The number that a cell holds in this notation, infinite beyond 1.8e308. */
export function fitting(text: string, { decimal, unit = '' }: Notation): number | undefined {
  const found = readNumber(text, decimal ?? '.');
  return found !== undefined && unitFits(found.unit, unit) ? found.value : undefined;
}

/** `1,344` and `1.344`: 1344 or 1.344. */
function readsBothWays(text: string): boolean {
  return readNumber(text, '.')?.value !== readNumber(text, ',')?.value;
}

/** Decides ambiguous numbers by the file's other numbers, or by a semicolon as the separator. */
function guessesComma({ decimal, delimiter }: TextTable, present: Counts): boolean {
  return decimal === undefined
    ? delimiter === ';' && [...present.keys()].some((text) => text.includes(','))
    : decimal === ',';
}

/** Says by an example how numbers that are not plain are read. */
export function noteNotation(notes: Notes, name: string, { decimal, unit }: Notation, present: Counts): void {
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
