import type { Graph, HostTensor, IntTensor } from '../graph/ir.ts';
import type { Device, MemoryPolicy } from './runtime/runtime.ts';

/** Data for the inputs of one run, by input name. Not copied: it must not change until the run has ended. */
export type Feeds = Readonly<Record<string, HostTensor | IntTensor>>;

/** Where graphs run, and how. */
export interface EngineOptions {
  readonly device: Device;
  /** Threads inside one operator. */
  readonly threads: number;
  /**
   * Whether threads stay awake while they wait for the next operator (default: no). Steps are some 10 % shorter where
   * nothing else wants the cores, and twice as long where something does: for one process alone on its machine.
   */
  readonly spin?: boolean;
  /** auto (the default): what is fastest on the device; portable: NCHW as everywhere. Results differ in rounding. */
  readonly layout?: 'auto' | 'portable';
}

/** What an engine turned out to be. */
export interface EngineTraits extends Required<EngineOptions> {
  /** Channels in a block of the layout in use: 16 (AVX-512), 8 (AVX2), or 0 for NCHW. */
  readonly block: number;
}

export interface CompileOptions {
  /** Inputs whose first axis, the batch, may have another size at each run than the graph was built with (2 or more). */
  readonly openBatch?: readonly string[];
  /**
   * What becomes of the memory of intermediate values (on the CPU): `kept` (the default) by the program from run to run, or
   * `returned` as soon as they have been read, so that large programs that take turns, such as the two steps of a
   * supernet, do not each keep their peak. Returning memory adds no measurable time to a one-second step; a step of small
   * tensors may take twice as long.
   */
  readonly memory?: MemoryPolicy;
}

/** Compiles graphs for one device. Made by `createEngine(runtime, options)`; passed in, never global. */
export interface Engine {
  readonly options: EngineTraits;
  /**
   * Runs all passes over the graph, lowers it, and creates a session. `carries` names, for each output that a run keeps
   * on the device, the state entry (a graph input) it replaces.
   */
  compile(graph: Graph, carries?: Readonly<Record<string, string>>, options?: CompileOptions): Promise<Program>;
  /** Puts copies of the tensors (row-major) on the device: weights, running statistics, optimizer state. */
  createState(values: Readonly<Record<string, HostTensor>>): State;
  /** Runs a finished ONNX model (an export) on this device: the parity check of an export. */
  load(model: Uint8Array): Promise<Program>;
  /** Closes the runtime: this engine's programs and states cannot be used afterwards. Not during a run. */
  dispose(): Promise<void>;
}

/** A compiled graph. */
export interface Program {
  /**
   * Runs once. Graph inputs come from `feeds` or, by the same name, from `state`; carried outputs go back into `state`;
   * the other outputs are returned. Feeds that the program has no input for are ignored.
   *
   * A run that is requested while others of this program run is done after them, and finds the state as they
   * leave it: two at a time keep the device busy. Throws Error naming an input that is in neither or has another shape,
   * and when a state is in use by another program that would change it, or is to be carried into while others
   * read it. The state is as it was before a run that failed; those behind it have failed with it.
   */
  run(feeds: Feeds, state?: State): Promise<Record<string, HostTensor>>;
  /** Seconds it took to lower the graph and to create the session. */
  readonly compileSeconds: number;
  /** Seconds that its runs have taken so far, where they run; what is missing to the caller's time the device was idle. */
  readonly busySeconds: number;
  /** Frees the session; a second time does nothing. Throws Error during a run. */
  dispose(): Promise<void>;
}

/** Tensors that stay native between runs, shared by programs (training writes them, inference reads them). */
export interface State {
  readonly names: readonly string[];
  /** Copies of the named entries (all by default). Throws Error naming one that does not exist. */
  read(names?: readonly string[]): Promise<Record<string, HostTensor>>;
  dispose(): void;
}
