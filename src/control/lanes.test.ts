import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { defineEnvironment, type EnvironmentDefinition } from './define.ts';
import { XOR_CASES, xor } from './environments/xor.ts';
import type { Lane } from './lane.ts';

const walk: EnvironmentDefinition = {
  name: 'walk',
  observation: { shape: [1], low: -5, high: 5 },
  action: { kind: 'discrete', count: 2 },
  maxSteps: 4,
  success: { rule: 'reaches 2', holds: ({ terminated }) => terminated },
  open() {
    let at = 0;
    return {
      reset(random, observation) {
        at = random.int(2);
        observation[0] = at;
      },
      step(action, observation) {
        at += action[0] === 1 ? 1 : -1;
        observation[0] = at;
        return { reward: at, terminated: at === 2 };
      },
    };
  },
};

test('lanes end apart: an ended one stays as it is until it is reset', () => {
  const lanes = defineEnvironment(walk).open(2);
  lanes.reset(0, rng(1));
  lanes.reset(1, rng(1));
  const start = lanes.observations[0] ?? 0;
  for (let step = start; step < 2; step++) lanes.step(Float32Array.of(1, 0));
  assert.deepEqual([...lanes.terminated], [1, 0]);
  const episode = lanes.episode(0);
  assert.deepEqual([episode.terminated, episode.succeeded, episode.steps], [true, true, 2 - start]);
  lanes.step(Float32Array.of(0, 0));
  assert.equal(lanes.observations[0], 2);
  assert.equal(lanes.rewards[0], 0);
  assert.deepEqual(lanes.episode(0), episode);
  while (lanes.truncated[1] === 0) lanes.step(Float32Array.of(0, 0));
  assert.deepEqual([lanes.steps[1], lanes.terminated[1], lanes.episode(1).succeeded], [4, 0, false]);
  lanes.reset(0, rng(1));
  assert.deepEqual([lanes.observations[0], lanes.steps[0], lanes.returns[0], lanes.terminated[0]], [start, 0, 0, 0]);
});

test('an action that is none is refused, with lane, value and rule; one beyond the bounds is clipped', () => {
  const lanes = defineEnvironment(walk).open(2);
  for (const lane of [0, 1]) lanes.reset(lane, rng(lane));
  for (const bad of [2, -1, 0.5, Number.NaN])
    assert.throws(() => lanes.step(Float32Array.of(0, bad)), {
      name: 'UserError',
      message: `environment "walk": action in lane 1: ${bad}; must be a whole number from 0 to 1`,
    });
  assert.throws(() => lanes.step(Float32Array.of(0)), /actions: 1 numbers; must be 2/);
  const outputs = xor.open(1);
  outputs.reset(0, rng(0));
  outputs.step(Float32Array.of(7));
  assert.equal(outputs.rewards[0], 0);
  assert.throws(() => outputs.step(Float32Array.of(Number.NaN)), /must be finite numbers/);
});

test('an answer that is not a number, or lacks a value, is refused with environment, step and lane', () => {
  const broken = (part: Partial<Lane>) => {
    const lanes = defineEnvironment({ ...walk, open: () => ({ ...walk.open(), ...part }) }).open(1);
    lanes.reset(0, rng(0));
    lanes.step(Float32Array.of(1));
  };
  assert.throws(() => broken({ step: () => ({ reward: Number.NaN, terminated: false }) }), {
    name: 'UserError',
    message: 'environment "walk": reward at step 1 (lane 0): NaN; must be a finite number',
  });
  assert.throws(() => broken({ reset: () => undefined }), /observation, value 0 at the reset \(lane 0\): NaN; must be/);
  const infinite: Pick<Lane, 'step'> = {
    step(_, observation) {
      observation[0] = Infinity;
      return { reward: 0, terminated: false };
    },
  };
  assert.throws(() => broken(infinite), /observation, value 0 at step 1 \(lane 0\): Infinity; must be a finite number/);
});

test('specifications that contradict themselves are refused', () => {
  const refused = (part: Partial<EnvironmentDefinition>, message: RegExp) =>
    assert.throws(() => defineEnvironment({ ...walk, ...part }), { name: 'UserError', message });
  refused({ maxSteps: 0 }, /environment "walk": maxSteps: 0; must be a whole number, at least 1/);
  refused({ action: { kind: 'discrete', count: 1 } }, /action\.count: 1; must be a whole number, at least 2/);
  refused({ action: { kind: 'continuous', size: 2, low: [0], high: [1, 1] } }, /action\.low: \[0\]; must be 2 finite/);
  refused({ action: { kind: 'continuous', size: 1, low: [1], high: [1] } }, /action\.low: \[1\]; must be below/);
  refused({ observation: { shape: [0], low: 0, high: 1 } }, /observation\.shape: \[0\]; must be whole numbers/);
  refused({ observation: { shape: [2], low: [0], high: 1 } }, /observation\.low: 1 bounds; must be one, or 2/);
  refused({ observation: { shape: [1], low: 2, high: 1 } }, /observation\.low: 2; must be at most the upper bound, 1/);
});

test('XOR: right outputs end the episode as a success with fitness 16, others by the limit of steps', () => {
  const play = (outputs: readonly number[]) => {
    const lanes = xor.open(1);
    lanes.reset(0, rng(0));
    for (const [i, output] of outputs.entries()) {
      assert.deepEqual([...lanes.observations], XOR_CASES[i]?.inputs);
      lanes.step(Float32Array.of(output));
    }
    return lanes.episode(0);
  };
  assert.deepEqual(play([0, 1, 1, 0]), { return: 4, steps: 4, terminated: true, fitness: 16, succeeded: true });
  const constant = play([0.5, 0.5, 0.5, 0.5]);
  assert.deepEqual(constant, { return: 2, steps: 4, terminated: false, fitness: 4, succeeded: false });
  assert.equal(play([0.49, 0.51, 0.51, 0.49]).succeeded, true);
});
