/**
 * A target: a device with a runtime, on which a network's ONNX model is timed. Named as on the command line: `index.ts`
 * lists them, `open.node.ts` gives each its adapter.
 */

/** Where networks are timed: a device with a runtime. Named as on the command line: `node`, `webgpu`, `browser`, `browser-webgpu`, `command`. */
export interface Target {
  readonly name: string;
  /** Throws UserError where the device is not there. */
  open(): Promise<OpenTarget>;
}

export interface OpenTarget {
  /** For people, and stored beside what was measured: runtime and its version, processor, threads. */
  readonly description: string;
  /** Loads an ONNX model (one input, its first axis the batch, float32) and runs it. Throws UserError for a device that hangs or reports nonsense. */
  time(model: Uint8Array, request: TimingRequest): Promise<Timing>;
  close(): Promise<void>;
}

export interface TimingRequest {
  readonly batch: number;
  /** Runs that are not counted, at least. */
  readonly warmup: number;
  /** Counted runs, at least; more while `seconds` are not over. */
  readonly runs: number;
  readonly seconds: number;
  readonly signal?: AbortSignal;
}

export interface Timing {
  /** Of each counted run, ms for the whole batch. */
  readonly milliseconds: readonly number[];
  /** Peak memory of the process that ran it, where the target can tell. */
  readonly peakBytes?: number;
}
