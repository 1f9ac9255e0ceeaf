/** Environments from the behavior of a single lane: those of the package and of a user's own. */
import { invalid } from '../common/errors.ts';
import { bound, type Environment, type EnvironmentFacts, type ObservationSpec } from './environment.ts';
import type { Lane } from './lane.ts';
import { openLanes } from './lanes.ts';

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

function checkNames(place: string, names: readonly string[] | undefined, count: number): void {
  if (names !== undefined && names.length !== count)
    throw invalid(place, `${names.length} names`, `must be ${count}, one for each`);
}

const isWhole = (value: number, least: number): boolean => Number.isInteger(value) && value >= least;
