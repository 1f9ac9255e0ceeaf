/**
 * Acrobot: two links that hang from a joint, with a motor between them, which is to swing the tip above a line. Sutton 1996, with the equations
 * of Sutton and Barto's book; constants and rules of Gymnasium's Acrobot-v1 (bench/parity/control.ts compares step by step), integrated by
 * Runge-Kutta at 0.2 s. State: [angle 1, angle 2 relative to link 1, angle 1', angle 2'] in rad and rad/s, 0 hangs down. The reward is -1 a
 * step, and 0 for the one that reaches the line.
 */
import { defineEnvironment } from '../define.ts';
import { observeJoints, physicalLane, rungeKutta, uniform } from '../physics.ts';

const GRAVITY = 9.8;
const STEP_SECONDS = 0.2;
// Both links: 1 kg, 1 m, center of mass at 0.5 m, moment of inertia 1 kg m^2.
const [MASS, LENGTH, CENTER, INERTIA] = [1, 1, 0.5, 1];
const MOST_TURN_1 = 4 * Math.PI;
const MOST_TURN_2 = 9 * Math.PI;
const START = 0.1;

const SWINGS = Object.freeze({ reward: -1, terminated: false });
const REACHED = Object.freeze({ reward: 0, terminated: true });

/** Acrobot-v1. */
export const acrobot = defineEnvironment({
  name: 'acrobot',
  description: "two links that swing their tip above a line: Gymnasium's Acrobot-v1",
  observation: {
    shape: [6],
    names: ['cos angle 1', 'sin angle 1', 'cos angle 2', 'sin angle 2', "angle 1'", "angle 2'"],
    low: [-1, -1, -1, -1, -MOST_TURN_1, -MOST_TURN_2],
    high: [1, 1, 1, 1, MOST_TURN_1, MOST_TURN_2],
  },
  action: { kind: 'discrete', count: 3, names: ['-1 Nm', 'none', '1 Nm'] },
  maxSteps: 500,
  success: { rule: 'the tip is above the line within 100 steps', holds: ({ return: sum }) => sum >= -100 },
  state: ['angle 1', 'angle 2', "angle 1'", "angle 2'"],
  open() {
    const integrate = rungeKutta(4, derivatives);
    return physicalLane(4, {
      start(rng, state) {
        for (let i = 0; i < 4; i++) state[i] = uniform(rng, -START, START);
      },
      observe: observeJoints,
      step(action, state) {
        integrate(state, action, STEP_SECONDS);
        state[0] = wrapped(state[0] as number);
        state[1] = wrapped(state[1] as number);
        state[2] = Math.min(Math.max(state[2] as number, -MOST_TURN_1), MOST_TURN_1);
        state[3] = Math.min(Math.max(state[3] as number, -MOST_TURN_2), MOST_TURN_2);
        const height = -Math.cos(state[0]) - Math.cos(state[1] + state[0]);
        return height > 1 ? REACHED : SWINGS;
      },
    });
  },
});

function derivatives(state: Float64Array, action: Float32Array, into: Float64Array): void {
  const torque = (action[0] as number) - 1;
  const angle1 = state[0] as number;
  const angle2 = state[1] as number;
  const turn1 = state[2] as number;
  const turn2 = state[3] as number;
  const cos2 = Math.cos(angle2);
  const sin2 = Math.sin(angle2);
  const arm = MASS * LENGTH * CENTER;
  const d1 = MASS * CENTER ** 2 + MASS * (LENGTH ** 2 + CENTER ** 2 + 2 * LENGTH * CENTER * cos2) + 2 * INERTIA;
  const d2 = MASS * (CENTER ** 2 + LENGTH * CENTER * cos2) + INERTIA;
  const phi2 = MASS * CENTER * GRAVITY * Math.cos(angle1 + angle2 - Math.PI / 2);
  const phi1 =
    -arm * turn2 ** 2 * sin2 -
    2 * arm * turn2 * turn1 * sin2 +
    (MASS * CENTER + MASS * LENGTH) * GRAVITY * Math.cos(angle1 - Math.PI / 2) +
    phi2;
  const bend =
    (torque + (d2 / d1) * phi1 - arm * turn1 ** 2 * sin2 - phi2) / (MASS * CENTER ** 2 + INERTIA - d2 ** 2 / d1);
  into[0] = turn1;
  into[1] = turn2;
  into[2] = -(d2 * bend + phi1) / d1;
  into[3] = bend;
}

/** Into [-pi, pi]. */
function wrapped(angle: number): number {
  let turned = angle;
  while (turned > Math.PI) turned -= 2 * Math.PI;
  while (turned < -Math.PI) turned += 2 * Math.PI;
  return turned;
}
