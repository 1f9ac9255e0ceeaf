import { DEVICE_METRICS, type Objective } from '../../common/metrics.ts';
import type { Architecture } from '../../space/space.ts';
import { architectureRows, type Cells, numberColumn } from './csv.ts';
import type { Table } from './table.ts';

/** A metric of a table's architectures that was measured elsewhere, such as the latency on a device. */
export interface AddedMetric {
  readonly objective: Objective;
  /** Undefined for an architecture that was not measured. */
  valueIn(architecture: Architecture): number | undefined;
}

/**
 * The table with this metric beside its own and as one more objective. It has no row of an architecture that was not
 * measured.
 */
export function withTableMetric(table: Table, { objective, valueIn }: AddedMetric): Table {
  return Object.freeze({
    ...table,
    objectives: [...table.objectives, objective] as const,
    lookup(architecture: Architecture, dataset: string) {
      const row = table.lookup(architecture, dataset);
      const value = row && valueIn(architecture);
      if (row === undefined || value === undefined) return undefined;
      return { ...row, metrics: { ...row.metrics, [objective.metric]: value } };
    },
  });
}

/** Latency in ms. */
export const LATENCY: Objective = { metric: 'latency', ...DEVICE_METRICS.latency };

export interface LatencyColumns {
  /** The column of the architectures, in the space's notation. */
  readonly architecture: string;
  /** The column of the latencies, in ms. */
  readonly latency: string;
}

/** Of NAS-Bench-201 (HW-NAS-Bench): cells that are faster on the Raspberry Pi are disconnected, and nothing was computed. */
const DISCONNECTED = { column: 'raspi4_ms', least: 0.2 };

/**
 * Latencies from a CSV with a row for each architecture. Where it has a column `raspi4_ms`, rows below 0.2 there are left
 * out. Throws UserError as `tableOfCells` does.
 */
export function latencies(place: string, cells: Cells, space: Table['space'], columns: LatencyColumns): AddedMetric {
  const rowOf = architectureRows(place, cells, { space, architecture: columns.architecture });
  const values = numberColumn(place, cells, columns.latency);
  const { column, least } = DISCONNECTED;
  const judged = cells.columns.some(({ name }) => name === column) ? numberColumn(place, cells, column) : undefined;
  return {
    objective: LATENCY,
    valueIn(architecture) {
      const row = rowOf(architecture);
      if (row === undefined || (judged?.[row] ?? least) < least) return undefined;
      return values[row];
    },
  };
}
