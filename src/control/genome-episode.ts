/** Episodes of genomes in an environment. */
import type { Rng } from '../common/random.ts';
import { type ActionSpec, actionSize, type Episode, type Lanes } from './environment.ts';
import type { GenomeNetwork } from './genome-network.ts';

/**
 * Plays an episode in lane 0 of lanes with one lane, from a random start, or from a state of the environment. The network forgets its
 * state first. Outputs, from 0 to 1, become an action by `writeAction`. O(steps · connections).
 */
export function playGenome(
  network: GenomeNetwork,
  lanes: Lanes,
  action: ActionSpec,
  start: Rng | ArrayLike<number>,
): Episode {
  network.reset();
  if ('length' in start) lanes.states?.begin(0, start);
  else lanes.reset(0, start);
  const chosen = new Float32Array(actionSize(action));
  while (lanes.terminated[0] === 0 && lanes.truncated[0] === 0) {
    writeAction(action, network.activate(lanes.observations), chosen);
    lanes.step(chosen);
  }
  return lanes.episode(0);
}

/** Discrete: the action with the largest output. Continuous: each output, scaled from [0, 1] to the bounds of its number. */
export function writeAction(action: ActionSpec, outputs: ArrayLike<number>, into: Float32Array): void {
  if (action.kind === 'discrete') {
    let best = 0;
    for (let i = 1; i < action.count; i++) if ((outputs[i] as number) > (outputs[best] as number)) best = i;
    into[0] = best;
    return;
  }
  for (let i = 0; i < action.size; i++) {
    const low = action.low[i] as number;
    into[i] = low + (outputs[i] as number) * ((action.high[i] as number) - low);
  }
}
