import type { Json } from '../../common/json.ts';
import type { Metrics } from '../../common/metrics.ts';
import type { Artefacts, Report } from '../../estimate/estimator.ts';
import type { Architecture } from '../../space/space.ts';
import type { Start } from '../../strategy/strategy.ts';

/** waiting: proposed, not begun (or begun by a worker that is gone). */
export type TrialState = 'waiting' | 'running' | 'complete' | 'paused' | 'pruned' | 'failed';

/** One look at one candidate. `search` trials are numbered from 0 in the order they were proposed. */
export interface Trial {
  readonly trial: number;
  /** `confirm`: the architecture of search trial `repeats`, trained again with another seed. */
  readonly purpose: 'search' | 'confirm';
  readonly repeats?: number;
  readonly state: TrialState;
  readonly architecture: Architecture;
  /** Index into the study's fidelities. */
  readonly fidelity: number;
  readonly start: Start;
  readonly origin: 'asked' | 'person' | 'earlier study';
  readonly metrics: Metrics;
  /** params, flops, activationBytes. */
  readonly costs: Readonly<Record<string, number>>;
  readonly curve: readonly Report[];
  /** Seconds of computing, and when it began and ended (milliseconds since 1970). */
  readonly seconds: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** The artefact to go on from. */
  readonly checkpoint?: string;
  /** Times it was begun. */
  readonly attempts: number;
  /** Rises each time the trial is handed to a worker; a late writer with an older one is refused. */
  readonly fence: number;
  readonly reason?: string;
}

/** What a study is, fixed when it is created: everything needed to repeat it. */
export interface StudyRecord {
  readonly schema: number;
  readonly name: string;
  readonly createdAt: number;
  /** The settings as the command line checked them; plain JSON. */
  readonly settings: Json;
}

/** Strategy state after some ask or tell; `revision` rises by one with each. */
export interface StrategyState {
  readonly revision: number;
  readonly state: Json;
}

/**
 * Where a study lives. Every method is one transaction. Implementations: SQLite, memory; one conformance suite.
 * A write by a worker carries the trial's fence; StaleWriter is thrown when it is not the newest.
 */
export interface Store {
  readonly artefacts: Artefacts;
  study(): Promise<StudyRecord>;
  strategyState(): Promise<StrategyState>;
  /** All trials, or one purpose, by number. */
  trials(purpose?: Trial['purpose']): Promise<readonly Trial[]>;
  trial(trial: number): Promise<Trial | undefined>;
  /**
   * Adds proposed trials together with the strategy state that proposed them. Throws StaleWriter unless
   * `next.revision` is one above the stored revision.
   */
  propose(trials: readonly Trial[], next: StrategyState): Promise<void>;
  /** Marks a trial as running, with one more attempt and a new fence; returns it. */
  begin(trial: number): Promise<Trial>;
  /** Adds a point to the trial's curve and replaces its checkpoint. */
  report(trial: number, fence: number, report: Report, checkpoint: string | undefined): Promise<void>;
  /** Ends a trial, with the strategy state that has been told of it (absent for `confirm` trials). */
  finish(trial: number, fence: number, end: TrialEnd, next?: StrategyState): Promise<void>;
  /** Puts a running trial back to waiting (its worker is gone); its checkpoint stays. */
  release(trial: number): Promise<void>;
  /** Removes artefacts that no trial refers to. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

export interface TrialEnd {
  readonly state: 'complete' | 'paused' | 'pruned' | 'failed';
  readonly metrics: Metrics;
  readonly seconds: number;
  readonly reason?: string;
  readonly checkpoint?: string;
}

export class StaleWriter extends Error {
  override readonly name = 'StaleWriter';
}
