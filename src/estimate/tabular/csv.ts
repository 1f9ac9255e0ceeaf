import { invalid, messageOf, UserError } from '../../common/errors.ts';
import { readColumn } from '../../data/columns.ts';
import { columnNotes } from '../../data/notes.ts';
import type { TextColumn, TextTable } from '../../data/text-table.ts';
import {
  architectureKey,
  checkArchitecture,
  decisions,
  formatArchitecture,
  parseArchitecture,
} from '../../space/index.ts';
import type { Architecture, DecisionValue, Space } from '../../space/space.ts';
import { describeDomain, parseValue } from '../../space/tree/domain.ts';
import { type TableColumns, tableOfColumns } from './columns.ts';
import type { Table } from './table.ts';

/** A table of text, as a CSV reader gives it. */
export type Cells = Pick<TextTable, 'columns' | 'rows' | 'lines'> & Partial<Pick<TextTable, 'delimiter' | 'decimal'>>;

/** Which architecture each row is of. */
export interface ArchitectureColumns {
  readonly space: Space;
  /** A column with the architecture in the space's own notation; without it, each decision has a column of its name. */
  readonly architecture?: string;
}

/** What the columns of a table are. A column is named by its header; values are taken as they are. */
export interface CsvTableOptions extends ArchitectureColumns, Pick<TableColumns, 'name' | 'fidelity' | 'objectives'> {
  /** For each data set the column of each metric, and that of the seconds that the training took. */
  readonly datasets: Readonly<
    Record<string, { readonly metrics: Readonly<Record<string, string>>; readonly seconds?: string }>
  >;
  /** The column of each cost. */
  readonly costs?: Readonly<Record<string, string>>;
}

/**
 * A table of a CSV with a row for each architecture. A decision that is inactive in an architecture has an empty cell. Throws
 * UserError naming file, line and column for a column that is not there, a value outside its domain, an architecture that stands
 * twice, and a metric that is no number.
 */
export function tableOfCells(place: string, cells: Cells, options: CsvTableOptions): Table {
  const { name, fidelity, objectives, space, datasets, costs = {} } = options;
  const rowOf = architectureRows(place, cells, options);
  const read = (columns: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, numberColumn(place, cells, column)]));
  for (const [dataset, { metrics }] of Object.entries(datasets)) {
    const absent = objectives.find(({ metric }) => metrics[metric] === undefined && costs[metric] === undefined);
    if (absent === undefined) continue;
    throw invalid(`table "${name}", data set "${dataset}"`, `has no column for ${absent.metric}`, 'it is an objective');
  }
  return tableOfColumns({
    ...{ name, space, fidelity, objectives, rowOf, size: cells.rows, costs: read(costs) },
    datasets: Object.fromEntries(
      Object.entries(datasets).map(([dataset, { metrics, seconds }]) => [
        dataset,
        { metrics: read(metrics), ...(seconds !== undefined && { seconds: numberColumn(place, cells, seconds) }) },
      ]),
    ),
  });
}

/** The row of each architecture. Errors as `tableOfCells`. */
export function architectureRows(
  place: string,
  cells: Cells,
  { space, architecture: column }: ArchitectureColumns,
): (architecture: Architecture) => number | undefined {
  const names = decisions(space).map(({ name }) => name);
  const keyOf = (architecture: Architecture) =>
    space.members === undefined
      ? JSON.stringify(names.map((name) => architecture[name] ?? null))
      : architectureKey(architecture);
  const read = column === undefined ? readDecisions(place, cells, space) : readNotation(place, cells, space, column);
  const rows = new Map<string, number>();
  for (let row = 0; row < cells.rows; row++) {
    const architecture = read(row);
    const key = keyOf(architecture);
    const earlier = rows.get(key);
    if (earlier !== undefined) {
      const found = `the architecture ${formatArchitecture(space, architecture)} is already in line ${cells.lines[earlier]}`;
      throw invalid(lineOf(place, cells, row), found, 'each architecture must appear only once');
    }
    rows.set(key, row);
  }
  return (architecture) => rows.get(keyOf(architecture));
}

/** A column of finite numbers. Errors as `tableOfCells`. */
export function numberColumn(place: string, cells: Cells, name: string): Float64Array {
  const column = columnOf(place, cells, name);
  const { delimiter = ',', decimal } = cells;
  const read = readColumn({ ...cells, place, delimiter, decimal }, column, columnNotes());
  return Float64Array.from(column.cells, (cell, row) => {
    const value =
      read.kind === 'number' && read.notation.unit === undefined ? read.values[row] : Number(cell || Number.NaN);
    if (value !== undefined && Number.isFinite(value)) return value;
    throw invalid(`${lineOf(place, cells, row)}, column "${name}"`, `the value is "${cell}"`, 'must be a number');
  });
}

function readDecisions(place: string, cells: Cells, space: Space): (row: number) => Architecture {
  const columns = decisions(space).map(({ name, domain }) => ({ domain, ...columnOf(place, cells, name) }));
  return (row) => {
    const found: Record<string, DecisionValue> = {};
    for (const { name, domain, cells: texts } of columns) {
      const text = texts[row] ?? '';
      if (text === '') continue; // Inactive, or missing: the space knows which.
      const value = parseValue(domain, text);
      if (value === undefined) {
        const where = `${lineOf(place, cells, row)}, column "${name}"`;
        throw invalid(where, `the value is "${text}"`, `must be ${describeDomain(domain)}`);
      }
      found[name] = value;
    }
    return located(lineOf(place, cells, row), () => checkArchitecture(space, found));
  };
}

function readNotation(place: string, cells: Cells, space: Space, name: string): (row: number) => Architecture {
  const column = columnOf(place, cells, name);
  return (row) => {
    const where = `${lineOf(place, cells, row)}, column "${name}"`;
    return located(where, () => parseArchitecture(space, column.cells[row] ?? ''));
  };
}

function located<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UserError(`${where}: ${messageOf(error)}`);
  }
}

function columnOf(place: string, { columns }: Cells, name: string): TextColumn {
  const found = columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const names = columns.map((column) => column.name).join(', ');
  throw invalid(`${place}, line 1`, `there is no column "${name}"`, `the columns are ${names}`);
}

function lineOf(place: string, { lines }: Cells, row: number): string {
  return `${place}, line ${lines[row]}`;
}
