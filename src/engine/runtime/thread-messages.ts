/** What `threadedRuntime` and its thread say to each other. */
import type { Shape } from '../../graph/ir.ts';
import type { SessionOptions, ValueInfo } from './runtime.ts';

/** Host values in shared memory, or the number of a tensor that stays on the device. */
export type WireTensor =
  | { readonly shape: Shape; readonly data: Float32Array | Int32Array }
  | { readonly shape: Shape; readonly held: number };

type Named = readonly (readonly [string, WireTensor])[];

/**
 * The tensors of one run. The places of a session are its inputs, then its outputs; the thread remembers a few tensors for
 * each (a weight changes between two buffers, a batch between three), since sending one takes long beside a short run.
 */
export interface Placed {
  /** For each place which of its tensors is used: 0 .. REMEMBERED - 1, ONCE, or NONE (an output that nothing was given for). */
  readonly used: readonly number[];
  /** Tensors that the thread does not know yet, and where they are to be remembered. */
  readonly sent: readonly (readonly [place: number, slot: number, tensor: WireTensor])[];
}

export const REMEMBERED = 3;
/** Remembered for this run alone. */
export const ONCE = 3;
export const NONE = -1;

export type Request =
  | {
      readonly kind: 'create';
      readonly session: number;
      readonly model: Uint8Array;
      readonly options: SessionOptions;
    }
  | {
      readonly kind: 'run';
      readonly session: number;
      /** Counts the runs of the session. `behind`: one that has not been answered yet; if it fails, so does this. */
      readonly run: number;
      readonly behind: number | undefined;
      readonly tensors: Placed;
    }
  | { readonly kind: 'dispose'; readonly session: number }
  | { readonly kind: 'free'; readonly held: number };

export interface Answer {
  readonly id: number;
  readonly error?: string;
  readonly result?: {
    readonly inputs?: readonly ValueInfo[];
    readonly outputs?: readonly ValueInfo[];
    /** Outputs that no tensor was given for. */
    readonly fresh?: Named;
    /** That a run took. */
    readonly seconds?: number;
  };
}
