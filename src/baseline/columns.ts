import type { DatasetInfo } from '../data/dataset.ts';
import { featureCount } from '../data/table.ts';
import { sizeOf } from '../graph/ir.ts';
import type { Column } from '../model/boosting.ts';

/** The columns that a sample's values come from: of a table its numbers, dates and categories, of anything else each value is a number. */
export function columnsOf({ input, encoding }: Pick<DatasetInfo, 'input' | 'encoding'>): Column[] {
  if (encoding === undefined) return numbers(0, sizeOf(input));
  let at = 0;
  return encoding.columns.flatMap((column): Column[] => {
    const width = featureCount({ columns: [column] });
    const from = at;
    at += width;
    return column.kind === 'category' ? [{ kind: 'category', at: from, categories: width }] : numbers(from, width);
  });
}

const numbers = (from: number, count: number): Column[] =>
  Array.from({ length: count }, (_, i) => ({ kind: 'number', at: from + i }));
