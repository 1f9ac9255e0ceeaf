/**
 * A car in a valley, too weak to drive straight up: Moore 1990, in two forms with the constants and rules of Gymnasium's MountainCar-v0 and
 * MountainCarContinuous-v0 (bench/parity/control.ts compares step by step). State and observation are [position, velocity]; the valley is
 * sin(3 position).
 */
import { defineEnvironment } from '../define.ts';
import type { Environment, ObservationSpec } from '../environment.ts';
import { physicalLane, uniform } from '../physics.ts';

const LEFT = -1.2;
const RIGHT = 0.6;
const MOST_SPEED = 0.07;
const GOAL = 0.5;
const FORCE = 0.001;
const GRAVITY = 0.0025;
const CONTINUOUS = { goal: 0.45, power: 0.0015 };

const observation: ObservationSpec = {
  shape: [2],
  names: ['position', 'velocity'],
  low: [LEFT, -MOST_SPEED],
  high: [RIGHT, MOST_SPEED],
};

const shared = {
  observation,
  state: ['position', 'velocity'],
} as const;

function start(rng: Parameters<typeof uniform>[0], state: Float64Array): void {
  state[0] = uniform(rng, -0.6, -0.4);
  state[1] = 0;
}

const observe = (state: Float64Array, into: Float32Array): void => into.set(state);

const DRIVES = Object.freeze({ reward: -1, terminated: false });
const ARRIVED = Object.freeze({ reward: -1, terminated: true });

/** MountainCar-v0: left, none, right; the reward is -1 a step. */
export const mountainCar: Environment = defineEnvironment({
  ...shared,
  name: 'mountain-car',
  description: "a car in a valley, too weak to drive straight up: Gymnasium's MountainCar-v0",
  action: { kind: 'discrete', count: 3, names: ['left', 'none', 'right'] },
  maxSteps: 200,
  success: { rule: 'the car is on the hill within 110 steps', holds: ({ return: sum }) => sum >= -110 },
  open: () =>
    physicalLane(2, {
      start,
      observe,
      step(action, state) {
        const pull = ((action[0] as number) - 1) * FORCE - Math.cos(3 * (state[0] as number)) * GRAVITY;
        const velocity = clipped((state[1] as number) + pull, -MOST_SPEED, MOST_SPEED);
        const position = clipped((state[0] as number) + velocity, LEFT, RIGHT);
        state[0] = position;
        state[1] = position === LEFT && velocity < 0 ? 0 : velocity;
        return position >= GOAL && state[1] >= 0 ? ARRIVED : DRIVES;
      },
    }),
});

const { fround } = Math;

/**
 * MountainCarContinuous-v0: a force from -1 to 1, whose square costs 0.1 a step; 100 at the goal. As there, the state is rounded to float32. A
 * force beyond the bounds costs what the bound costs; Gymnasium takes the square of the force before it is clipped.
 */
export const mountainCarContinuous: Environment = defineEnvironment({
  ...shared,
  name: 'mountain-car-continuous',
  description: "a car in a valley, driven by a continuous force: Gymnasium's MountainCarContinuous-v0",
  action: { kind: 'continuous', size: 1, low: [-1], high: [1], names: ['force'] },
  maxSteps: 999,
  success: { rule: 'a return of at least 90', holds: ({ return: sum }) => sum >= 90 },
  open() {
    const outcome = { reward: 0, terminated: false };
    return physicalLane(2, {
      start,
      observe,
      step(action, state) {
        const force = action[0] as number;
        const slope = fround(GRAVITY * Math.cos(fround(3 * (state[0] as number))));
        const pull = fround(fround(force * fround(CONTINUOUS.power)) - slope);
        const velocity = clipped(fround((state[1] as number) + pull), -fround(MOST_SPEED), fround(MOST_SPEED));
        const position = clipped(fround((state[0] as number) + velocity), fround(LEFT), fround(RIGHT));
        state[0] = position;
        state[1] = position === fround(LEFT) && velocity < 0 ? 0 : velocity;
        outcome.terminated = position >= fround(CONTINUOUS.goal) && state[1] >= 0;
        outcome.reward = (outcome.terminated ? 100 : 0) - 0.1 * force * force;
        return outcome;
      },
    });
  },
});

function clipped(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
