/**
 * Pendulum: a rod on a motor that is to be swung up and held upright. Constants and rules of Gymnasium's Pendulum-v1
 * (bench/parity/control.ts compares step by step): torque from -2 to 2 Nm, 0.05 s a step. State: [angle, angle'] in rad (0 is upright, not
 * wrapped) and rad/s. The reward is -(angle^2 + 0.1 angle'^2 + 0.001 torque^2), by the angle within [-pi, pi).
 */
import { defineEnvironment } from '../define.ts';
import { physicalLane, uniform } from '../physics.ts';

const MOST_TURN = 8;
const MOST_TORQUE = 2;
const STEP_SECONDS = 0.05;
const GRAVITY = 10;
const TURN = 2 * Math.PI;

/** Pendulum-v1. Gymnasium states no threshold of success; a return of -200 means that it was swung up at once and held. */
export const pendulum = defineEnvironment({
  name: 'pendulum',
  description: "a rod to swing up and hold upright: Gymnasium's Pendulum-v1",
  observation: {
    shape: [3],
    names: ['cos angle', 'sin angle', "angle'"],
    low: [-1, -1, -MOST_TURN],
    high: [1, 1, MOST_TURN],
  },
  action: { kind: 'continuous', size: 1, low: [-MOST_TORQUE], high: [MOST_TORQUE], names: ['torque (Nm)'] },
  maxSteps: 200,
  success: { rule: 'a return of at least -200', holds: ({ return: sum }) => sum >= -200 },
  state: ['angle', "angle'"],
  open() {
    const outcome = { reward: 0, terminated: false };
    return physicalLane(2, {
      start(rng, state) {
        state[0] = uniform(rng, -Math.PI, Math.PI);
        state[1] = uniform(rng, -1, 1);
      },
      observe(state, observation) {
        observation[0] = Math.cos(state[0] as number);
        observation[1] = Math.sin(state[0] as number);
        observation[2] = state[1] as number;
      },
      step(action, state) {
        const torque = action[0] as number;
        const angle = state[0] as number;
        const turn = state[1] as number;
        const off = angle + Math.PI;
        // The rest of a floored division, as Python's %.
        const tilt = off - TURN * Math.floor(off / TURN) - Math.PI;
        outcome.reward = -(tilt * tilt + 0.1 * turn * turn + 0.001 * torque * torque);
        // The torque's part is float32 in Gymnasium, whose actions are.
        const pulled = turn + (((3 * GRAVITY) / 2) * Math.sin(angle) + Math.fround(3 * torque)) * STEP_SECONDS;
        state[1] = Math.min(Math.max(pulled, -MOST_TURN), MOST_TURN);
        state[0] = angle + state[1] * STEP_SECONDS;
        return outcome;
      },
    });
  },
});
