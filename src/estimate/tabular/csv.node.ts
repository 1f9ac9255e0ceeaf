import { existing } from '../../data/readers/files.node.ts';
import { readTable } from '../../data/readers/table.node.ts';
import { type CsvTableOptions, tableOfCells } from './csv.ts';
import type { Table } from './table.ts';

/** A tabular benchmark of a CSV (comma, semicolon or tab; gzipped or not). Throws UserError as `readTable` and `tableOfCells` do. */
export async function openCsvTable(file: string, options: CsvTableOptions): Promise<Table> {
  const path = await existing('table', file, 'file');
  return tableOfCells(`csv file "${path}"`, await readTable(path), options);
}
