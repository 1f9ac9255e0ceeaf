import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import type { LaneStates } from '../environment.ts';
import { arm } from './arm.ts';

/** Torques that pull the tip along the way to the target (transposed Jacobian), with friction. */
function reaching(seen: Float32Array): Float32Array {
  const [c1 = 0, s1 = 0, c2 = 0, s2 = 0, turn1 = 0, turn2 = 0, x = 0, y = 0] = seen;
  const [c12, s12] = [c1 * c2 - s1 * s2, s1 * c2 + c1 * s2];
  const [forearmX, forearmY] = [0.5 * c12, 0.5 * s12];
  const [tipX, tipY] = [forearmX + 0.5 * c1, forearmY + 0.5 * s1];
  return Float32Array.of(5 * (tipX * y - tipY * x) - 0.6 * turn1, 5 * (forearmX * y - forearmY * x) - 0.2 * turn2);
}

test('a law that pulls the tip towards the target reaches it from most starts, resting reaches it from few', () => {
  const lanes = arm.open(100);
  const played = (act: (seen: Float32Array) => Float32Array) => {
    for (let lane = 0; lane < 100; lane++) lanes.reset(lane, rng('arm', lane));
    for (let step = 0; step < arm.maxSteps; step++) {
      const actions = Array.from({ length: 100 }, (_, i) => [...act(lanes.observations.subarray(8 * i, 8 * i + 8))]);
      lanes.step(Float32Array.from(actions.flat()));
    }
    return Array.from({ length: 100 }, (_, lane) => lanes.episode(lane)).filter(({ succeeded }) => succeeded).length;
  };
  assert.ok(played(reaching) >= 85, `${played(reaching)}`);
  assert.ok(played(() => new Float32Array(2)) < 10);
});

/** Kinetic energy, by the velocities of the rods' centers: written without the mass matrix. */
function energy([angle1 = 0, angle2 = 0, turn1 = 0, turn2 = 0]: Readonly<Float64Array>): number {
  const spin = turn1 + turn2;
  const elbow = [-0.5 * Math.sin(angle1) * turn1, 0.5 * Math.cos(angle1) * turn1] as const;
  const center = [
    elbow[0] - 0.25 * Math.sin(angle1 + angle2) * spin,
    elbow[1] + 0.25 * Math.cos(angle1 + angle2) * spin,
  ] as const;
  const inertia = 0.5 ** 2 / 12;
  const first = 0.25 ** 2 * turn1 ** 2;
  return 0.5 * (first + inertia * turn1 ** 2 + center[0] ** 2 + center[1] ** 2 + inertia * spin ** 2);
}

test('what the motors and friction do to the energy is what it changes by', () => {
  const lanes = arm.open(1);
  const states = lanes.states as LaneStates;
  for (const [torques, start] of [
    [
      [0, 0],
      [0.3, 0.7, 2, -1, 0.5, 0.5],
    ],
    [
      [0.1, -0.05],
      [0.3, 0.7, 1, -2, 0.5, 0.5],
    ],
  ] as const) {
    states.begin(0, start);
    const before = energy(states.of(0));
    lanes.step(Float32Array.from(torques));
    const after = states.of(0);
    // Power over the step, by the mean of its two ends: an error of third order in the length of the step.
    const power = (state: ArrayLike<number>) =>
      torques.reduce<number>((sum, torque, i) => sum + (torque - 0.1 * (state[2 + i] ?? 0)) * (state[2 + i] ?? 0), 0);
    const work = 0.05 * 0.5 * (power(start) + power(after));
    assert.ok(Math.abs(energy(after) - before - work) < 2e-4, `${energy(after) - before} against ${work}`);
  }
});
