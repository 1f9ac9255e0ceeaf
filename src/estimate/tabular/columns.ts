import { invalid } from '../../common/errors.ts';
import type { Fidelity } from '../../common/fidelity.ts';
import type { Objective } from '../../common/metrics.ts';
import type { Architecture, Space } from '../../space/space.ts';
import type { Row, Table } from './table.ts';

type Column = ArrayLike<number>;

/** A table by columns; every column has a value for each row. */
export interface TableColumns {
  readonly name: string;
  readonly space: Space;
  readonly fidelity: Fidelity;
  readonly objectives: readonly [Objective, ...Objective[]];
  readonly size: number;
  /** All, where the space cannot be enumerated. */
  readonly architectures?: readonly Architecture[];
  /** The row of an architecture; undefined where there is none. */
  readonly rowOf: (architecture: Architecture) => number | undefined;
  readonly datasets: Readonly<
    Record<string, { readonly metrics: Readonly<Record<string, Column>>; readonly seconds?: Column }>
  >;
  readonly costs: Readonly<Record<string, Column>>;
}

export function tableOfColumns({ rowOf, datasets, costs, ...about }: TableColumns): Table {
  const [first, ...others] = Object.keys(datasets);
  if (first === undefined) throw invalid(`table "${about.name}"`, 'has no data set', 'at least one is needed');
  const at = (columns: Readonly<Record<string, Column>>, row: number) => {
    const values: Record<string, number> = {};
    for (const name in columns) values[name] = columns[name]?.[row] as number;
    return values;
  };
  return Object.freeze({
    ...about,
    datasets: Object.freeze([first, ...others] as const),
    lookup(architecture: Architecture, dataset: string): Row | undefined {
      const columns = Object.hasOwn(datasets, dataset) ? datasets[dataset] : undefined;
      if (columns === undefined) {
        const rule = `must be one of ${[first, ...others].join(', ')}`;
        throw invalid(`table "${about.name}"`, `has no data set "${dataset}"`, rule);
      }
      const row = rowOf(architecture);
      if (row === undefined) return undefined;
      return { metrics: at(columns.metrics, row), seconds: columns.seconds?.[row], costs: at(costs, row) };
    },
  });
}
