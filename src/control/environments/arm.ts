/**
 * An arm of two joints that is to bring its tip to a target, in the horizontal plane: each link a rod of 0.5 m and 1 kg, a motor of up to 1 Nm
 * and friction in each joint, the equations of a planar manipulator (Spong and Vidyasagar 1989, section 6.4, without gravity), Runge-Kutta at
 * 0.05 s. Our own task, after Gymnasium's Reacher, which needs MuJoCo. State: [angle 1, angle 2 relative to link 1, angle 1', angle 2',
 * target x, target y]. Arm and target start at random; the reward is -distance - 0.01 (torque 1^2 + torque 2^2) a step, and the episode
 * ends when the tip is within 0.05 m of the target.
 */
import { defineEnvironment } from '../define.ts';
import { observeJoints, physicalLane, rungeKutta, uniform } from '../physics.ts';

const LENGTH_M = 0.5;
const LINK_KG = 1;
const FRICTION = 0.1;
const STEP_SECONDS = 0.05;
const REACH_M = 0.05;
const EFFORT = 0.01;
/** Targets lie between these distances from the shoulder: neither folded up nor stretched out. */
const TARGET_M = { least: 0.3, most: 0.9 };
// The terms of the mass matrix, for rods about their ends and joints.
const ROD = (LINK_KG * LENGTH_M ** 2) / 3;
const CARRIED = LINK_KG * LENGTH_M ** 2;
const COUPLING = (LINK_KG * LENGTH_M ** 2) / 2;

/** The arm. */
export const arm = defineEnvironment({
  name: 'arm',
  description: 'an arm of two joints that brings its tip to a target in the plane',
  observation: {
    shape: [8],
    names: [
      'cos angle 1',
      'sin angle 1',
      'cos angle 2',
      'sin angle 2',
      "angle 1'",
      "angle 2'",
      'to target x',
      'to target y',
    ],
    low: [-1, -1, -1, -1, -Infinity, -Infinity, -2, -2],
    high: [1, 1, 1, 1, Infinity, Infinity, 2, 2],
  },
  action: { kind: 'continuous', size: 2, low: [-1, -1], high: [1, 1], names: ['torque 1 (Nm)', 'torque 2 (Nm)'] },
  maxSteps: 100,
  success: { rule: 'the tip is within 5 cm of the target in 100 steps', holds: ({ terminated }) => terminated },
  state: ['angle 1', 'angle 2', "angle 1'", "angle 2'", 'target x', 'target y'],
  open() {
    const integrate = rungeKutta(6, derivatives);
    const outcome = { reward: 0, terminated: false };
    return physicalLane(6, {
      start(rng, state) {
        state[0] = uniform(rng, -Math.PI, Math.PI);
        state[1] = uniform(rng, -Math.PI, Math.PI);
        state[2] = state[3] = 0;
        const direction = uniform(rng, -Math.PI, Math.PI);
        const distance = uniform(rng, TARGET_M.least, TARGET_M.most);
        state[4] = distance * Math.cos(direction);
        state[5] = distance * Math.sin(direction);
      },
      observe(state, observation) {
        observeJoints(state, observation);
        observation[6] = awayX(state);
        observation[7] = awayY(state);
      },
      step(action, state) {
        integrate(state, action, STEP_SECONDS);
        const distance = Math.hypot(awayX(state), awayY(state));
        const [torque1, torque2] = [action[0] as number, action[1] as number];
        outcome.reward = -distance - EFFORT * (torque1 * torque1 + torque2 * torque2);
        outcome.terminated = distance < REACH_M;
        return outcome;
      },
    });
  },
});

/** From the tip to the target. */
function awayX(state: Float64Array): number {
  const angle1 = state[0] as number;
  return (state[4] as number) - LENGTH_M * (Math.cos(angle1) + Math.cos(angle1 + (state[1] as number)));
}

function awayY(state: Float64Array): number {
  const angle1 = state[0] as number;
  return (state[5] as number) - LENGTH_M * (Math.sin(angle1) + Math.sin(angle1 + (state[1] as number)));
}

/** Mass matrix times accelerations = torques - friction - what turning links do to each other; solved for the accelerations. */
function derivatives(state: Float64Array, action: Float32Array, into: Float64Array): void {
  const angle2 = state[1] as number;
  const turn1 = state[2] as number;
  const turn2 = state[3] as number;
  const cos = Math.cos(angle2);
  const whirl = COUPLING * Math.sin(angle2);
  const m11 = 2 * ROD + CARRIED + 2 * COUPLING * cos;
  const m12 = ROD + COUPLING * cos;
  const push1 = (action[0] as number) - FRICTION * turn1 + whirl * turn2 * (2 * turn1 + turn2);
  const push2 = (action[1] as number) - FRICTION * turn2 - whirl * turn1 * turn1;
  const determinant = m11 * ROD - m12 * m12;
  into[0] = turn1;
  into[1] = turn2;
  into[2] = (ROD * push1 - m12 * push2) / determinant;
  into[3] = (m11 * push2 - m12 * push1) / determinant;
  into[4] = into[5] = 0;
}
