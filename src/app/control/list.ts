import type { Environment } from '../../control/environment.ts';
import { ENVIRONMENTS, type EnvironmentName } from '../../control/index.ts';
import { presetOf } from '../../control/presets.ts';

/** An environment as `netsmith environments` lists it, with what a study in it has unless told otherwise. */
export interface ListedEnvironment {
  readonly name: string;
  readonly description: string;
  /** Extents of an observation. */
  readonly observation: readonly number[];
  readonly actions: string;
  readonly maxSteps: number;
  readonly success: string;
  readonly trainer: string;
  readonly envSteps: number;
}

export function listedEnvironments(): readonly ListedEnvironment[] {
  const all: Readonly<Record<EnvironmentName, Environment>> = ENVIRONMENTS;
  return Object.entries(all).map(([name, { description, observation, action, maxSteps, success }]) => {
    const { trainer, envSteps } = presetOf(name);
    const numbers = action.kind === 'discrete' ? 0 : action.size;
    const actions =
      action.kind === 'discrete' ? `one of ${action.count}` : numbers === 1 ? '1 number' : `${numbers} numbers`;
    const { rule } = success;
    return { name, description, observation: observation.shape, actions, maxSteps, success: rule, trainer, envSteps };
  });
}
