/**
 * Balancing one or two poles on a cart by a continuous force, with and without velocities among the observations: the benchmark of
 * neuroevolution. Wieland 1991; constants, equations and integration as in Stanley and Miikkulainen 2002 and their NEAT C++ code, whose
 * physics are by Gomez: gravity -9.8 m/s^2, cart 1 kg, poles of 0.1 kg and 0.01 kg with half-lengths of 0.5 m and 0.05 m, friction of the
 * joints 2e-6, no friction of the track, Runge-Kutta at 0.01 s with two steps per action, force from -10 N to 10 N, the long pole starts at
 * 0.07 rad, failure at 2.4 m or 36 degrees. The code's bias input (0.5) is not an observation: it belongs to the network. Its action is a
 * sigmoid's output y in [0, 1] and stands for the force (2 y - 1) 10 N.
 */
import { showLimit } from '../../common/rules.ts';
import { defineEnvironment } from '../define.ts';
import type { Environment } from '../environment.ts';
import type { Lane } from '../lane.ts';
import { type Derivatives, physicalLane, rungeKutta } from '../physics.ts';

const GRAVITY = -9.8;
const CART_KG = 1;
const FRICTION = 2e-6;
const STEP_SECONDS = 0.01;
const STEPS_PER_ACTION = 2;
const TRACK_M = 2.4;
/** 36 degrees, with the digits of the code. */
const FALLEN_RAD = 0.628329;
const START_RAD = 0.07;
const FORCE_N = 10;
const LONG = { kg: 0.1, halfLengthM: 0.5 };
const SHORT = { kg: 0.01, halfLengthM: 0.05 };
/** Divisors of the observations: positions in m, velocities, angles in rad. */
const SCALE = { position: 4.8, velocity: 2, angle: 0.52 };
/** Gruau's fitness looks at the last steps before the fall. */
const WINDOW = 100;

export interface PolesOptions {
  /** Whether velocities are observed (default true). Without them a policy needs a memory. */
  readonly velocities?: boolean;
  /** Default 100,000 with velocities; 1,000 without, the length that Gruau's fitness is taken over. */
  readonly maxSteps?: number;
}

/** One pole: state [x, x', angle, angle'] in m, m/s, rad, rad/s. */
export const singlePole = (options: PolesOptions = {}): Environment => poles('pole', 1, options);

/** Two poles: state [x, x', angle 1, angle 1', angle 2, angle 2'] in m, m/s, rad, rad/s. */
export const doublePole = (options: PolesOptions = {}): Environment => poles('double-pole', 2, options);

function poles(kind: string, count: 1 | 2, { velocities = true, maxSteps }: PolesOptions): Environment {
  const limit = maxSteps ?? (velocities ? 100_000 : 1000);
  const state = count === 1 ? SINGLE : DOUBLE;
  // Positions stand at even places, their derivatives after them.
  const seen = [...state.keys()].filter((i) => velocities || i % 2 === 0);
  const bounds = seen.map((i) => (i % 2 === 1 ? Infinity : (i === 0 ? TRACK_M : FALLEN_RAD) / divisor(i)));
  return defineEnvironment({
    name: velocities ? kind : `${kind}-without-velocities`,
    description: `${count === 1 ? 'a pole' : 'two poles'} on a cart, continuous force (Stanley and Miikkulainen 2002)${velocities ? '' : ', velocities hidden'}`,
    observation: {
      shape: [seen.length],
      names: seen.map((i) => `${state[i]}/${divisor(i)}`),
      // The last observation lies outside, by what a step moves.
      low: bounds.map(() => -Infinity),
      high: bounds.map(() => Infinity),
    },
    action: { kind: 'continuous', size: 1, low: [-FORCE_N], high: [FORCE_N], names: ['force (N)'] },
    maxSteps: limit,
    success: {
      rule: `${count === 1 ? 'the pole stands' : 'both poles stand'} for ${showLimit(limit)} steps`,
      holds: ({ terminated }) => !terminated,
    },
    ...(!velocities && {
      fitness:
        "0.1 t/1000 + 0.9 f, where t are the steps balanced, and f = 0.75 / (sum over the last 100 of them of |x| + |x'| + |angle 1| + |angle 1'|), 0 up to t = 100 (Gruau, Whitley and Pyeatt 1996)",
    }),
    state,
    open: () => (velocities ? poleLane(count, seen) : withGruauFitness(poleLane(count, seen))),
  });
}

const SINGLE = ['x', "x'", 'angle', "angle'"];
const DOUBLE = ['x', "x'", 'angle 1', "angle 1'", 'angle 2', "angle 2'"];

const divisor = (i: number): number => (i % 2 === 1 ? SCALE.velocity : i === 0 ? SCALE.position : SCALE.angle);

