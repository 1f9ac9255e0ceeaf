/** What the environments with a physical state share. */
import type { Rng } from '../common/random.ts';
import type { Lane, Outcome } from './lane.ts';

/** The law of a system whose state is a few numbers. */
export interface Physics {
  /** Writes the state in which an episode begins. */
  start(rng: Rng, state: Float64Array): void;
  observe(state: Float64Array, observation: Float32Array): void;
  /** Changes the state by one step, and says what it has led to. */
  step(action: Float32Array, state: Float64Array): Readonly<Outcome>;
}

/** A lane with `size` numbers of state. */
export function physicalLane(size: number, { start, observe, step }: Physics): Lane & { readonly state: Float64Array } {
  const state = new Float64Array(size);
  return {
    state,
    reset(rng, observation) {
      start(rng, state);
      observe(state, observation);
    },
    begin: (observation) => observe(state, observation),
    step(action, observation) {
      const outcome = step(action, state);
      observe(state, observation);
      return outcome;
    },
  };
}

/** Cosine and sine of both angles, then their speeds, of a state [angle 1, angle 2, angle 1', angle 2', ...]: six observations. */
export function observeJoints(state: Float64Array, observation: Float32Array): void {
  const angle1 = state[0] as number;
  const angle2 = state[1] as number;
  observation[0] = Math.cos(angle1);
  observation[1] = Math.sin(angle1);
  observation[2] = Math.cos(angle2);
  observation[3] = Math.sin(angle2);
  observation[4] = state[2] as number;
  observation[5] = state[3] as number;
}

/** Uniform in [low, high). */
export function uniform(rng: Rng, low: number, high: number): number {
  return low + (high - low) * rng.float();
}

/** Writes the derivatives of `state` with respect to time, under an action that is held. */
export type Derivatives = (state: Float64Array, action: Float32Array, into: Float64Array) => void;

/** The classical Runge-Kutta method of fourth order, in place: one step of `seconds`. Its memory is its own. */
export function rungeKutta(size: number, derivatives: Derivatives) {
  const [k1, k2, k3, k4, at] = Array.from({ length: 5 }, () => new Float64Array(size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const move = (from: Float64Array, along: Float64Array, seconds: number) => {
    for (let i = 0; i < size; i++) at[i] = (from[i] as number) + seconds * (along[i] as number);
  };
  return (state: Float64Array, action: Float32Array, seconds: number): void => {
    derivatives(state, action, k1);
    move(state, k1, seconds / 2);
    derivatives(at, action, k2);
    move(state, k2, seconds / 2);
    derivatives(at, action, k3);
    move(state, k3, seconds);
    derivatives(at, action, k4);
    for (let i = 0; i < size; i++) {
      const slope = (k1[i] as number) + 2 * ((k2[i] as number) + (k3[i] as number)) + (k4[i] as number);
      state[i] = (state[i] as number) + (seconds / 6) * slope;
    }
  };
}
