/** A table whose column of texts is what is classified. */
import { invalid } from '../../common/errors.ts';
import { deepFreeze } from '../../common/json.ts';
import { printable } from '../../common/text.ts';
import { inParts } from '../assemble.ts';
import { tidy } from '../cells.ts';
import type { DataRequest, Dataset } from '../dataset.ts';
import { classLabels, isQuantity, knownClasses } from '../labels.ts';
import { divide, thousands } from '../split.ts';
import { type FittedTexts, fitTexts, textInfo, textSource } from '../text/labeled.ts';
import type { TextColumn } from '../text-table.ts';
import { labelColumn, withoutColumns, withRows } from './csv.node.ts';
import { type OwnPart, ownParts, type PartRows, partColumn, partNote, partTable } from './csv-part.node.ts';
import { existing } from './files.node.ts';
import { readTable, type Table } from './table.node.ts';

/**
 * Classes of texts: the column `text` is read, and the column `label`, by default the last of the others; other columns are not used. Rows
 * without a label or a text are left out, with a note. Validation and test rows are those of `validFile` and `testFile`, or divided from the
 * others.
 *
 * Throws UserError, with file and line, for a column that is absent, a label that is a number to predict, and a class that training rows do not have.
 */
export async function openCsvText(request: DataRequest): Promise<Dataset> {
  if (request.regression === true) throw invalid('--regression', 'true', 'texts have classes, not numbers');
  const whole = withoutColumns(await readTable(await existing('csv', request.dir, 'file')), request);
  const { place } = whole;
  const text = textColumn(whole, request.text ?? '');
  const others = whole.columns.filter((column) => column !== text);
  if (others.length === 0)
    throw invalid(place, `"${printable(text.name)}" is the only column`, 'the table needs a label, too');
  const label = labelColumn(place, others, request.label);
  if (isQuantity(label)) {
    const rule = 'texts have classes, so the label must have a few different values';
    throw invalid(place, `the label "${printable(label.name)}" has many different numbers`, rule);
  }
  const filled = withoutEmpty(whole, text);
  const labels = classLabels(filled.table, columnNamed(filled.table, label.name));
  const table = withRows(filled.table, labels.rows);
  const { targets, names } = labels;
  const texts = columnNamed(table, text.name).cells;
  const parts = divide(
    {
      ...{ place, count: table.rows, classes: { of: targets, names } },
      ...{ ownTest: request.testFile !== undefined, ownValid: request.validFile !== undefined },
    },
    request,
  );
  const training = Array.from(parts.train, (row) => texts[row] ?? '');
  const found = fitTexts(`${place}, column "${printable(text.name)}"`, training, request);
  const fitted = { ...found, encoding: { ...found.encoding, column: text.name, label: label.name } };
  const own = await ownParts(request, (part, file) => readTexts(part, file, names, fitted));
  const unused = others.filter((column) => column !== label).map(({ name }) => `"${printable(name)}"`);
  const notes = [
    `${thousands(table.rows)} rows; the text is the column "${printable(text.name)}", the label the column "${printable(label.name)}" (${names.length} classes).`,
    ...fitted.notes,
    ...(unused.length === 0
      ? []
      : [`Only the text is used; not ${unused.slice(0, 8).join(', ')}${unused.length > 8 ? ', and others' : ''}.`]),
    ...table.notes,
    ...filled.notes,
    ...labels.notes,
    ...own.notes,
  ];
  return inParts(
    {
      info: deepFreeze({ name: 'csv', outputs: names.length, labels: names, ...textInfo(fitted) }),
      pool: textSource(texts, targets, fitted),
      ...{ valid: own.valid, test: own.test },
      notes,
    },
    parts,
  );
}

async function readTexts(
  part: OwnPart,
  path: string,
  names: readonly string[],
  fitted: FittedTexts,
): Promise<PartRows> {
  const table = await partTable(part, path);
  const { column = '', label = '' } = fitted.encoding;
  const filled = withoutEmpty(table, partColumn(part, table, column));
  const { rows, targets, notes } = knownClasses(filled.table, partColumn(part, filled.table, label), names);
  const texts = columnNamed(withRows(filled.table, rows), column).cells;
  return {
    samples: textSource(texts, targets, fitted),
    notes: [partNote(part, path, rows.length), ...table.notes, ...filled.notes, ...notes],
  };
}

/** The column of texts. Throws UserError for one that is absent. */
export function textColumn({ place, columns }: Table, name: string): TextColumn {
  const wanted = tidy(name).replace(/\s+/g, ' ');
  const found = columns.find((column) => column.name === wanted);
  if (found !== undefined) return found;
  const known = columns.map((column) => printable(column.name)).join(', ');
  throw invalid(place, `there is no column "${printable(name)}"`, `the column of texts must be one of ${known}`);
}

/** A column that the table is known to have. */
function columnNamed({ place, columns }: Table, name: string): TextColumn {
  const found = columns.find((column) => column.name === name);
  if (found === undefined) throw new Error(`${place} has no column "${name}"`);
  return found;
}

/** The rows that have a text. A text may be `NA` or `None`: only an empty cell is none. Throws UserError where no row has one. */
function withoutEmpty(table: Table, { name, cells }: TextColumn): { readonly table: Table; readonly notes: string[] } {
  const rows = Int32Array.from([...cells.keys()].filter((row) => cells[row] !== ''));
  if (rows.length === 0)
    throw invalid(table.place, `the column "${printable(name)}" is empty in every row`, 'rows need a text');
  const count = table.rows - rows.length;
  if (count === 0) return { table, notes: [] };
  const line = thousands(table.lines[cells.indexOf('')] ?? 0);
  const whose = count === 1 ? '1 row without a text is' : `${thousands(count)} rows without a text are`;
  return { table: withRows(table, rows), notes: [`${whose} left out (the first in line ${line}).`] };
}
