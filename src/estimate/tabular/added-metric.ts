import type { Objective } from '../../common/metrics.ts';
import type { Architecture } from '../../space/space.ts';
import { type Cells, architectureRows, numberColumn } from './csv.ts';
import type { Table } from './table.ts';

/** A metric of a table's architectures that was measured elsewhere, such as the latency on a device. */
export interface AddedMetric {
  readonly objective: Objective;
  /** Undefined for an architecture that was not measured. */
  valueOf(architecture: Architecture): number | undefined;
}

/**
 * The table with this metric beside its own and as one more objective. It has no row of an architecture that was not
 * measured.
 */
export function withMetric(table: Table, { objective, valueOf }: AddedMetric): Table {
  return Object.freeze({
    ...table,
    objectives: [...table.objectives, objective] as const,
    lookup(architecture: Architecture, dataset: string) {
      const row = table.lookup(architecture, dataset);
      const value = row && valueOf(architecture);
      if (row === undefined || value === undefined) return undefined;
      return { ...row, metrics: { ...row.metrics, [objective.metric]: value } };
    },
  });
}

/** Latency in ms. */
export const LATENCY: Objective = { metric: 'latency', direction: 'minimize', unit: 'ms' };

export interface LatencyColumns {
  /** The column of the architectures, in the space's notation. */
  readonly architecture: string;
  /** The column of the latencies, in ms. */
  readonly latency: string;
  /** Architectures whose value in this column is below `least` are left out. */
  readonly leaveOut?: { readonly column: string; readonly least: number };
}

/** Latencies from a CSV with a row for each architecture. Throws UserError as `tableOfCells` does. */
export function latencies(place: string, cells: Cells, space: Table['space'], columns: LatencyColumns): AddedMetric {
  const rowOf = architectureRows(place, cells, { space, architecture: columns.architecture });
  const values = numberColumn(place, cells, columns.latency);
  const { leaveOut } = columns;
  const judged = leaveOut && numberColumn(place, cells, leaveOut.column);
  return {
    objective: LATENCY,
    valueOf(architecture) {
      const row = rowOf(architecture);
      if (row === undefined || (leaveOut && judged && (judged[row] ?? Number.NaN) < leaveOut.least)) return undefined;
      return values[row];
    },
  };
}
