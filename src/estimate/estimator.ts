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
  /** What the seconds since the report before went to, where the estimator knows. */
  readonly spent?: Spent;
}

/** Bytes kept under the name of their hash (sha256, hexadecimal), reached through the study's store. */
export interface Artefacts {
  put(bytes: Uint8Array): Promise<string>;
  /** Throws Error when there are none of that name, or when they do not have that hash. */
  get(hash: string): Promise<Uint8Array>;
}

/** Weights taken over from another network of the space, which may differ in width, depth or in its operations. */
export interface Inheritance {
  /** The checkpoint of the trial that gives. */
  readonly checkpoint: string;
  readonly architecture: Architecture;
  /** What its widths were scaled by. */
  readonly width: number;
}

export interface EstimateRun {
  readonly fidelity: Fidelity;
  /** The highest fidelity that this trial may ever reach: learning-rate schedules are laid out for it. */
  readonly fullFidelity: Fidelity;
  /** Streams for this trial, the same at every attempt: initial weights, order of samples, augmentation. */
  rng(...labels: readonly (string | number)[]): Rng;
  readonly signal: AbortSignal;
  /**
   * A checkpoint to go on from: the trial's own after a crash or a pause, or another's that it continues. Where it cannot be
   * read, the estimate begins anew.
   */
  readonly checkpoint?: string;
  /** Weights to start from, unless there is a checkpoint to go on from; initial weights where they cannot be read. */
  readonly inherit?: Inheritance;
  readonly artefacts: Artefacts;
  /** After every epoch, with the checkpoint that continues from there. The answer is binding. */
  report(report: Report, checkpoint: string | undefined): Promise<'continue' | 'pause' | 'stop'>;
  /** Something that a person should hear of: a checkpoint that is lost, say. */
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

/** Thrown by an estimator for a candidate that cannot be evaluated; the trial fails with this reason, the study goes on. */
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
