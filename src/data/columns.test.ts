import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { UserError } from '../common/errors.ts';
import { readColumn } from './columns.ts';
import { decimalOf } from './notation.ts';
import { columnNotes } from './notes.ts';
import { encodeColumns, encodeRow, fitEncoding } from './table.ts';

/** Reads one column of a file, with what the rest of the file says of decimals. */
function read(cells: readonly string[], { delimiter = ',', decimal = decimalOf([{ name: 'c', cells }]) } = {}) {
  const lines = cells.map((_, row) => row + 2);
  const columns = [{ name: 'c', cells }];
  const notes = columnNotes();
  const column = readColumn(
    { place: 'table', columns, rows: cells.length, lines, delimiter, decimal },
    { name: 'c', cells },
    notes,
  );
  return { column, values: column.kind === 'text' ? [] : [...column.values], notes: notes.sentences().join('\n') };
}

const many = (cell: (k: number) => string, rows = 60) => Array.from({ length: rows }, (_, k) => cell(k));

test('a few odd cells among many numbers are missing, with a note; many different ones make it text, with a note', () => {
  const own = read(many((k) => (k % 3 === 1 ? 'k.A.' : `${k}.5`)));
  assert.deepEqual([own.column.kind, own.values.slice(0, 3)], ['number', [0.5, Number.NaN, 2.5]]);
  assert.match(own.notes, /"k.A." read as missing \(20 cells, the first in line 3\)/);
  const tickets = read(many((k) => (k % 3 === 1 ? `A/5 ${k}` : `${k}`)));
  assert.equal(tickets.column.kind, 'text');
  assert.match(tickets.notes, /67 % of the cells are numbers, others are not \("A\/5 1" in line 3\)/);
  assert.equal(
    read(many((k) => ['2', '3', '4', '5more'][k % 4] ?? '')).column.kind,
    'text',
    'few numbers are categories',
  );
});

test('numbers written in two ways are refused with line and cell, or left as text with a note', () => {
  assert.throws(
    () => read(many((k) => (k === 7 ? '7,5' : `${k}.25`))),
    /line 9, column "c": the value is "7,5"; most numbers of this column are written like "0.25"/,
  );
  assert.throws(() => read(many((k) => (k % 9 ? `${k}%` : `${k}`))), /the value is "0".*like "1%"/);
  assert.match(read(many((k) => `${k % 2 ? '$' : '€'}${k}`)).notes, /different notations/);
  assert.throws(() => read(['1', '2', '1e39', '4']), /line 4, column "c": the value is "1e39"; a 32-bit float/);
  assert.throws(() => read(['1', '2', '3', '-1e999']), /line 5/);
});

test('a number that can be read either way is read as the rest of the file is written, and said', () => {
  const cells = ['1,344', '7,638', '4,954'];
  const first = (options: Parameters<typeof read>[1]) => read(cells, options).values[0];
  assert.equal(first({}), 1344);
  assert.equal(first({ delimiter: ';' }), 1.344);
  assert.equal(first({ delimiter: ';', decimal: '.' }), 1344);
  assert.equal(first({ delimiter: '\t', decimal: ',' }), 1.344);
  assert.match(read(cells).notes, /"1,344" is read as 1344/);
  assert.equal(read(['1.344', '7.638'], { delimiter: ';' }).values[0], 1.344);
  assert.equal(read(['1.344', '939'], { delimiter: ';', decimal: ',' }).values[0], 1344);
});

test('dates: the order that all cells allow, said where none tells; times; missing ones', () => {
  const [day] = read(['13/01/2021', '02/01/2021']).values;
  assert.equal(day, 18_640);
  assert.equal(read(['01/13/2021', '01/02/2021']).values[0], 18_640);
  assert.match(
    read(['01/02/2021', '02/01/2021']).notes,
    /"01\/02\/2021" as 2021-01-02 \(the order of day and month is ambiguous\)/,
  );
  assert.match(read(['01/02/2021', '02/01/2021'], { delimiter: ';' }).notes, /"01\/02\/2021" as 2021-02-01/);
  assert.deepEqual(read(['6:00', 'NaT', '']).values, [0.25, Number.NaN, Number.NaN]);
});

test('a marker in text: a word is its own category, with a note, the others are missing', () => {
  const { column, notes } = read(['Gravel', 'None', '?', 'Paved', '']);
  assert.deepEqual(column.cells, ['Gravel', 'None', '', 'Paved', '']);
  assert.equal(notes, 'Column "c": "None" is read as a category, not as a missing value.');
});

test('a row encodes alone as it does among all rows of its file', () => {
  const cell = fc.oneof(
    fc.integer({ min: -5000, max: 5000 }).map(String),
    fc.integer({ min: 0, max: 99_999 }).map((n) => n.toLocaleString('en-US')),
    fc.integer({ min: 0, max: 99_999 }).map((n) => `${(n / 10).toFixed(1)} kg`),
    fc.integer({ min: 0, max: 20_000 }).map((n) => new Date(n * 86_400_000).toISOString().slice(0, 10)),
    fc.constantFrom('', 'NA', '?', 'inf', 'a', 'b', 'None', 'c', '1700000000123'),
  );
  const column = fc.oneof(
    fc.array(cell, { minLength: 6, maxLength: 40 }),
    // Of one kind, so that numbers and dates are met, too.
    fc.array(
      fc.integer({ min: 0, max: 1e6 }).map((n) => `$${n.toLocaleString('en-US')}`),
      { minLength: 6, maxLength: 40 },
    ),
    fc.array(
      fc.integer({ min: 0, max: 1e6 }).map((n) => String(1.7e12 + n)),
      { minLength: 6, maxLength: 40 },
    ),
    fc.array(
      fc.oneof(
        { weight: 9, arbitrary: fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map(String) },
        { weight: 1, arbitrary: fc.constantFrom('NA', '-', 'tbd') },
      ),
      {
        minLength: 6,
        maxLength: 40,
      },
    ),
  );
  let numeric = 0;
  fc.assert(
    fc.property(column, (cells) => {
      let found: ReturnType<typeof read>;
      try {
        found = read(cells);
      } catch (error) {
        return error instanceof UserError;
      }
      const encoding = fitEncoding([found.column], 'y', [...cells.keys()].slice(0, 5));
      if (encoding.columns.length === 0) return true;
      if (encoding.columns[0]?.kind === 'number') numeric++;
      const all = encodeColumns(encoding, [found.column], cells.length);
      const width = all.length / cells.length;
      for (const [row, text] of cells.entries()) {
        assert.deepEqual(encodeRow(encoding, { c: text }), all.subarray(row * width, (row + 1) * width), text);
      }
      return all.every(Number.isFinite);
    }),
    { numRuns: 300 },
  );
  assert.ok(numeric > 50, `${numeric} columns of numbers`);
});

test('large offsets are subtracted before 32-bit floats, for the rows that a model is asked about as well', () => {
  const cells = many((k) => String(1_700_000_000_000 + k));
  const { column } = read(cells);
  const encoding = fitEncoding([column], 'y', [...cells.keys()]);
  const all = encodeColumns(encoding, [column], cells.length);
  assert.equal((all[10] as number) - (all[9] as number), 1);
  assert.deepEqual([...encodeRow(encoding, { c: '1700000000010' })], [all[10]]);
  assert.deepEqual([...encodeRow(encoding, { c: 1_700_000_000_010 })], [all[10]]);
});
