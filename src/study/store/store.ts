import { brand, NetsmithError } from '../../common/errors.ts';
import type { Json } from '../../common/json.ts';
import type { Metrics } from '../../common/metrics.ts';
import type { Artifacts, CheckpointId, FinalTraining, Report } from '../../estimate/estimator.ts';
import type { Architecture } from '../../space/space.ts';
import type { Start } from '../../strategy/strategy.ts';

/** waiting: proposed, not begun (or begun by a worker that has ended). */
export type TrialState = 'waiting' | 'running' | 'complete' | 'paused' | 'pruned' | 'failed';

/**
 * What a trial is for. search: a candidate that the strategy proposed. confirm: one of the best again, with another seed. supernet: the
 * training of shared weights. evaluate: the final training of one seed, on train + validation data, measured on the test part.
 */
export const PURPOSES = ['search', 'confirm', 'supernet', 'evaluate'] as const;
export type Purpose = (typeof PURPOSES)[number];

/** Names a trial: each purpose numbers its trials from 0. Every Trial is one. */
export interface TrialKey {
  readonly purpose: Purpose;
  readonly trial: number;
}

/** One look at one candidate. Trials of a purpose are numbered from 0 in the order they were proposed. */
export interface Trial extends TrialKey {
  readonly trial: number;
  readonly purpose: Purpose;
  /** `confirm`: the search trial whose architecture is trained again with another seed. */
  readonly repeats?: number;
  /** Which of that architecture's repetitions this is, from 0: part of its seed. */
  readonly repeatIndex?: number;
  readonly state: TrialState;
  readonly architecture: Architecture;
  /** Index into the study's fidelities. */
  readonly fidelity: number;
  readonly start: Start;
  readonly origin: 'asked' | 'person' | 'earlier study';
  /** Finite numbers only. For a paused or pruned trial: those of its last report. Empty when failed. */
  readonly metrics: Metrics;
  /** params, flops, activationBytes. */
  readonly costs: Readonly<Record<string, number>>;
  /** By rising step. */
  readonly curve: readonly Report[];
  /** Seconds of computing, and when it first began and ended (milliseconds since 1970). */
  readonly seconds: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** The artifact to continue from. */
  readonly checkpoint?: CheckpointId;
  /** Other artifacts that it has left, by name. */
  readonly artifacts?: Readonly<Record<string, string>>;
  /** Only for an `evaluate` trial. */
  readonly final?: FinalTraining;
  /** Times it was begun. */
  readonly attempts: number;
  /** Rises each time the trial is handed to a worker; a late writer with an older one is refused. */
  readonly fence: number;
  readonly reason?: string;
}

/**
 * A complete trial of an earlier study of the same space, which the strategy was told before this study began. It counts for nothing
 * else: not for the budget, and not for what is best.
 */
export interface EarlierTrial extends Pick<Trial, 'architecture' | 'metrics' | 'costs' | 'seconds'> {
  /** The name of that study, and the trial's number there. */
  readonly study: string;
  readonly trial: number;
}

/** The schema that this version writes. It reads older ones, brings them up to date when it writes, and refuses newer. */
export const SCHEMA = 5;

/** What a study is: everything needed to repeat it. */
export interface StudyRecord {
  readonly schema: number;
  readonly name: string;
  readonly createdAt: number;
  /** The settings as the command line checked them; plain JSON. */
  readonly settings: Json;
}

/** How long this study's search has been running so far, over all its sessions. */
export interface Clock {
  readonly searchSeconds: number;
  /** The same times the workers there were: what `spent` of all reports is a part of. Counted since schema 2. */
  readonly workerSeconds: number;
}

/** A study that is to be created; `state` is what the strategy's `init` returned (see `beginning`). */
export interface NewStudy {
  readonly name: string;
  readonly settings: Json;
  readonly state: Json;
  /** The results that `state` already contains; never changed. */
  readonly earlier?: readonly EarlierTrial[];
}

/**
 * Strategy state after some ask or tell; `revision` rises by one with each. What a store gives back equals what it was given, as a
 * strategy's state is plain JSON. The caller must not change it afterwards.
 */
export interface StrategyState {
  readonly revision: number;
  readonly state: Json;
}

/**
 * Where a study lives. Every method is one transaction. Implementations: SQLite, memory; one conformance suite.
 * A write by a worker carries the trial's fence; StaleWriter is thrown when it is not the newest, or when the trial is
 * not running. What a write does to a trial is defined once, in `transitions.ts`.
 */
export interface Store {
  readonly artifacts: Artifacts;
  study(): Promise<StudyRecord>;
  /** Replaces the settings: a study that continues with a larger budget, or on another machine. */
  revise(settings: Json): Promise<void>;
  strategyState(): Promise<StrategyState>;
  /** All trials, by purpose in the order of PURPOSES and by number; or those of one purpose. */
  trials(purpose?: Trial['purpose']): Promise<readonly Trial[]>;
  trial(key: TrialKey): Promise<Trial | undefined>;
  /** Those that the study was created with, in that order. Since schema 3. */
  earlier(): Promise<readonly EarlierTrial[]>;
  /**
   * Adds waiting trials together with the strategy state that proposed them (absent for those that no strategy proposed). Throws
   * StaleWriter unless `next.revision` is one above the stored revision, and Error for a number that is taken.
   */
  propose(trials: readonly Trial[], next?: StrategyState): Promise<void>;
  /** Marks a waiting trial as running, with one more attempt and a new fence; returns it. `costs`: measured since it was proposed. */
  begin(key: TrialKey, costs?: Trial['costs']): Promise<Trial>;
  /**
   * Adds a point to the trial's curve, in place of points of the same or later steps (an attempt that was lost), and
   * replaces its checkpoint unless there is none.
   */
  report(key: TrialKey, fence: number, report: Report, checkpoint: CheckpointId | undefined): Promise<Trial>;
  /** Ends a trial, with the strategy state after its result (absent for those that no strategy proposed). */
  finish(key: TrialKey, fence: number, end: TrialEnd, next?: StrategyState): Promise<Trial>;
  /** Puts a running trial back to waiting (its worker has ended); its curve and checkpoint stay. */
  release(key: TrialKey): Promise<Trial>;
  clock(): Promise<Clock>;
  recordClock(clock: Clock): Promise<void>;
  /** Drops the checkpoints of these ended trials: no trial will continue from them. */
  forget(keys: readonly TrialKey[]): Promise<readonly Trial[]>;
  /** Sets failed trials to waiting, to start from scratch: removes their curve, checkpoint, reason and results. */
  retry(keys: readonly TrialKey[]): Promise<readonly Trial[]>;
  /** Removes those of these artifacts that no trial refers to. */
  discard(hashes: readonly string[]): Promise<void>;
  /**
   * Removes all artifacts that no trial refers to. A worker puts an artifact before the store hears of it, however much later
   * that is: sweep while none is at work.
   */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

export interface TrialEnd {
  readonly state: 'complete' | 'paused' | 'pruned' | 'failed';
  readonly metrics: Metrics;
  readonly seconds: number;
  readonly reason?: string;
  readonly checkpoint?: CheckpointId;
  readonly artifacts?: Readonly<Record<string, string>>;
}

/** A process wrote to a trial or a strategy state that another process has taken over since. */
export class StaleWriter extends NetsmithError {
  static {
    brand(StaleWriter, 'StaleWriter');
  }
  override readonly name = 'StaleWriter';
  readonly code = 'stale-writer';
}
