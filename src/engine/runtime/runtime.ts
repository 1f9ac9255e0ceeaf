/**
 * What an adapter of ONNX Runtime provides. `node.node.ts` adapts onnxruntime-node; one of onnxruntime-web follows. The
 * engine is written against this alone, so that it runs in a browser too.
 */
import type { HostTensor, IntTensor, Shape } from '../../graph/ir.ts';

/** Where a session runs. */
export const DEVICES = ['cpu', 'webgpu', 'cuda'] as const;
export type Device = (typeof DEVICES)[number];

/** Whether what a session keeps lies on the device. The CUDA provider for Node takes and gives host memory alone. */
export const keepsOnDevice = (device: Device): boolean => device === 'webgpu';

/** Whether a session keeps the memory of intermediate values for its next run or gives it back. */
export type MemoryPolicy = 'kept' | 'returned';

export interface SessionOptions {
  readonly device: Device;
  /** Threads inside one operator; operators run one after another. */
  readonly threads: number;
  /** Whether threads stay awake during a run while they wait for the next operator; they do not by default. */
  readonly spin?: boolean;
  /** `none` starts fastest, and is what a training graph wants; `all` folds constants and changes layouts. */
  readonly optimization: 'none' | 'all';
  /** Outputs that stay on the device, to be fed to a later run. */
  readonly keep: readonly string[];
  /** `kept` by default. */
  readonly memory?: MemoryPolicy;
}

/** A tensor in the runtime's hands: host memory that it may read and write, or a buffer of the device. */
export interface RuntimeTensor {
  readonly shape: Shape;
  /** The values of a float32 tensor that lies on the host: the runtime's own memory, not a copy. Undefined otherwise. */
  readonly data: Float32Array | undefined;
  dispose(): void;
}

/** An input or output of a model. A dimension that is only known at run time is a name. */
export interface ValueInfo {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

export interface Session {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Seconds that its runs have taken so far, where they run: without the way to a thread and back. */
  readonly busySeconds: number;
  /**
   * Runs once. A run that is requested while others run is done after them; behind one that fails, it fails too,
   * without being done. Every input is fed; `into` gives host tensors that outputs on the host shall be written to, and these are
   * returned under the output's name; the others are fresh: kept ones on the device, the rest on the host.
   */
  run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    into: Readonly<Record<string, RuntimeTensor>>,
  ): Promise<Record<string, RuntimeTensor>>;
  dispose(): Promise<void>;
}

export interface Runtime {
  /** For messages: `onnxruntime-node 1.30.0`. */
  readonly name: string;
  /** Throws Error with the runtime's own words: no such provider, no driver, a model that it refuses. */
  createSession(model: Uint8Array, options: SessionOptions): Promise<Session>;
  /** A tensor of these values. The array may be used without a copy: it must not change during a run. */
  wrap(tensor: HostTensor | IntTensor): RuntimeTensor;
  /** Lets go of what the runtime holds, such as a thread; nothing can be asked of it afterwards. Not during a run. */
  close(): Promise<void>;
  /** What the user must install or set for this device to be found, if known. */
  missing(device: Device): string;
}
