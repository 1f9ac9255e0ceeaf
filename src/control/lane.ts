/** The behavior of one copy of an environment. */
import type { Rng } from '../common/random.ts';

/** What a step has led to. It is read before the next step, so a lane may return the same object each time. */
export interface Outcome {
  reward: number;
  /** The episode has ended by the environment's own rule. */
  terminated: boolean;
}

/** One copy of an environment. */
export interface Lane {
  /** Begins an episode, and writes its first observation: every value. `rng` may be kept for the steps of the episode. */
  reset(rng: Rng, observation: Float32Array): void;
  /**
   * One step. `action` has the numbers of an action (one whole number of a discrete environment), checked and within the bounds;
   * `observation` holds the last one and is to hold the next.
   */
  step(action: Float32Array, observation: Float32Array): Readonly<Outcome>;
  /** Comes before `step`, for all lanes before the first of them takes its step: those that work elsewhere then work together. */
  send?(action: Float32Array): void;
  /** Of the episode until now, where it is not the return. */
  fitness?(): number;
  /** The physical state, in the order of `Environment.state`. */
  readonly state?: Float64Array;
  /** Begins an episode in the state that `state` holds. */
  begin?(observation: Float32Array): void;
  close?(): void;
}
