import type { Fidelity } from '../../common/fidelity.ts';
import type { Json } from '../../common/json.ts';
import type {
  Artifacts,
  CheckpointId,
  Estimator,
  Evaluation,
  FinalTraining,
  Inheritance,
  Report,
  StepReport,
} from '../../estimate/estimator.ts';
import type { Architecture, Space } from '../../space/space.ts';
import type { Purpose } from '../store/store.ts';

/**
 * What the study's process and a worker say to each other: plain data over a channel, one trial at a time.
 *
 *     study ──set up──▶ worker ──ready──▶ study        (or broken: it cannot work at all)
 *     study ──job─────▶ worker ──report─▶ study ──answer──▶ worker ... ──ended | failed──▶ study
 */

/** One look at one candidate, with all that it depends on. */
export interface Job {
  /** supernet: `Estimator.trainShared` in place of `estimate`; confirm: `Estimator.confirm`, where there is one. */
  readonly purpose: Purpose;
  /** The number of the trial. */
  readonly trial: number;
  readonly architecture: Architecture;
  readonly fidelity: Fidelity;
  /** The highest fidelity that the trial may ever reach. */
  readonly fullFidelity: Fidelity;
  /** Labels of the trial's random streams: (study seed, 'trial', number). */
  readonly seed: readonly (string | number)[];
  /** The artifact to continue from. */
  readonly checkpoint?: CheckpointId;
  /** Weights to start from, unless there is a checkpoint. */
  readonly inherit?: Inheritance;
  /** The weights of the study's supernet, once it is trained. */
  readonly shared?: CheckpointId;
  /** Set for a final training. */
  readonly final?: FinalTraining;
  /** Whether each step of a training is to be reported. */
  readonly steps?: boolean;
}

/** `pause` and `stop` end the estimate after this report. */
export type Answer = 'continue' | 'pause' | 'stop';

export type ToWorker =
  | { readonly kind: 'set up'; readonly setUp: WorkerSetUp }
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'answer'; readonly answer: Answer };

export type FromWorker =
  | { readonly kind: 'ready' }
  /** It could not be set up; `user`: for a reason that the user can fix. */
  | { readonly kind: 'broken'; readonly reason: string; readonly fault: 'user' | 'machine' | 'other' }
  | { readonly kind: 'report'; readonly report: Report; readonly checkpoint: CheckpointId | undefined }
  | { readonly kind: 'step'; readonly step: StepReport }
  /** A message for the user; the estimate continues. */
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'ended'; readonly evaluation: Evaluation }
  | { readonly kind: 'failed'; readonly reason: string; readonly fault: Fault };

/** Whose fault a failure is: a candidate's fails its trial; the data's and the machine's stop the study. */
export type Fault = 'candidate' | 'data' | 'machine';

/** What a worker gets before its first job. */
export interface WorkerSetUp {
  /** The study's folder: artifacts are written to `artefacts/` in it by the worker itself. */
  readonly study: string;
  /** Whatever the entry module needs to build its estimator: settings of the study, threads, device. */
  readonly settings: Json;
  /** 0 .. workers - 1; a worker that replaces a dead one has its number. */
  readonly index: number;
}

/** What a worker works with. Only the estimator uses the space. */
export interface Bench<S = Space> {
  readonly space: S;
  readonly estimator: Estimator<S>;
}

/** The study's side of one worker, wherever it runs. */
export interface WorkerHandle {
  send(message: ToWorker): void;
  /** Ends it at once; its exit follows. */
  kill(): void;
}

/** Starts a worker. `receive` is called for each message, `exited` once, when it has ended, with the reason if it is known. */
export type Spawn = (
  index: number,
  receive: (message: FromWorker) => void,
  exited: (reason: string) => void,
) => WorkerHandle;

/** The worker's side. */
export interface WorkerChannel {
  send(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

/** Builds what a worker works with. UserError: a reason that the user can fix. */
export type MakeBench<S = Space> = (setUp: WorkerSetUp) => Promise<Bench<S>>;

export type MakeArtifacts = (setUp: WorkerSetUp) => Artifacts;
