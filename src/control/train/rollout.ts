/** Steps of a policy in N lanes, with the advantages of its actions. */
import type { Rng } from '../../common/random.ts';
import { actionSize, type Environment, type Lanes } from '../environment.ts';
import type { Actor } from './actor.ts';
import type { Distribution } from './distribution.ts';
import type { Scaler } from './scaler.ts';

/** S steps in each of N lanes; step s of lane n is row n·S + s of each array. */
export interface Rollout {
  readonly lanes: number;
  readonly steps: number;
  /** As the network saw them, [N·S, ...]. */
  readonly observations: Float32Array;
  /** As they were drawn, [N·S, width]. */
  readonly actions: Float32Array;
  readonly logProbabilities: Float32Array;
  readonly advantages: Float32Array;
  /** What the value of the state should have been: advantage plus value. */
  readonly returns: Float32Array;
  /** 1 where an episode begins. */
  readonly begins: Uint8Array;
  /** By the memory's name, what was remembered before the step: [N·S, units]. */
  readonly memories: Readonly<Record<string, Float32Array>>;
}

export interface RolloutOptions {
  readonly environment: Environment;
  readonly lanes: Lanes;
  readonly actor: Actor;
  readonly distribution: Distribution;
  /** Steps in each lane. */
  readonly steps: number;
  readonly discount: number;
  /** λ of the generalized advantage estimation: 0 one step, 1 the whole return. */
  readonly lambda: number;
  /** Draws the actions. */
  readonly random: Rng;
  /** Begins the next episode of a lane. */
  begin(lane: number): void;
  /** Counts observations in, where they are scaled. */
  readonly observed?: Scaler | undefined;
  /** Divides rewards by the deviation of their discounted sums, where they are scaled. */
  readonly rewarded?: RewardScaler | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The discounted sum of rewards of each lane's episode until now, and the statistics of these sums. */
export interface RewardScaler {
  readonly sums: Float32Array;
  readonly scaler: Scaler;
}

/**
 * Collects steps, and estimates the advantage of each action (generalized advantage estimation, Schulman et al. 2016, equation 16):
 * A = δ + γλ A', δ = r + γ V(s') − V(s), where nothing follows an episode that has terminated. One that the limit of steps has cut off, and
 * the last step of the rollout, are followed by the value of the state that they led to (Pardo et al. 2018).
 */
export async function collect(options: RolloutOptions): Promise<Rollout> {
  const { environment, lanes, actor, distribution, steps, discount, lambda, random, observed, rewarded } = options;
  const { width, outputs: policyOutputs } = distribution;
  const rows = lanes.count * steps;
  const size = actor.seen.length / lanes.count;
  const observations = new Float32Array(rows * size);
  const actions = new Float32Array(rows * width);
  const logProbabilities = new Float32Array(rows);
  const values = new Float32Array(rows);
  const advantages = new Float32Array(rows);
  const returns = new Float32Array(rows);
  const rewards = new Float64Array(rows);
  const begins = new Uint8Array(rows);
  const ends = new Uint8Array(rows);
  const memories = Object.fromEntries(
    actor.memory.map(({ name, units }) => [name, new Float32Array(rows * units)] as const),
  );
  const taken = new Float32Array(lanes.count * actionSize(environment.action));
  const valueIn = (outputs: Float32Array, lane: number) =>
    outputs[lane * (policyOutputs + 1) + policyOutputs] as number;

  for (let step = 0; step < steps; step++) {
    options.signal?.throwIfAborted();
    observed?.add(lanes.observations);
    for (const { name, units, data } of actor.memory)
      for (let lane = 0; lane < lanes.count; lane++)
        memories[name]?.set(data.subarray(lane * units, (lane + 1) * units), (lane * steps + step) * units);
    const outputs = await actor.act(lanes.observations);
    for (let lane = 0; lane < lanes.count; lane++) {
      const row = lane * steps + step;
      observations.set(actor.seen.subarray(lane * size, (lane + 1) * size), row * size);
      const at = lane * (policyOutputs + 1);
      logProbabilities[row] = distribution.draw(outputs, at, random, actions, row * width);
      values[row] = valueIn(outputs, lane);
      begins[row] = lanes.steps[lane] === 0 ? 1 : 0;
      for (let i = 0; i < width; i++) taken[lane * width + i] = actions[row * width + i] as number;
      distribution.toAction(taken, lane * width);
    }
    lanes.step(taken);
    // The next step evaluates the state that follows. An episode that the limit of steps cut off has no next step.
    const isCut = lanes.truncated.some((cut) => cut === 1);
    const after = isCut ? await actor.look(lanes.observations) : undefined;
    for (let lane = 0; lane < lanes.count; lane++) {
      const row = lane * steps + step;
      const ended = lanes.terminated[lane] === 1 || lanes.truncated[lane] === 1;
      rewards[row] = scaled(rewarded, lane, lanes.rewards[lane] as number, discount, ended);
      if (!ended) continue;
      ends[row] = 1;
      if (after !== undefined && lanes.truncated[lane] === 1)
        rewards[row] = (rewards[row] as number) + discount * valueIn(after, lane);
      options.begin(lane);
      actor.begin(lane);
    }
  }

  const last = await actor.look(lanes.observations);
  for (let lane = 0; lane < lanes.count; lane++) {
    let [advantage, next] = [0, valueIn(last, lane)];
    for (let row = (lane + 1) * steps - 1; row >= lane * steps; row--) {
      const goesOn = 1 - (ends[row] as number);
      const value = values[row] as number;
      const difference = (rewards[row] as number) + discount * next * goesOn - value;
      advantage = difference + discount * lambda * goesOn * advantage;
      advantages[row] = advantage;
      returns[row] = advantage + value;
      next = value;
    }
  }
  return { lanes: lanes.count, steps, observations, actions, logProbabilities, advantages, returns, begins, memories };
}

function scaled(rewarded: RewardScaler | undefined, lane: number, reward: number, discount: number, ended: boolean) {
  if (rewarded === undefined) return reward;
  const { sums, scaler } = rewarded;
  sums[lane] = (sums[lane] as number) * discount + reward;
  scaler.add(sums.subarray(lane, lane + 1));
  if (ended) sums[lane] = 0;
  return reward / scaler.deviation(0);
}
