import { existing } from '../../data/readers/files.node.ts';
import { readTable } from '../../data/readers/table.node.ts';
import { type ArchitectureColumns, architectureRows, numberColumn } from '../../estimate/tabular/csv.ts';
import type { TestAccuracy } from './nas-bench-201-test.ts';

/** The test columns of a CSV table, by data set; errors as `openCsvTable`. */
export async function openCsvTest(
  file: string,
  options: ArchitectureColumns & { readonly columns: Readonly<Record<string, string>> },
): Promise<TestAccuracy> {
  const path = await existing('table', file, 'file');
  const place = `csv file "${path}"`;
  const cells = await readTable(path);
  const rowOf = architectureRows(place, cells, options);
  const columns = new Map(
    Object.entries(options.columns).map(([dataset, column]) => [dataset, numberColumn(place, cells, column)]),
  );
  return (architecture, dataset) => {
    const row = rowOf(architecture);
    return row === undefined ? undefined : columns.get(dataset)?.[row];
  };
}
