/** The contract of an environment: a task that answers actions with observations and rewards, and has no samples. */
import type { Rng } from '../common/random.ts';
import type { ActionSpec } from '../task/environment.ts';

export type { ActionSpec, ContinuousActions, DiscreteActions } from '../task/environment.ts';

/** What a policy sees. */
export interface ObservationSpec {
  /** Extents without the lanes: `[4]`, or `[C, H, W]` of an image. */
  readonly shape: readonly number[];
  /** A name for each value of a vector, for each channel of an image. */
  readonly names?: readonly string[];
  /** Least and largest value: one for all, or one for each value in row-major order; `-Infinity` and `Infinity` where there is none. */
  readonly low: number | readonly number[];
  readonly high: number | readonly number[];
}

/** The bound of the number at this place, of one for all or one for each. */
export const bound = (bounds: number | readonly number[], at: number): number =>
  typeof bounds === 'number' ? bounds : (bounds[at] ?? Number.NaN);

/** What has become of an episode. */
export interface EpisodeResult {
  /** The sum of its rewards, undiscounted. */
  readonly return: number;
  readonly steps: number;
  /** It ended by the environment's own rule (the pole fell, the goal is reached), not by the limit of steps. */
  readonly terminated: boolean;
}

export interface SuccessRule {
  /** For people: `the pole stands for 475 of 500 steps`. */
  readonly rule: string;
  holds(episode: EpisodeResult): boolean;
}

/** An episode as lanes report it. */
export interface Episode extends EpisodeResult {
  /** What an evolutionary method maximizes: the environment's own fitness, or else the return. */
  readonly fitness: number;
  readonly succeeded: boolean;
}

/** An environment: a description, and lanes on request. It is frozen data; all that changes is in the lanes. */
export interface Environment {
  readonly name: string;
  readonly description: string;
  readonly observation: ObservationSpec;
  readonly action: ActionSpec;
  /** An episode of as many steps ends (truncated), at least 1. */
  readonly maxSteps: number;
  readonly success: SuccessRule;
  /** What the episodes' fitness is, where it is not the return. */
  readonly fitness?: string;
  /** At most this many episodes are played side by side; 64 if absent. */
  readonly mostLanes?: number;
  /** Names of the numbers that make up the whole physical state, where there are such: lanes then have `states`. */
  readonly state?: readonly string[];
  /** `lanes` copies that run side by side, none with an episode yet. Throws UserError where the environment cannot be opened. */
  open(lanes: number): Lanes;
}

/** What an environment says of itself, without the way to open it. */
export type EnvironmentFacts = Omit<Environment, 'open'>;

/**
 * N copies of an environment, the lanes, that take their steps together. The arrays are the same objects all the time and are written in
 * place: a step allocates nothing. An episode depends on its random stream and its actions alone, not on the other lanes or on earlier
 * episodes. A lane whose episode has ended stays as it is (last observation, reward 0) until it is reset.
 */
export interface Lanes {
  readonly count: number;
  /** [N, ...shape] */
  readonly observations: Float32Array;
  /** [N], of the last step. */
  readonly rewards: Float64Array;
  /** [N], 1 where the episode has ended by the environment's own rule. */
  readonly terminated: Uint8Array;
  /** [N], 1 where the limit of steps has ended the episode. */
  readonly truncated: Uint8Array;
  /** [N], of the episode until now. */
  readonly returns: Float64Array;
  /** [N], of the episode until now. */
  readonly steps: Int32Array;
  readonly states?: LaneStates;
  /** Begins an episode; all of its randomness comes from `rng`, for instance `rng(seed, 'episode', 12)`. */
  reset(lane: number, rng: Rng): void;
  /**
   * One step of each lane whose episode has not ended. Actions: [N] whole numbers of a discrete environment, [N, size] of a continuous
   * one; those of ended lanes are not read. Throws UserError for an action that is none, and for an environment of one's own that
   * answers with what is no number.
   */
  step(actions: Float32Array): void;
  /** The episode of a lane, ended or not. */
  episode(lane: number): Episode;
  /** Lets go of processes and the like. Lanes cannot be used afterwards. */
  close(): void;
}

/** The physical state of lanes: for figures, comparisons, and episodes that begin in a given state. */
export interface LaneStates {
  /** In the order of `Environment.state`; the array is the lane's own and changes with it. */
  of(lane: number): Readonly<Float64Array>;
  /** Begins an episode in this state. Throws UserError for a state of another size. */
  begin(lane: number, state: ArrayLike<number>): void;
}

/** Values of an observation. */
export function observationSize({ shape }: ObservationSpec): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Numbers that an action consists of: 1 of a discrete one. */
export function actionSize(action: ActionSpec): number {
  return action.kind === 'discrete' ? 1 : action.size;
}
