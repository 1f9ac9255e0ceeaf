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
import { areTexts, type TextColumn } from '../text-table.ts';
import { ownParts, readPart } from './csv-part.node.ts';
import { existing } from './files.node.ts';
import { readTable, type Table } from './table.node.ts';

/**
 * A table with a header: see readTable. The label is the column `label`, by default the last. A label is a class or a number to
 * predict, as `regression` says or, where it says nothing, as the label looks (`isQuantity`). See readColumn and fitEncoding for how columns become features; docs/data.md tells
 * it to people. Validation and test rows are those of `validFile` and `testFile`, or divided from the others.
 */
export async function openCsv(request: DataRequest): Promise<Dataset> {
  const whole = withoutColumns(await readTable(await existing('csv', request.dir, 'file')), request);
  const { place } = whole;
  if (whole.columns.length < 2) {
    const rule =
      'the table needs at least one feature and a label, separated by commas, semicolons, tabs or vertical bars';
    throw invalid(`${place}, line ${thousands(1)}`, `there is ${whole.columns.length} column`, rule);
  }
  const label = labelColumn(place, whole.columns, request.label);
  if (request.label === undefined && areTexts(label.cells)) {
    const rule = `name the label with --label; to classify these texts, add --text "${printable(label.name)}"`;
    throw invalid(place, `the last column "${printable(label.name)}" has texts that differ in almost every row`, rule);
  }
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
  const parts = divide(
    {
      place,
      count: table.rows,
      ...(!regression && { classes: { of: targets, names } }),
      ownTest: request.testFile !== undefined,
      ownValid: request.validFile !== undefined,
    },
    request,
  );
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
  const classes = regression ? undefined : names;
  const own = await ownParts(request, (part, file) => readPart(part, file, { encoding, classes }));
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
      ...{ valid: own.valid, test: own.test },
      notes: [
        `${thousands(table.rows)} rows; the label is the column "${printable(label.name)}" (${what}).`,
        `${encoding.columns.length - categorical} numeric and ${categorical} categorical columns, ${width} input features.`,
        ...(inferred
          ? ['The label has many different numbers, so they are predicted as numbers (--no-regression: as classes).']
          : []),
        ...table.notes,
        ...labelNotes,
        ...notes.sentences(),
        ...own.notes,
      ],
    },
    parts,
    request,
  );
}

/** The label's column. Throws UserError for one that is absent. */
export function labelColumn(place: string, columns: readonly TextColumn[], wanted: string | undefined): TextColumn {
  const name = wanted === undefined ? undefined : tidy(wanted).replace(/\s+/g, ' ');
  const label = name === undefined ? columns.at(-1) : columns.find((column) => column.name === name);
  if (label) return label;
  const known = columns.map((column) => printable(column.name)).join(', ');
  throw invalid(place, `there is no column "${printable(wanted ?? '')}"`, `the label must be one of ${known}`);
}

/** The table without the columns that the person leaves out. Throws UserError for one that is absent, or is the label. */
export function withoutColumns(table: Table, { exclude = [], label }: Pick<DataRequest, 'exclude' | 'label'>): Table {
  const names = exclude.map((name) => tidy(name).replace(/\s+/g, ' '));
  for (const name of names) {
    if (!table.columns.some((column) => column.name === name)) {
      const known = table.columns.map((column) => printable(column.name)).join(', ');
      throw invalid(table.place, `there is no column "${printable(name)}" to leave out`, `the columns are ${known}`);
    }
    if (name === labelColumn(table.place, table.columns, label).name)
      throw invalid(table.place, `the column "${printable(name)}" is the label`, 'the label cannot be left out');
  }
  return names.length === 0 ? table : { ...table, columns: table.columns.filter(({ name }) => !names.includes(name)) };
}

/** The rows `rows` of a table. */
export function withRows(table: Table, rows: Int32Array): Table {
  if (rows.length === table.rows) return table;
  const kept = <T>(all: readonly T[]) => Array.from(rows, (row) => all[row] as T);
  return {
    ...table,
    columns: table.columns.map(({ name, cells }) => ({ name, cells: kept(cells) })),
    rows: rows.length,
    lines: kept(table.lines),
    numbers: kept(table.numbers),
  };
}
