/** Points as sparse rows, and the columns of a table that holds them. */

/** Feature (any whole number) to value; features that are 0 are not there. */
export type SparseRow = ReadonlyMap<number, number>;

/** The features of a table, by their column. */
export interface Columns {
  readonly count: number;
  of(feature: number): number | undefined;
}

/** A column for each feature that these rows have, in the order in which they come; at most `most`. */
export function columnsOf(rows: readonly SparseRow[], most: number): Columns {
  const columns = new Map<number, number>();
  for (const row of rows) {
    for (const feature of row.keys()) {
      if (!columns.has(feature) && columns.size < most) columns.set(feature, columns.size);
    }
  }
  return { count: columns.size, of: (feature) => columns.get(feature) };
}

/** Row-major [rows, width]; features without a column are left out. */
export function denseTable(rows: readonly SparseRow[], columns: Columns, width: number): Float32Array {
  const table = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) {
    for (const [feature, value] of row) {
      const column = columns.of(feature);
      if (column !== undefined) table[i * width + column] = value;
    }
  }
  return table;
}
