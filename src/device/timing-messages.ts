/** What the target of onnxruntime-node and its process say to each other. */
import type { Timing, TimingRequest } from './target.ts';

export type TimedDevice = 'cpu' | 'webgpu';

/** One model to be timed. */
export interface TimingJob {
  readonly model: Uint8Array;
  readonly device: TimedDevice;
  readonly threads: number;
  readonly request: Omit<TimingRequest, 'signal'>;
}

export type FromTiming =
  /** Its runtime is loaded: `onnxruntime-node 1.30.0`. */
  | { readonly kind: 'ready'; readonly runtime: string }
  /** It is alive: sent now and then, never during a run. */
  | { readonly kind: 'alive' }
  | { readonly kind: 'timed'; readonly timing: Timing }
  | { readonly kind: 'failed'; readonly reason: string };
