import type { Graph, HostTensor } from '../graph/ir.ts';

/** Data for the inputs of one run, by input name. */
export type Feeds = Readonly<Record<string, HostTensor>>;

/** Where graphs run, and how. */
export interface EngineOptions {
  readonly device: 'cpu' | 'webgpu';
  /** Threads inside one operator. */
  readonly threads: number;
}

/** Compiles graphs for one device. Made by `createEngine(runtime, options)`; passed in, never global. */
export interface Engine {
  readonly options: EngineOptions;
  /** `carries` names, for each output that a run keeps on the device, the state entry (a graph input) it replaces. */
  compile(graph: Graph, carries?: Readonly<Record<string, string>>): Promise<Program>;
  /** Puts tensors on the device: weights, running statistics, optimizer state. */
  createState(values: Readonly<Record<string, HostTensor>>): State;
  /** Runs a finished ONNX model (an export) on this device: the parity check of an export. */
  load(model: Uint8Array): Promise<Program>;
}

/** A compiled graph. One run at a time. */
export interface Program {
  /**
   * Runs once. Graph inputs come from `feeds` or, by the same name, from `state`; carried outputs go back into `state`;
   * the other outputs are returned. Throws Error naming an input that is in neither.
   */
  run(feeds: Feeds, state?: State): Promise<Record<string, HostTensor>>;
  /** Seconds it took to lower the graph and to create the session. */
  readonly compileSeconds: number;
  dispose(): Promise<void>;
}

/** Tensors that stay native between runs, shared by programs (training writes them, inference reads them). */
export interface State {
  readonly names: readonly string[];
  /** Copies of the named entries (all by default). */
  read(names?: readonly string[]): Promise<Record<string, HostTensor>>;
  dispose(): void;
}
