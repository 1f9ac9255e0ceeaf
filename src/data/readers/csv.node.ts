import { unknownName } from '../../common/closest.ts';
import { invalid } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import { assemble } from '../assemble.ts';
import { tidy } from '../cells.ts';
import { readColumn } from '../columns.ts';
import type { DataRequest, Dataset } from '../dataset.ts';
import { classLabels, isQuantity, numberLabels } from '../labels.ts';
import { columnNotes } from '../notes.ts';
import { memorySource } from '../samples.ts';
import { divide, thousands } from '../split.ts';
import { encodeColumns, featureCount, fitEncoding } from '../table.ts';
import type { TextColumn } from '../text-table.ts';
import { existing } from './files.node.ts';
import { readTable, type Table } from './table.node.ts';

/**
 * A table with a header: see readTable. The label is the column `label`, by default the last. A label is a class or a number to
 * predict, as `regression` says or, where it says nothing, as the label looks (`isQuantity`). `testFile`: another table of the same
 * columns, whose rows are the test part. `exclude`: columns that are left out. See readColumn and fitEncoding for how columns become features; docs/data.md tells
 * it to people.
 */
export async function openCsv(request: DataRequest): Promise<Dataset> {
  const own = await readTable(await existing('csv', request.dir, 'file'));
  const { place } = own;
  if (own.columns.length < 2) {
    const rule =
      'the table needs at least one feature and a label, separated by commas, semicolons, tabs or vertical bars';
    throw invalid(`${place}, line ${thousands(1)}`, `there is ${own.columns.length} column`, rule);
  }
  const { testFile } = request;
  const named = labelColumn(place, own.columns, request.label);
  const left = without(own, named.name, request.exclude);
  const whole =
    testFile === undefined ? left : withTest(left, await readTable(await existing('csv', testFile, 'file')));
  const label = whole.columns.find(({ name }) => name === named.name) ?? named;
  const { regression = isQuantity(label) } = request;
  const inferred = request.regression === undefined && regression;
  const {
    rows,
    targets,
    names,
    offset,
    notes: labelNotes,
  } = regression ? numberLabels(whole, label) : classLabels(whole, label);
  const table = withRows(whole, rows);
  const searched = table.test?.from ?? table.rows;
  checkClasses(table, regression ? [] : names, targets);
  const divided = divide(
    {
      place,
      count: searched,
      ...(!regression && { classes: { of: targets, names } }),
      ownTest: table.test !== undefined,
    },
    request,
  );
  const ownTest = Int32Array.from({ length: table.rows - searched }, (_, i) => searched + i);
  const parts = table.test === undefined ? divided : { ...divided, test: ownTest };
  const notes = columnNotes();
  const columns = table.columns
    .filter(({ name }) => name !== label.name)
    .map((column) => readColumn(table, column, notes));
  const fitted = fitEncoding(columns, label.name, parts.train, notes);
  const encoding = { ...fitted, ...(offset !== undefined && { labelOffset: offset }) };
  const width = featureCount(encoding);
  if (width === 0) {
    const why = notes.sentences().join(' ');
    const rule = 'at least one feature is needed';
    throw invalid(place, `no column except the label "${printable(label.name)}" is usable (${why})`, rule);
  }
  const categorical = encoding.columns.filter(({ kind }) => kind === 'category').length;
  const what = regression ? 'regression' : `${names.length} classes`;
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
      pool: memorySource({ values: encodeColumns(encoding, columns, table.rows), elements: width, targets }),
      notes: [
        `${thousands(searched)} rows; the label is the column "${printable(label.name)}" (${what}).`,
        `${encoding.columns.length - categorical} numeric and ${categorical} categorical columns, ${width} input features.`,
        ...(inferred
          ? [`The label has many different numbers, so they are predicted as numbers (--no-regression: as classes).`]
          : []),
        ...(table.test === undefined
          ? []
          : [`${thousands(ownTest.length)} rows of ${table.test.place} are the test part.`]),
        ...table.notes,
        ...labelNotes,
        ...notes.sentences(),
      ],
    },
    parts,
    request,
  );
}

function labelColumn(place: string, columns: readonly TextColumn[], wanted: string | undefined): TextColumn {
  const name = wanted === undefined ? undefined : tidy(wanted).replace(/\s+/g, ' ');
  const label = name === undefined ? columns.at(-1) : columns.find((column) => column.name === name);
  if (label) return label;
  const known = columns.map((column) => printable(column.name)).join(', ');
  throw invalid(place, `there is no column "${printable(wanted ?? '')}"`, `the label must be one of ${known}`);
}

/** The table without these columns. Throws UserError for one that is not there, and for the label. */
function without(table: Table, label: string, names: readonly string[] = []): Table {
  for (const name of names) {
    if (name === label) throw invalid('exclude', `"${printable(name)}"`, 'is the label');
    if (table.columns.some((column) => column.name === name)) continue;
    const known = table.columns.map((column) => printable(column.name));
    throw unknownName(`exclude: ${table.place} has no column`, name, known);
  }
  return { ...table, columns: table.columns.filter(({ name }) => !names.includes(name)) };
}

/** The rows of a test file after those of the table. Throws UserError where it lacks a column. */
function withTest(table: Table, test: Table): Table {
  const columns = table.columns.map(({ name, cells }) => {
    const same = test.columns.find((column) => column.name === name);
    if (same === undefined)
      throw invalid(`${test.place}, line 1`, `there is no column "${printable(name)}"`, `${table.place} has one`);
    return { name, cells: [...cells, ...same.cells] };
  });
  return {
    ...table,
    columns,
    rows: table.rows + test.rows,
    test: { from: table.rows, place: test.place },
    lines: [...table.lines, ...test.lines],
    numbers: [...table.numbers, ...test.numbers],
    notes: [...table.notes, ...test.notes],
  };
}

/** Throws UserError for a class that the test file alone has. */
function checkClasses(table: Table, names: readonly string[], targets: Float32Array): void {
  const { test } = table;
  if (test === undefined) return;
  const known = new Set(targets.subarray(0, test.from));
  const row = targets.findIndex((target, i) => i >= test.from && names.length > 0 && !known.has(target));
  if (row < 0) return;
  const found = `the class is "${printable(names[targets[row] ?? 0] ?? '')}"`;
  throw invalid(`${test.place}, line ${thousands(table.lines[row] ?? 0)}`, found, `no row of ${table.place} is of it`);
}

/** The rows `rows` of a table. */
function withRows(table: Table, rows: Int32Array): Table {
  if (rows.length === table.rows) return table;
  const kept = <T>(all: readonly T[]) => Array.from(rows, (row) => all[row] as T);
  return {
    ...table,
    columns: table.columns.map(({ name, cells }) => ({ name, cells: kept(cells) })),
    rows: rows.length,
    ...(table.test && { test: { ...table.test, from: rows.filter((row) => row < (table.test?.from ?? 0)).length } }),
    lines: kept(table.lines),
    numbers: kept(table.numbers),
  };
}
