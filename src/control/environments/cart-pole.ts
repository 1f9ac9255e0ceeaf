/**
 * CartPole: a pole on a cart that is pushed to the left or to the right. Barto, Sutton and Anderson 1983; constants, equations and rules of
 * Gymnasium's CartPole-v1 (bench/parity/control.ts compares step by step). State and observation are [x, x', angle, angle'] in m, m/s, rad
 * and rad/s. The reward is 1 a step, also for the one that ends the episode.
 */
import { defineEnvironment } from '../define.ts';
import type { Environment } from '../environment.ts';
import { physicalLane, uniform } from '../physics.ts';

const GRAVITY = 9.8;
const CART_KG = 1;
const POLE_KG = 0.1;
const HALF_LENGTH_M = 0.5;
const FORCE_N = 10;
const STEP_SECONDS = 0.02;
const TRACK_M = 2.4;
const FALLEN_RAD = (12 * 2 * Math.PI) / 360;
const START = 0.05;
const MASS_KG = CART_KG + POLE_KG;
const POLE_MOMENT = POLE_KG * HALF_LENGTH_M;

export interface CartPoleOptions {
  /** Whether velocities are observed (default true). Without them a policy needs a memory. */
  readonly velocities?: boolean;
}

/** CartPole-v1, or the same without velocities among the observations. */
export function cartPole({ velocities = true }: CartPoleOptions = {}): Environment {
  const state = ['x', "x'", 'angle', "angle'"];
  const most = [2 * TRACK_M, Infinity, 2 * FALLEN_RAD, Infinity];
  const seen = velocities ? [0, 1, 2, 3] : [0, 2];
  const high = seen.map((i) => most[i] as number);
  return defineEnvironment({
    name: velocities ? 'cart-pole' : 'cart-pole-without-velocities',
    description: `a pole on a cart that is pushed left or right: Gymnasium's CartPole-v1${velocities ? '' : ' with velocities hidden'}`,
    observation: {
      shape: [seen.length],
      names: seen.map((i) => state[i] as string),
      low: high.map((bound) => -bound),
      high,
    },
    action: { kind: 'discrete', count: 2, names: ['left', 'right'] },
    maxSteps: 500,
    success: { rule: 'the pole stands for 475 of 500 steps', holds: ({ return: sum }) => sum >= 475 },
    state,
    open: () =>
      physicalLane(4, {
        start(rng, values) {
          for (let i = 0; i < 4; i++) values[i] = uniform(rng, -START, START);
        },
        observe(values, observation) {
          for (let i = 0; i < seen.length; i++) observation[i] = values[seen[i] as number] as number;
        },
        step,
      }),
  });
}

const STANDS = Object.freeze({ reward: 1, terminated: false });
const FELL = Object.freeze({ reward: 1, terminated: true });

function step(action: Float32Array, state: Float64Array) {
  const x = state[0] as number;
  const velocity = state[1] as number;
  const angle = state[2] as number;
  const turn = state[3] as number;
  const force = action[0] === 1 ? FORCE_N : -FORCE_N;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const push = (force + POLE_MOMENT * turn * turn * sin) / MASS_KG;
  const turnRate = (GRAVITY * sin - cos * push) / (HALF_LENGTH_M * (4 / 3 - (POLE_KG * cos * cos) / MASS_KG));
  const speedUp = push - (POLE_MOMENT * turnRate * cos) / MASS_KG;
  const nextX = x + STEP_SECONDS * velocity;
  const nextAngle = angle + STEP_SECONDS * turn;
  state[0] = nextX;
  state[1] = velocity + STEP_SECONDS * speedUp;
  state[2] = nextAngle;
  state[3] = turn + STEP_SECONDS * turnRate;
  return Math.abs(nextX) > TRACK_M || Math.abs(nextAngle) > FALLEN_RAD ? FELL : STANDS;
}
