import type { Fidelity } from '../common/fidelity.ts';
import type { Metrics } from '../common/metrics.ts';
import type { Rng } from '../common/random.ts';
import type { Spent } from '../common/spent.ts';
import type { Architecture, Space } from '../space/space.ts';

export interface Candidate {
  readonly space: Space;
  readonly architecture: Architecture;
}

/** One point of a learning curve: after `step` epochs in all, `seconds` of computing in all. */
export interface Report {
  readonly step: number;
  readonly metrics: Metrics;
  readonly seconds: number;
  /** How the seconds since the previous report were spent, if known. */
  readonly spent?: Spent;
}

/** Bytes kept under the name of their hash (sha256, hexadecimal), reached through the study's store. */
export interface Artefacts {
  put(bytes: Uint8Array): Promise<string>;
  /** Throws Error if there is no such artifact, or if its content does not match the hash. */
  get(hash: string): Promise<Uint8Array>;
}

/** Weights inherited from another network of the space, which may differ in width, depth or operations. */
export interface Inheritance {
  /** The checkpoint of the parent trial. */
  readonly checkpoint: string;
  readonly architecture: Architecture;
  /** Width factor of the parent's fidelity. */
  readonly width: number;
}

export interface EstimateRun {
  /** The number of the trial, from 0. */
  readonly trial: number;
  readonly fidelity: Fidelity;
  /** The highest fidelity that this trial may ever reach: learning-rate schedules are laid out for it. */
  readonly fullFidelity: Fidelity;
  /** Streams for this trial, the same at every attempt: initial weights, order of samples, augmentation. */
  rng(...labels: readonly (string | number)[]): Rng;
  readonly signal: AbortSignal;
  /**
   * A checkpoint to continue from: the trial's own after a crash or a pause, or that of the trial it continues. If it
   * cannot be read, the estimate starts over.
   */
  readonly checkpoint?: string;
  /** Weights to start from if there is no checkpoint; if they cannot be read, initial weights are used. */
  readonly inherit?: Inheritance;
  readonly artefacts: Artefacts;
  /** Called after every epoch with a checkpoint to continue from. The estimator must follow the answer. */
  report(report: Report, checkpoint: string | undefined): Promise<'continue' | 'pause' | 'stop'>;
  /** Reports something to the user, such as a lost checkpoint. */
  note?(text: string): void;
}

/** complete: at the fidelity asked for; paused, pruned: ended before it, as `report` answered. */
export interface Evaluation {
  readonly state: 'complete' | 'paused' | 'pruned';
  readonly metrics: Metrics;
  readonly curve: readonly Report[];
  readonly seconds: number;
  readonly checkpoint?: string;
}

/** Thrown by an estimator for a candidate that cannot be evaluated; the trial fails with this reason, the study continues. */
export class TrialFailure extends Error {
  override readonly name = 'TrialFailure';
}

export interface Estimator {
  /**
   * Throws TrialFailure; DataError for samples that cannot be read, and StudyStopped where the machine is at fault: these end
   * the study, not the trial. Rejects with the signal's reason when aborted.
   */
  estimate(candidate: Candidate, run: EstimateRun): Promise<Evaluation>;
}
