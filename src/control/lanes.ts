/** Many lanes of one environment, driven together. */
import { invalid, type UserError } from '../common/errors.ts';
import type { Rng } from '../common/random.ts';
import {
  type ActionSpec,
  actionSize,
  type EnvironmentFacts,
  type Episode,
  type Lanes,
  observationSize,
} from './environment.ts';
import type { Lane } from './lane.ts';

/** `count` lanes, each made by `open`. Throws UserError for a count that is no whole number from 1. */
export function openLanes(environment: EnvironmentFacts, count: number, open: () => Lane): Lanes {
  const place = `environment "${environment.name}"`;
  if (!Number.isInteger(count) || count < 1)
    throw invalid(`${place}: lanes`, String(count), 'must be a whole number, at least 1');
  const lanes = Array.from({ length: count }, open);
  const values = observationSize(environment.observation);
  const width = actionSize(environment.action);
  const observations = new Float32Array(count * values);
  const own = new Float32Array(count * width);
  const observationOf = lanes.map((_, i) => observations.subarray(i * values, (i + 1) * values));
  const actionOf = lanes.map((_, i) => own.subarray(i * width, (i + 1) * width));
  const rewards = new Float64Array(count);
  // A lane without an episode is an ended one.
  const terminated = new Uint8Array(count).fill(1);
  const truncated = new Uint8Array(count);
  const returns = new Float64Array(count);
  const steps = new Int32Array(count);
  const { maxSteps, success } = environment;

  const isOver = (at: number): boolean => (terminated[at] as number) + (truncated[at] as number) > 0;
  const laneOf = (at: number): Lane => {
    const lane = lanes[at];
    if (lane === undefined) throw new RangeError(`${place} has ${count} lanes, none is number ${at}`);
    return lane;
  };
  const start = (at: number, begin: (observation: Float32Array) => void) => {
    const observation = observationOf[at] as Float32Array;
    // A value that the environment leaves out stays NaN, which is refused below.
    observation.fill(Number.NaN);
    rewards[at] = returns[at] = steps[at] = terminated[at] = truncated[at] = 0;
    begin(observation);
    checkObserved(observation, 0, at);
  };
  const checkObserved = (observation: Float32Array, step: number, at: number) => {
    // Written so that NaN and the infinities are found without a call for each value.
    for (let i = 0; i < observation.length; i++) {
      const value = observation[i] as number;
      if (value - value !== 0) throw notFinite(environment, `observation, value ${i}`, step, at, value);
    }
  };

  const states = environment.state && {
    of: (at: number): Float64Array => stateOf(laneOf(at), place),
    begin(at: number, state: ArrayLike<number>): void {
      const lane = laneOf(at);
      const kept = stateOf(lane, place);
      if (state.length !== kept.length)
        throw invalid(`${place}: state`, `${state.length} numbers`, `must be ${kept.length}`);
      kept.set(state);
      start(at, (observation) => lane.begin?.(observation));
    },
  };

  return {
    count,
    observations,
    rewards,
    terminated,
    truncated,
    returns,
    steps,
    ...(states && { states }),
    reset(at: number, rng: Rng): void {
      const lane = laneOf(at);
      start(at, (observation) => lane.reset(rng, observation));
    },
    step(actions: Float32Array): void {
      if (actions.length !== own.length)
        throw invalid(`${place}: actions`, `${actions.length} numbers`, `must be ${own.length}`);
      own.set(actions);
      for (let at = 0; at < count; at++) {
        if (isOver(at)) continue;
        const action = actionOf[at] as Float32Array;
        if (!isAction(environment.action, action)) throw badAction(environment, action, at);
        (lanes[at] as Lane).send?.(action);
      }
      for (let at = 0; at < count; at++) {
        if (isOver(at)) {
          rewards[at] = 0;
          continue;
        }
        const observation = observationOf[at] as Float32Array;
        const { reward, terminated: hasEnded } = (lanes[at] as Lane).step(actionOf[at] as Float32Array, observation);
        const step = (steps[at] as number) + 1;
        if (reward - reward !== 0) throw notFinite(environment, 'reward', step, at, reward);
        checkObserved(observation, step, at);
        steps[at] = step;
        rewards[at] = reward;
        returns[at] = (returns[at] as number) + reward;
        terminated[at] = hasEnded ? 1 : 0;
        truncated[at] = !hasEnded && step >= maxSteps ? 1 : 0;
      }
    },
    episode(at: number): Episode {
      const lane = laneOf(at);
      const result = { return: returns[at] as number, steps: steps[at] as number, terminated: terminated[at] === 1 };
      const ended = result.terminated || truncated[at] === 1;
      return { ...result, fitness: lane.fitness?.() ?? result.return, succeeded: ended && success.holds(result) };
    },
    close(): void {
      for (const lane of lanes) lane.close?.();
    },
  };
}

/** Whether a policy's numbers are an action. Those of a continuous one are clipped to its bounds, in place. */
function isAction(spec: ActionSpec, action: Float32Array): boolean {
  if (spec.kind === 'discrete') {
    const chosen = action[0] as number;
    return chosen >= 0 && chosen < spec.count && Math.floor(chosen) === chosen;
  }
  for (let i = 0; i < action.length; i++) {
    const value = action[i] as number;
    if (value - value !== 0) return false;
    action[i] = Math.min(Math.max(value, spec.low[i] as number), spec.high[i] as number);
  }
  return true;
}

function badAction({ name, action: spec }: EnvironmentFacts, action: Float32Array, lane: number): UserError {
  const rule =
    spec.kind === 'discrete' ? `must be a whole number from 0 to ${spec.count - 1}` : 'must be finite numbers';
  return invalid(`environment "${name}": action in lane ${lane}`, [...action].join(', '), rule);
}

function notFinite({ name }: EnvironmentFacts, what: string, step: number, lane: number, value: unknown): UserError {
  const at = step === 0 ? 'at the reset' : `at step ${step}`;
  return invalid(`environment "${name}": ${what} ${at} (lane ${lane})`, String(value), 'must be a finite number');
}

function stateOf({ state }: Lane, place: string): Float64Array {
  if (state === undefined)
    throw invalid(`${place}: state`, 'none', 'must be kept by a lane whose environment names it');
  return state;
}
