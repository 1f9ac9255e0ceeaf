import { brand, NetsmithError } from '../common/errors.ts';
import type { Fidelity } from '../common/fidelity.ts';
import type { Metrics } from '../common/metrics.ts';
import type { Rng } from '../common/random.ts';
import type { Spent } from '../common/spent.ts';
import type { Architecture, Space } from '../space/space.ts';
import type { Guards, Mixture } from '../train/checkpoint.ts';
import type { TimeLimit } from '../train/pace.ts';

/** `S`: the space that the estimator expects. Training and proxies expect a tree; a function of your own can take any `SearchSpace`. */
export interface Candidate<S = Space> {
  readonly space: S;
  readonly architecture: Architecture;
}

/** One point of a learning curve: after `step` epochs in all, `seconds` of computing in all. */
export interface Report {
  readonly step: number;
  readonly metrics: Metrics;
  readonly seconds: number;
  /** How the seconds since the previous report were spent, if known. */
  readonly spent?: Spent;
  /** For a mixture supernet: mixture weights, and the architecture with the largest ones at this step. */
  readonly mixture?: Mixture;
  /** For a supernet: the signs of known failures at this step. */
  readonly guards?: Guards;
}

/** The name of a checkpoint (train/checkpoint.ts) among the artifacts of a study. */
export type CheckpointId = string;

/** Bytes kept under the name of their hash (sha256, hexadecimal), reached through the study's store. */
export interface Artifacts {
  put(bytes: Uint8Array): Promise<string>;
  /** Throws Error if there is no such artifact, or if its content does not match the hash. */
  get(hash: string): Promise<Uint8Array>;
}

/** Weights inherited from another network of the space, which may differ in width, depth or operations. */
export interface Inheritance {
  /** The checkpoint of the parent trial. */
  readonly checkpoint: CheckpointId;
  readonly architecture: Architecture;
  /** Width factor of the parent's fidelity. */
  readonly width: number;
}

/** One step of a training. */
export interface StepReport {
  /** From 1. */
  readonly epoch: number;
  /** From 1 within the epoch. */
  readonly step: number;
  readonly loss: number;
}

/** A final training: all epochs on train + validation data, measured on the test part. */
export interface FinalTraining {
  /** Hash of everything that its result depends on; two trials with the same are the same training. */
  readonly id: string;
  readonly epochs: number;
  /** Trains as many of the epochs as fit. */
  readonly time?: TimeLimit;
  /** Repetition, from 0: part of its seed. */
  readonly repetition: number;
  /** A hand-designed network of this name in place of a member of the study's space. */
  readonly baseline?: string;
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
  readonly checkpoint?: CheckpointId;
  /** Only for a final training; estimators of a search never see it. */
  readonly final?: FinalTraining;
  /** Weights to start from if there is no checkpoint; if they cannot be read, initial weights are used. */
  readonly inherit?: Inheritance;
  /** The weights of the study's supernet, by path: those of a candidate are among them. */
  readonly shared?: CheckpointId;
  readonly artifacts: Artifacts;
  /** Called after every epoch with a checkpoint to continue from. The estimator must follow the answer. */
  report(report: Report, checkpoint: CheckpointId | undefined): Promise<'continue' | 'pause' | 'stop'>;
  /** Called after every step of a training, if given. */
  onStep?(step: StepReport): void;
  /** Reports something to the user, such as a lost checkpoint. */
  note?(text: string): void;
}

/** complete: at the requested fidelity; paused, pruned: ended before it, as `report` answered. */
export interface Evaluation {
  readonly state: 'complete' | 'paused' | 'pruned';
  readonly metrics: Metrics;
  readonly curve: readonly Report[];
  readonly seconds: number;
  readonly checkpoint?: CheckpointId;
  /** Other artifacts that it leaves, by name. */
  readonly artifacts?: Readonly<Record<string, string>>;
}

/** Thrown by an estimator for a candidate that cannot be evaluated; the trial fails with this reason, the study continues. */
export class TrialFailure extends NetsmithError {
  static {
    brand(TrialFailure, 'TrialFailure');
  }
  override readonly name = 'TrialFailure';
  readonly code = 'trial-failed';
}

export interface Estimator<S = Space> {
  /**
   * Throws TrialFailure; DataError for samples that cannot be read, and StudyStopped where the machine is at fault: these end
   * the study, not the trial. Rejects with the signal's reason when aborted.
   */
  estimate(candidate: Candidate<S>, run: EstimateRun): Promise<Evaluation>;
  /** Estimates one of the best candidates by a training, where `estimate` does without. Throws as `estimate` does. */
  confirm?(candidate: Candidate<S>, run: EstimateRun): Promise<Evaluation>;
  /**
   * Trains a supernet: weights that all candidates share. Its trial is reported, paused and resumed like a candidate's. Candidates then
   * receive its last checkpoint as `shared`. Throws as `estimate` does.
   */
  trainShared?(space: S, run: EstimateRun): Promise<Evaluation>;
}
