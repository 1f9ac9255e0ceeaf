import type { Fidelity } from '../../common/fidelity.ts';
import type { Metrics, Objective } from '../../common/metrics.ts';
import type { Architecture, Space } from '../../space/space.ts';

/** What was measured of one architecture on one data set: what a search may see. */
export interface Row {
  /** On validation samples; shares from 0 to 1. */
  readonly metrics: Metrics;
  /** The duration of the trial; undefined if it was not measured. */
  readonly seconds: number | undefined;
  /** params, flops, ...: known before training. */
  readonly costs: Readonly<Record<string, number>>;
}

/**
 * A tabular benchmark: trainings done once, looked up ever after. It has no column of a test split; those are in
 * `report/tabular/`, where no search can read them.
 */
export interface Table {
  readonly name: string;
  readonly space: Space;
  /** Architectures. */
  readonly size: number;
  /** All of them, where the space cannot be enumerated. */
  readonly architectures?: readonly Architecture[];
  readonly datasets: readonly [string, ...string[]];
  /** What the trainings were. */
  readonly fidelity: Fidelity;
  /** What searches are for, unless they say otherwise. */
  readonly objectives: readonly [Objective, ...Objective[]];
  /** Undefined for an architecture that the table does not have. Throws UserError for an unknown data set. */
  lookup(architecture: Architecture, dataset: string): Row | undefined;
}
