import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { numberIn } from './cells.ts';
import { readColumn } from './columns.ts';
import type { TableEncoding } from './dataset.ts';
import { columnNotes } from './notes.ts';
import { encodeColumns, encodeRow, featureCount, fitEncoding } from './table.ts';
import type { TextColumn } from './text-table.ts';

const encoding: TableEncoding = {
  columns: [
    { name: 'age', kind: 'number', missing: 40 },
    { name: 'color', kind: 'category', categories: ['blue', 'red', ''] },
    { name: 'size', kind: 'category', categories: ['L', 'S'] },
  ],
  label: 'species',
};

/** Reads columns as those of a file, and fits their encoding. */
function fittedTo(columns: readonly TextColumn[], train: readonly number[]) {
  const rows = columns[0]?.cells.length ?? 0;
  const lines = Array.from({ length: rows }, (_, row) => row + 2);
  const table = { place: 'table', columns, rows, lines, delimiter: ',', decimal: undefined };
  const notes = columnNotes();
  const read = columns.map((column) => readColumn(table, column, notes));
  const encoding = fitEncoding(read, 'y', train, notes);
  return { encoding, features: encodeColumns(encoding, read, rows), notes: notes.sentences() };
}

const all = (length: number) => Array.from({ length }, (_, k) => k);

test('a row becomes numbers and one feature for each category; other columns do not matter', () => {
  assert.equal(featureCount(encoding), 6);
  assert.deepEqual([...encodeRow(encoding, { size: 'S', color: 'red', age: '3.5', other: 'x' })], [3.5, 0, 1, 0, 0, 1]);
  assert.deepEqual([...encodeRow(encoding, { size: ' L ', color: ' blue', age: -2 })], [-2, 1, 0, 0, 1, 0]);
});

test('missing: the median, the own category, or zeros where there is none; unknown categories are zeros', () => {
  for (const missing of ['', ' ', '?', 'NA', 'NaN', null, undefined, Number.NaN]) {
    assert.deepEqual([...encodeRow(encoding, { age: missing, color: missing, size: missing })], [40, 0, 0, 1, 0, 0]);
  }
  assert.deepEqual([...encodeRow(encoding, { age: 1, color: 'green', size: 'XL' })], [1, 0, 0, 0, 0, 0]);
});

test('a row without a column, or with text for a number, is refused', () => {
  assert.throws(() => encodeRow(encoding, { age: 1, size: 'S' }), /no column "color".*age, color, size/);
  assert.throws(() => encodeRow(encoding, { age: 'old', color: 'red', size: 'S' }), /column "age": the value is "old"/);
});

test('the encoding is fitted on the training rows alone', () => {
  const columns = [
    { name: 'n', cells: ['1', '2', '', '9', '1000'] },
    { name: 'c', cells: ['b', 'a', 'a', '?', 'only in row 4'] },
    { name: 'late', cells: ['', '', '', '', '5'] },
  ];
  const { encoding: fitted, notes } = fittedTo(columns, [0, 1, 2, 3]);
  assert.deepEqual(fitted.columns, [
    { name: 'n', kind: 'number', missing: 2 },
    { name: 'c', kind: 'category', categories: ['a', 'b', ''] },
  ]);
  assert.deepEqual(notes, ['Column "late": left out, no value in the training rows.']);
  const even = fittedTo(columns, [0, 1]).encoding.columns;
  assert.deepEqual(even[0], { name: 'n', kind: 'number', missing: 1.5 });
  assert.deepEqual(even[1], { name: 'c', kind: 'category', categories: ['a', 'b'] });
});

test('row numbers and texts that differ in almost every row are left out; rare categories beyond 100 are not told apart', () => {
  const rows = all(400);
  const { encoding: fitted, notes } = fittedTo(
    [
      { name: 'Id', cells: rows.map((k) => String(k + 1)) },
      { name: 'year', cells: rows.map((k) => String(k + 1900)) },
      { name: 'name', cells: rows.map((k) => `person ${k}`) },
      { name: 'town', cells: rows.map((k) => (k < 200 ? 'big' : `town ${k % 150}`)) },
    ],
    rows,
  );
  assert.deepEqual(
    fitted.columns.map(({ name }) => name),
    ['year', 'town'],
  );
  const town = fitted.columns[1];
  assert.ok(
    town?.kind === 'category' && town.categories.length === 100 && town.categories.includes('big') && town.other,
  );
  assert.equal(encodeRow(fitted, { year: 1, town: 'unknown' }).at(-1), 1, 'the feature of all others');
  assert.match(
    notes.join('\n'),
    /"Id".*counts the rows.*"name".*differs.*"town": 151 categories, of which the 100 most frequent/s,
  );
});

test('numbers: decimal notation, finite, nothing else', () => {
  for (const text of ['1', '-1.5', '+.5', '2.', '1e3', ' 7 ']) assert.equal(numberIn(text), Number(text));
  for (const text of [
    '',
    'x',
    '0x10',
    '1,5',
    'Infinity',
    '1e999',
    '1 2',
    '1,34',
    '12A',
    'A12',
    '1-2',
    '+-1',
    '(-1)',
    '1 000 00',
    '.',
    '-',
  ])
    assert.equal(numberIn(text), undefined);
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => numberIn(String(x)) === x || x === 0),
  );
});

test('every training cell is met by its own encoding: a category sets exactly one feature', () => {
  const cell = fc.constantFrom('a', 'b', 'c', '', '?', ' d');
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 30 }), (cells) => {
      const { encoding: fitted } = fittedTo(
        [{ name: 'c', cells: cells.map((text) => text.trim()) }],
        all(cells.length),
      );
      if (fitted.columns.length === 0) return new Set(cells.map((text) => text.replace('?', ''))).size === 1;
      return cells.every((text) => encodeRow(fitted, { c: text }).reduce((sum, v) => sum + v, 0) === 1);
    }),
  );
});
