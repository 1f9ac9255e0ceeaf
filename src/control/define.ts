/** Environments from the behavior of a single lane: those of the package and of a user's own. */
import { invalid } from '../common/errors.ts';
import type { Rng } from '../common/random.ts';
import type { Environment, ObservationSpec } from './environment.ts';
import { openLanes } from './lanes.ts';

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
  /** The physical state, in the order of `EnvironmentDefinition.state`. */
  readonly state?: Float64Array;
  /** Begins an episode in the state that `state` holds. */
  begin?(observation: Float32Array): void;
  close?(): void;
}

/** What `defineEnvironment` is given. */
export interface EnvironmentDefinition extends Omit<Environment, 'open' | 'description'> {
  readonly description?: string;
  open(): Lane;
}

/**
 * An environment from the behavior of one lane. `checkEnvironment` says whether it keeps the rules of an environment. Throws UserError for
 * a specification that contradicts itself.
 */
export function defineEnvironment({ open, description = '', ...rest }: EnvironmentDefinition): Environment {
  const environment = { ...rest, description };
  checkSpecs(environment);
  return Object.freeze({ ...environment, open: (lanes: number) => openLanes(environment, lanes, open) });
}

/** What an environment says of itself, without the way to open it. */
export type EnvironmentFacts = Omit<Environment, 'open'>;

/** Throws UserError, with place, value and rule, where the specifications contradict themselves. */
export function checkSpecs({ name, observation, action, maxSteps }: EnvironmentFacts): void {
  const place = `environment "${name}"`;
  if (!isWhole(maxSteps, 1))
    throw invalid(`${place}: maxSteps`, String(maxSteps), 'must be a whole number, at least 1');
  checkObservation(`${place}: observation`, observation);
  if (action.kind === 'discrete') {
    if (!isWhole(action.count, 2))
      throw invalid(`${place}: action.count`, String(action.count), 'must be a whole number, at least 2');
    checkNames(`${place}: action.names`, action.names, action.count);
    return;
  }
  const { size, low, high } = action;
  if (!isWhole(size, 1)) throw invalid(`${place}: action.size`, String(size), 'must be a whole number, at least 1');
  checkNames(`${place}: action.names`, action.names, size);
  for (const [key, bounds] of Object.entries({ low, high }))
    if (bounds.length !== size || !bounds.every(Number.isFinite))
      throw invalid(`${place}: action.${key}`, JSON.stringify(bounds), `must be ${size} finite numbers`);
  if (low.some((least, i) => least >= Number(high[i])))
    throw invalid(`${place}: action.low`, JSON.stringify(low), 'must be below action.high');
}

function checkObservation(place: string, { shape, names, low, high }: ObservationSpec): void {
  if (shape.length === 0 || !shape.every((extent) => isWhole(extent, 1)))
    throw invalid(`${place}.shape`, JSON.stringify(shape), 'must be whole numbers, at least 1');
  checkNames(`${place}.names`, names, shape[0] ?? 0);
  const size = shape.reduce((product, extent) => product * extent, 1);
  for (const [key, bounds] of Object.entries({ low, high }))
    if (typeof bounds !== 'number' && bounds.length !== size)
      throw invalid(`${place}.${key}`, `${bounds.length} bounds`, `must be one, or ${size}`);
  for (let i = 0; i < size; i++)
    if (!(bound(low, i) <= bound(high, i)))
      throw invalid(`${place}.low`, String(bound(low, i)), `must be at most the upper bound, ${bound(high, i)}`);
}

const bound = (bounds: number | readonly number[], at: number): number =>
  typeof bounds === 'number' ? bounds : (bounds[at] ?? Number.NaN);

function checkNames(place: string, names: readonly string[] | undefined, count: number): void {
  if (names !== undefined && names.length !== count)
    throw invalid(place, `${names.length} names`, `must be ${count}, one for each`);
}

const isWhole = (value: number, least: number): boolean => Number.isInteger(value) && value >= least;
