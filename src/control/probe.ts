/** Random actions in an environment: whether it works at all, and observations to compare exports on. */
import { invalid } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import type { Samples } from '../data/dataset.ts';
import { type ActionSpec, type Environment, type Lanes, observationSize } from './environment.ts';

/** Actions of some lanes at these shares of their range. */
export function actionsAt(action: ActionSpec, lanes: number, share: () => number): Float32Array {
  if (action.kind === 'discrete')
    return Float32Array.from({ length: lanes }, () => Math.min(action.count - 1, Math.floor(share() * action.count)));
  return Float32Array.from({ length: lanes * action.size }, (_, i) => {
    const [low, high] = [Number(action.low[i % action.size]), Number(action.high[i % action.size])];
    return low + (high - low) * share();
  });
}

/** Takes random steps in lane 0, in one episode after another; `see` is called at each observation, and ends it by false. */
function wander(environment: Environment, labels: readonly (string | number)[], see: (lanes: Lanes) => boolean): void {
  const lanes = environment.open(1);
  try {
    const random = rng(...labels, 'actions');
    for (let episode = 0; ; episode++) {
      lanes.reset(0, rng(...labels, episode));
      while (see(lanes)) {
        if (lanes.terminated[0] === 1 || lanes.truncated[0] === 1) break;
        lanes.step(actionsAt(environment.action, 1, random.float));
      }
      if (lanes.terminated[0] === 0 && lanes.truncated[0] === 0) return;
    }
  } finally {
    lanes.close();
  }
}

/** Steps of a probe. */
const STEPS = 50;

/**
 * The first steps of an environment of a user's own, as numbers that say whether it is still the same. Throws UserError, with place, rule
 * and value, for what it must not answer, and where the same random stream and the same actions give something else.
 */
export function probe(environment: Environment): Float64Array {
  const once = () => {
    const seen: number[] = [];
    let steps = 0;
    wander(environment, ['probe'], (lanes) => {
      seen.push(...lanes.observations, Number(lanes.rewards[0]), Number(lanes.terminated[0]));
      return steps++ < STEPS;
    });
    return Float64Array.from(seen);
  };
  const [first, second] = [once(), once()];
  const at = first.findIndex((value, i) => value !== second[i]);
  if (at >= 0)
    throw invalid(
      `environment "${environment.name}"`,
      `value ${at} of its first steps was ${first[at]}, then ${second[at]}`,
      'the same random stream and the same actions must give the same episode',
    );
  return first;
}

/** Observations of random episodes, for comparisons. */
export function observedSamples(environment: Environment, count: number, shape: readonly number[]): Samples {
  const size = observationSize(environment.observation);
  const seen = new Float32Array(count * size);
  let filled = 0;
  wander(environment, ['observed'], ({ observations }) => {
    seen.set(observations, filled * size);
    return ++filled < count;
  });
  if (shape.reduce((product, extent) => product * extent, 1) !== size)
    throw new Error(`an observation of ${size} numbers has no shape [${shape}]`);
  return {
    count,
    async read(indices, into) {
      for (const [i, index] of indices.entries())
        into.observation?.set(seen.subarray(index * size, (index + 1) * size), i * size);
    },
  };
}
