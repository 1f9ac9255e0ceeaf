import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import { createGraph, finish } from '../../graph/builder.ts';
import { interpret } from '../../graph/interpret.ts';
import * as ops from '../../graph/ops.ts';
import { defineEnvironment } from '../define.ts';
import type { ActionSpec } from '../environment.ts';
import type { Actor } from './actor.ts';
import { batchSlots, passOf } from './batches.ts';
import { distributionOf } from './distribution.ts';
import { collect } from './rollout.ts';

/** Counts its steps. An episode terminates after 3 steps, or is cut off after `maxSteps`; the reward is the count. */
const counting = (maxSteps: number) =>
  defineEnvironment({
    name: 'counting',
    observation: { shape: [1], low: 0, high: 10 },
    action: { kind: 'discrete', count: 2 },
    maxSteps,
    success: { rule: 'none', holds: () => false },
    open() {
      let at = 0;
      return {
        reset(_, observation) {
          at = 0;
          observation[0] = 0;
        },
        step(_, observation) {
          at++;
          observation[0] = at;
          return { reward: at, terminated: at === 3 };
        },
      };
    },
  });

/** Values a state by ten times its observation. */
function valuing(lanes: number): Actor {
  const seen = new Float32Array(lanes);
  const look = async (observations: Float32Array) => {
    seen.set(observations);
    return Float32Array.from({ length: 3 * lanes }, (_, i) => (i % 3 === 2 ? 10 * (seen[(i - 2) / 3] as number) : 0));
  };
  return { lanes, seen, memory: [], act: look, look, begin: () => {} };
}

async function rolloutOf(maxSteps: number, steps: number, lambda: number) {
  const environment = counting(maxSteps);
  const lanes = environment.open(1);
  lanes.reset(0, rng(0));
  return collect({
    ...{ environment, lanes, actor: valuing(1), steps, lambda, discount: 0.5, random: rng('actions') },
    distribution: distributionOf(environment.action),
    begin: (lane) => lanes.reset(lane, rng(0)),
  });
}

test('advantages: nothing follows what has terminated, the value of the last state what was cut off', async () => {
  // Rewards 1, 2, 3, values 0, 10, 20, then an episode that the rollout ends after its first step.
  const terminated = await rolloutOf(9, 4, 0);
  assert.deepEqual([...terminated.advantages], [1 + 0.5 * 10 - 0, 2 + 0.5 * 20 - 10, 3 - 20, 1 + 0.5 * 10 - 0]);
  assert.deepEqual([...terminated.returns], [6, 12, 3, 6]);
  assert.deepEqual([...terminated.begins], [1, 0, 0, 1]);
  const cut = await rolloutOf(2, 2, 0);
  assert.deepEqual([...cut.advantages], [6, 2 + 0.5 * 20 - 10]);
});

test('advantages: λ = 1 gives discounted returns less the values, λ between them the sum of the paper', async () => {
  const whole = await rolloutOf(9, 3, 1);
  assert.deepEqual([...whole.returns], [1 + 0.5 * (2 + 0.5 * 3), 2 + 0.5 * 3, 3]);
  const half = await rolloutOf(9, 3, 0.5);
  assert.deepEqual([...half.advantages], [6 + 0.25 * (2 + 0.25 * -17), 2 + 0.25 * -17, -17]);
});

test('drawn actions have the probability that the graph gives them', () => {
  const specs: readonly ActionSpec[] = [
    { kind: 'discrete', count: 3 },
    { kind: 'continuous', size: 2, low: [-1, 0], high: [1, 4] },
  ];
  for (const spec of specs) {
    const distribution = distributionOf(spec);
    const { outputs: count, width } = distribution;
    const outputs = Float32Array.from({ length: count }, (_, i) => 0.3 * i - 0.5);
    const drawn = new Float32Array(width);
    const log = distribution.draw(outputs, 0, rng('draw'), drawn, 0);
    const g = createGraph();
    const given = ops.input(g, 'outputs', [1, count]);
    const actions = ops.input(g, 'actions', [1, width]);
    const graph = finish(g, distribution.append(g, given, actions));
    const found = interpret(graph, {
      outputs: { shape: [1, count], data: outputs },
      actions: { shape: [1, width], data: drawn },
    });
    assert.ok(Math.abs((found.logProbability?.data[0] ?? Number.NaN) - log) < 1e-6);
    const expected =
      spec.kind === 'discrete'
        ? entropyOf([...outputs])
        : [...outputs.subarray(2)].reduce((sum, one) => sum + one + 0.5 * Math.log(2 * Math.PI * Math.E), 0);
    assert.ok(Math.abs((found.entropy?.data[0] ?? Number.NaN) - expected) < 1e-6);
  }
});

const entropyOf = (logits: readonly number[]) => {
  const total = logits.reduce((sum, one) => sum + Math.exp(one), 0);
  return -logits.reduce((sum, one) => sum + (Math.exp(one) / total) * Math.log(Math.exp(one) / total), 0);
};

test('numbers of a continuous action are in units of half its range', () => {
  const distribution = distributionOf({ kind: 'continuous', size: 2, low: [-1, 0], high: [1, 4] });
  const action = new Float32Array(2);
  distribution.greedy(Float32Array.of(0.5, -1, 0, 0), 0, action, 0);
  distribution.toAction(action, 0);
  assert.deepEqual([...action], [0.5, 0]);
});

test('sequences end with their episode; what is missing has no weight', async () => {
  const rollout = await rolloutOf(9, 8, 0.9);
  const form = { sequences: 3, length: 2, observation: [1], recurrent: true };
  const pass = passOf(rollout, form, rng('order'));
  // Episodes of 3, 3 and 2 steps: sequences of 2, 1, 2, 1 and 2 steps.
  assert.equal(pass.count, 2);
  const [slot] = batchSlots(form, 1, []);
  assert.ok(slot);
  const seen: number[][] = [];
  for (let number = 0; number < pass.count; number++) {
    pass.fill(number, slot.arrays);
    const { weight, observation } = slot.arrays;
    const isStep = [...weight.data].map((one) => one > 0);
    assert.ok(Math.abs(weight.data.reduce((sum, one) => sum + one, 0) - 1) < 1e-6);
    for (let at = 0; at < 3; at++)
      seen.push([...observation.data.subarray(2 * at, 2 * at + 2)].filter((_, t) => isStep[2 * at + t]));
  }
  assert.deepEqual(
    seen.toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
    [[], [0, 1], [0, 1], [0, 1], [2], [2]],
  );
});
