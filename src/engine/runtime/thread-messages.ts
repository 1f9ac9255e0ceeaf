/** What `threadedRuntime` and its thread say to each other. */
import type { Shape } from '../../graph/ir.ts';
import type { SessionOptions, ValueInfo } from './runtime.ts';

/** Host values in shared memory, or the number of a tensor that stays on the device. */
export type WireTensor =
  | { readonly shape: Shape; readonly data: Float32Array }
  | { readonly shape: Shape; readonly held: number };

type Named = readonly (readonly [string, WireTensor])[];

export type Request =
  | {
      readonly kind: 'create';
      readonly session: number;
      readonly model: Uint8Array;
      readonly options: SessionOptions;
    }
  | { readonly kind: 'run'; readonly session: number; readonly feeds: Named; readonly into: Named }
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
