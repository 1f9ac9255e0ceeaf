import type { Objective } from '../../common/metrics.ts';
import type { Architecture } from '../../space/space.ts';

/** A moment at which the best so far became better. */
export interface Step {
  /** Seconds, evaluations or environment steps from the beginning of the search. */
  readonly at: number;
  readonly value: number;
}

/** One search with one seed, and its result. */
export interface ComparedRun {
  readonly seed: number;
  /** The study's folder; absent for a search of a table, which leaves none. */
  readonly study?: string;
  /** The best value of the searched metric so far, by rising `at`; empty where `valid` is absent. */
  readonly trajectory: readonly Step[];
  /** Where it ended, as `at`. */
  readonly end: number;
  /** What it chose. */
  readonly architecture: Architecture;
  /** In the space's own notation. */
  readonly text: string;
  /**
   * The searched metric of what it chose, on validation samples. Absent in all runs of a comparison where some have trained nothing:
   * the scores of their estimators cannot be compared with a measured value.
   */
  readonly valid?: number;
  /** The same metric on test samples, where they have been opened. */
  readonly test?: number;
  /** Trials that ended. */
  readonly evaluations: number;
  /** Computing time of all trials together, in seconds. */
  readonly seconds: number;
}

/** One strategy, estimator or configuration, with all its seeds. */
export interface Competitor {
  readonly name: string;
  /** Searches of the same budget and training protocol; each seed once. */
  readonly runs: readonly ComparedRun[];
}

/** Everything that a comparison says; plain data. */
export interface Comparison {
  readonly title: string;
  readonly objective: Objective;
  /** What `at` counts. */
  readonly axis: 'seconds' | 'evaluations' | 'environment steps';
  /** The budget in words. */
  readonly budget: string;
  /** What all runs had in common, in words, by name. */
  readonly protocol: Readonly<Record<string, string>>;
  /** The name of random search of the same budget, against which the others are tested. */
  readonly reference: string;
  readonly competitors: readonly Competitor[];
  /** Decisions of the space. */
  readonly decisions: readonly string[];
  /** The best values that the space has, where they are known: on a table. */
  readonly optimum?: { readonly valid: number; readonly test?: number };
  /** What `test` is. */
  readonly tested: string;
  /** Warnings for the reader. */
  readonly warnings: readonly string[];
  /** Repeats the comparison. */
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
}
