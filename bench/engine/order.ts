/** What bench/engine.ts and its measuring processes say to each other. */
import type { Size, Workload } from './workloads.ts';

/** Actions to be timed. */
export interface WorkOrder {
  readonly kind: 'work';
  readonly network: Workload['network'];
  readonly size: Size;
  readonly task: Workload['task'];
  readonly batch: number;
  readonly layout: 'auto' | 'portable';
  readonly threads: number;
  /** Names of rows: done one after another, all in the one process. */
  readonly actions: readonly string[];
  /** Timed runs of each. */
  readonly runs: number;
}

/** What the machine and the engine on it can do. */
export interface MachineOrder {
  readonly kind: 'machine';
  readonly threads: number;
}

export type Order = WorkOrder | MachineOrder;

/** One action in one process. */
export interface Measured {
  /** Median of the runs. */
  readonly seconds: number;
  /** Median of the runs' processor time, of all threads of the process. */
  readonly cpuSeconds: number;
  /** The process's largest resident set until the action's end. */
  readonly peakMiB: number;
  /** From the description of the network to the session: graph, passes, lowering, ONNX Runtime's own preparations. */
  readonly openSeconds: number;
  readonly parameters: number;
  readonly multiplyAdds: number;
}

export interface Measurement {
  readonly actions: Readonly<Record<string, Measured>>;
}

export interface Machine {
  /** Channels in a block of the engine's own layout; 0: it has the portable one alone. */
  readonly block: number;
  /** Of a product of two 1024x1024 matrices: two operations a multiply-add, in billions a second. */
  readonly gflops: number;
}
