/** A file of validation or test rows for a table: the columns and labels of the training file, encoded as the training encodes them. */
import { basename } from 'node:path';
import { invalid, UserError } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import type { OwnTest } from '../assemble.ts';
import { tidy } from '../cells.ts';
import type { DataRequest, Samples, TableEncoding } from '../dataset.ts';
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

/** The rows of a part's own file, and what there is to say of them. */
export interface PartRows {
  readonly samples: Source;
  readonly notes: readonly string[];
}

export type OwnPart = 'validation' | 'test';

/** The parts that have files of their own, for `Found`. */
export interface OwnParts {
  readonly valid: Samples | undefined;
  readonly test: OwnTest | undefined;
  readonly notes: readonly string[];
}

/**
 * Reads both files now, so that a fault in the test rows is not found after the search; `test.open` reads them again. Throws as `read`.
 */
export async function ownParts(
  { validFile, testFile }: Pick<DataRequest, 'validFile' | 'testFile'>,
  read: (part: OwnPart, file: string) => Promise<PartRows>,
): Promise<OwnParts> {
  const valid = validFile === undefined ? undefined : await read('validation', validFile);
  const notes = valid?.notes ?? [];
  if (testFile === undefined) return { valid: valid?.samples, test: undefined, notes };
  const test = await read('test', testFile);
  const open = async () => (await read('test', testFile)).samples;
  return { valid: valid?.samples, test: { count: test.samples.count, open }, notes: [...notes, ...test.notes] };
}

/** The table of a part. Throws UserError for a file that is absent or damaged. */
export async function partTable(part: OwnPart, path: string): Promise<Table> {
  return readTable(await existing(`csv, ${part} rows`, path, 'file'));
}

/** How a part's own file is named in the notes. */
export function partNote(part: OwnPart, path: string, rows: number): string {
  const count = `${thousands(rows)} row${rows === 1 ? '' : 's'}`;
  return `The ${part} split is the file "${printable(basename(path))}" (${count}).`;
}

/**
 * The rows of a part's file. Throws UserError, with file and line, for a column that is absent, a cell that is no number where the training
 * has numbers, and a label that the training does not have. Rows without a label are left out, with a note.
 */
export async function readPart(part: OwnPart, path: string, { encoding, classes }: TrainingTable): Promise<PartRows> {
  const table = await partTable(part, path);
  const label = partColumn(part, table, encoding.label);
  for (const { name } of encoding.columns) partColumn(part, table, name);
  const { rows, targets, notes } =
    classes === undefined ? numbers(table, label, encoding.labelOffset) : knownClasses(table, label, classes);
  const width = featureCount(encoding);
  const values = new Float32Array(rows.length * width);
  for (const [at, row] of rows.entries()) values.set(encoded(table, encoding, row), at * width);
  return {
    samples: memorySource({ values, elements: width, targets }),
    notes: [partNote(part, path, rows.length), ...table.notes, ...notes],
  };
}

/** The column of a part's table. Throws UserError for one that is absent. */
export function partColumn(part: OwnPart, { place, columns }: Table, name: string): TextColumn {
  const found = columns.find((column) => column.name === tidy(name));
  if (found !== undefined) return found;
  throw invalid(
    `${place}, line ${thousands(1)}`,
    `there is no column "${printable(name)}"`,
    `${part} rows need the columns of the training file`,
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
