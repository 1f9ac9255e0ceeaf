/** A file of test rows for a table: the same columns and labels as the training file, encoded as the training encodes them. */
import { basename } from 'node:path';
import { invalid, UserError } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import type { OwnTest } from '../assemble.ts';
import { tidy } from '../cells.ts';
import type { TableEncoding } from '../dataset.ts';
import { knownClasses, type Labels, numberLabels } from '../labels.ts';
import { memorySource, type Source } from '../samples.ts';
import { thousands } from '../split.ts';
import { encodeRow, featureCount } from '../table.ts';
import type { TextColumn } from '../text-table.ts';
import { existing } from './files.node.ts';
import { readTable, type Table } from './table.node.ts';

/** How the training file was read. */
export interface TrainingTable {
  readonly encoding: TableEncoding;
  /** Class names in their order; undefined for a regression. */
  readonly classes: readonly string[] | undefined;
}

/**
 * Reads the file now, so that a fault in it is not found after the search, and again for each `open`. Throws UserError, with file
 * and line, for a column that is absent, a cell that is no number where the training has numbers, and a label that the training
 * does not have. Rows without a label are left out, with a note.
 */
export async function testFile(
  path: string,
  trained: TrainingTable,
): Promise<{ readonly test: OwnTest; readonly notes: readonly string[] }> {
  const { samples, notes } = await readTest(path, trained);
  return { test: { count: samples.count, open: async () => (await readTest(path, trained)).samples }, notes };
}

async function readTest(
  path: string,
  { encoding, classes }: TrainingTable,
): Promise<{ readonly samples: Source; readonly notes: readonly string[] }> {
  const table = await readTable(await existing('csv, test rows', path, 'file'));
  const label = columnOf(table, encoding.label);
  for (const { name } of encoding.columns) columnOf(table, name);
  const { rows, targets, notes } =
    classes === undefined ? numbers(table, label, encoding.labelOffset) : knownClasses(table, label, classes);
  const width = featureCount(encoding);
  const values = new Float32Array(rows.length * width);
  for (const [at, row] of rows.entries()) values.set(encoded(table, encoding, row), at * width);
  const count = `${thousands(rows.length)} row${rows.length === 1 ? '' : 's'}`;
  return {
    samples: memorySource({ values, elements: width, targets }),
    notes: [`The test split is the file "${printable(basename(path))}" (${count}).`, ...table.notes, ...notes],
  };
}

function columnOf({ place, columns }: Table, name: string): TextColumn {
  const found = columns.find((column) => column.name === tidy(name));
  if (found !== undefined) return found;
  throw invalid(
    `${place}, line ${thousands(1)}`,
    `there is no column "${printable(name)}"`,
    'test rows need the columns of the training file',
  );
}

/** Targets less the offset of the training. */
function numbers(table: Table, label: TextColumn, offset = 0): Pick<Labels, 'rows' | 'targets' | 'notes'> {
  const { offset: own = 0, ...labels } = numberLabels(table, label);
  return { ...labels, targets: labels.targets.map((target) => target + own - offset) };
}

function encoded(table: Table, encoding: TableEncoding, row: number): Float32Array {
  const cells = Object.fromEntries(table.columns.map(({ name, cells: own }) => [name, own[row] ?? '']));
  try {
    return encodeRow(encoding, cells);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const line = `${table.place}, line ${thousands(table.lines[row] ?? 0)}`;
    throw new UserError(error.message.replace(/^table row/, () => line));
  }
}