const BALANCED = Object.freeze({ reward: 1, terminated: false });
const FALLEN = Object.freeze({ reward: 0, terminated: true });

function poleLane(count: 1 | 2, seen: readonly number[]): Lane & { readonly state: Float64Array } {
  const size = 2 + 2 * count;
  const integrate = rungeKutta(size, derivativesOf(count === 1 ? [LONG] : [LONG, SHORT]));
  return physicalLane(size, {
    start(_, state) {
      state.fill(0);
      state[2] = START_RAD;
    },
    observe(state, observation) {
      for (let i = 0; i < seen.length; i++) {
        const at = seen[i] as number;
        observation[i] = (state[at] as number) / divisor(at);
      }
    },
    step(action, state) {
      for (let i = 0; i < STEPS_PER_ACTION; i++) integrate(state, action, STEP_SECONDS);
      return isOutside(state) ? FALLEN : BALANCED;
    },
  });
}

function isOutside(state: Float64Array): boolean {
  if (Math.abs(state[0] as number) > TRACK_M) return true;
  for (let i = 2; i < state.length; i += 2) if (Math.abs(state[i] as number) > FALLEN_RAD) return true;
  return false;
}

/** Wieland's equations. The sines and cosines, which take most of the time, are computed once for each pole. */
function derivativesOf(poles: readonly (typeof LONG)[]): Derivatives {
  const parts = poles.map(({ kg, halfLengthM }) => ({ kg, halfLengthM, moment: kg * halfLengthM }));
  const cosines = new Float64Array(poles.length);
  const pulls = new Float64Array(poles.length);
  return (state, action, into) => {
    let pulled = action[0] as number;
    let mass = CART_KG;
    for (let p = 0; p < parts.length; p++) {
      const { kg, moment } = parts[p] as (typeof parts)[number];
      const angle = state[2 + 2 * p] as number;
      const turn = state[3 + 2 * p] as number;
      const sin = Math.sin(angle);
      const cos = Math.cos(angle);
      const pull = (FRICTION * turn) / moment + GRAVITY * sin;
      pulled += moment * turn * turn * sin + 0.75 * kg * cos * pull;
      mass += kg * (1 - 0.75 * cos * cos);
      cosines[p] = cos;
      pulls[p] = pull;
    }
    const cart = pulled / mass;
    into[0] = state[1] as number;
    into[1] = cart;
    for (let p = 0; p < parts.length; p++) {
      const { halfLengthM } = parts[p] as (typeof parts)[number];
      into[2 + 2 * p] = state[3 + 2 * p] as number;
      into[3 + 2 * p] = (-0.75 * (cart * (cosines[p] as number) + (pulls[p] as number))) / halfLengthM;
    }
  };
}

/** Gruau's fitness, which a cart that shakes to and fro does not get. The step of the fall is not among the last 100, as in the code. */
function withGruauFitness(lane: Lane & { readonly state: Float64Array }): Lane {
  const { state } = lane;
  const restless = new Float64Array(WINDOW);
  let balanced = 0;
  return {
    ...lane,
    reset(rng, observation) {
      balanced = 0;
      lane.reset(rng, observation);
    },
    begin(observation) {
      balanced = 0;
      lane.begin?.(observation);
    },
    step(action, observation) {
      const outcome = lane.step(action, observation);
      if (outcome.terminated) return outcome;
      let sum = 0;
      for (let i = 0; i < 4; i++) sum += Math.abs(state[i] as number);
      restless[balanced++ % WINDOW] = sum;
      return outcome;
    },
    fitness() {
      const quiet = balanced > WINDOW ? 0.75 / restless.reduce((sum, value) => sum + value, 0) : 0;
      return 0.1 * (balanced / 1000) + 0.9 * quiet;
    },
  };
}

/**
 * The 625 starts of the test of generalization (Gruau et al. 1996): x, x', the long pole's angle and its velocity each at 5, 25, 50, 75 and
 * 95 % of ±2.16 m, ±1.35 m/s, ±3.6 and ±8.6 degrees (per second). A policy that balances 1,000 steps from at least 200 of them generalizes.
 * Each is a state for `states.begin` of `doublePole({ maxSteps: 1000, ... })`.
 */
export function generalizationStarts(): readonly (readonly number[])[] {
  const [x, v, angle, turn] = [2.16, 1.35, 0.06283152, 0.15009752].map((most) =>
    [0.05, 0.25, 0.5, 0.75, 0.95].map((share) => (2 * share - 1) * most),
  ) as [number[], number[], number[], number[]];
  return x.flatMap((a) => v.flatMap((b) => angle.flatMap((c) => turn.map((d) => [a, b, c, d, 0, 0]))));
}
