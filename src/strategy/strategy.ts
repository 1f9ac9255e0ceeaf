import type { Fidelity } from '../common/fidelity.ts';
import type { Json } from '../common/json.ts';
import type { Metrics, Objective } from '../common/metrics.ts';
import type { SearchSpace } from '../space/search-space.ts';
import type { Architecture } from '../space/space.ts';

/** A hard limit on a cost, known before training: params, flops. */
export interface Limit {
  readonly cost: string;
  readonly max: number;
}

/** Everything a strategy knows about the study. */
export interface Problem {
  /** A strategy that models single decisions uses its tree (`treeOf`). */
  readonly space: SearchSpace;
  readonly objectives: readonly [Objective, ...Objective[]];
  readonly limits: readonly Limit[];
  /** The reference point of the hypervolume, where the study states one: a value of each objective. */
  readonly reference?: Metrics;
  readonly seed: number;
  /** The costs of an architecture, by name. */
  costs(architecture: Architecture): Readonly<Record<string, number>>;
  /** The fidelities that an estimate can have, from the cheapest to the full one. */
  readonly fidelities: readonly [Fidelity, ...Fidelity[]];
  /**
   * Where candidates are estimated without a training of their own: the training that confirms the best of them. Its results then count
   * alone, because they cannot be compared with the estimates.
   */
  readonly confirmation?: Fidelity;
}

export type Start =
  | { readonly kind: 'fresh' }
  /** Continue with the weights, optimizer state and schedule of that trial, for more epochs. */
  | { readonly kind: 'continue'; readonly trial: number }
  /**
   * Begin with that trial's weights, of another architecture: where the estimator can, so that the function is preserved
   * (network morphism). The study keeps the checkpoints of `continuable` trials alone.
   */
  | { readonly kind: 'inherit'; readonly trial: number };

export interface Proposal {
  readonly architecture: Architecture;
  /** Index into the problem's fidelities. */
  readonly fidelity: number;
  readonly start: Start;
}

export interface Outcome {
  /** Below 0: of an earlier study; it cannot be continued. */
  readonly trial: number;
  readonly architecture: Architecture;
  readonly fidelity: number;
  readonly state: 'complete' | 'paused' | 'pruned' | 'failed';
  /** Metrics and costs (params, flops); empty for a failed trial. */
  readonly metrics: Metrics;
  readonly seconds: number;
  /** Why it failed. */
  readonly reason?: string;
  readonly origin: 'asked' | 'person' | 'earlier study';
}

/**
 * Pillar 2: proposes what to try next. A strategy never evaluates. All its knowledge is in its state, which is plain JSON
 * and is stored with each trial. State must survive a JSON round trip unchanged (no undefined, -0 or non-finite numbers):
 * a running study keeps the object, a resumed one reads it from disk. `ask` draws its randomness from (problem.seed,
 * trial number), so a resumed study proposes the same architectures as an uninterrupted one. An empty list of proposals
 * means: no proposal before the next `tell`; if no trial is running either, the search is exhausted. The state returned
 * with an empty list is not stored. All proposals are within the problem's limits. Neither method changes the state it
 * receives (which is frozen).
 */
export interface Strategy<S extends Json = Json> {
  readonly name: string;
  /** Throws UserError for an unsupported problem (such as exhaustive search of a continuous space). */
  init(problem: Problem): S;
  /** At most `count` proposals for trials `firstTrial`, `firstTrial + 1`, ... */
  ask(problem: Problem, state: S, firstTrial: number, count: number): Promise<[S, Proposal[]]>;
  /** Takes outcomes in any order, including trials it did not propose and retried trials that had failed before. */
  tell(problem: Problem, state: S, outcomes: readonly Outcome[]): Promise<S>;
  /**
   * The ended trials that it may still continue or inherit from: the study keeps their checkpoints, and no others of a
   * lower fidelity. A strategy without this method does neither.
   */
  continuable?(state: S): readonly number[];
  /**
   * Takes the architectures that the study's supernet has derived, one for each of its epochs, in order; called once, when the supernet is
   * trained. A strategy without this method has no use for them.
   */
  derive?(problem: Problem, state: S, architectures: readonly Architecture[]): Promise<S>;
}
