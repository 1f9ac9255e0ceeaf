import type { Cells } from '../../estimate/tabular/csv.ts';
import { meansOf, nlpRows } from '../../estimate/tabular/nas-bench-nlp.ts';
import { architectureKey } from '../../space/index.ts';
import type { TestAccuracy } from './nas-bench-201-test.ts';

/** Test loss in nats at the epoch of the best validation, mean over the rows of a cell. Throws UserError as `nasBenchNlpOf`. */
export function nasBenchNlpTestOf(place: string, cells: Cells): TestAccuracy {
  const rows = nlpRows(place, cells);
  const values = meansOf(place, cells, rows, 'test_loss');
  const numbers = new Map(rows.architectures.map((one, i) => [architectureKey(one), i]));
  return (architecture) => values[numbers.get(architectureKey(architecture)) ?? -1];
}
