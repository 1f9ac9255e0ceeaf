import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../../common/random.ts';
import { createGraph, finish } from '../../../graph/builder.ts';
import { interpret } from '../../../graph/interpret.ts';
import * as ops from '../../../graph/ops.ts';
import { initialize } from '../../../network/initialize.ts';
import { lowerNetwork } from '../../../network/lower.ts';
import type { SpaceOptions, Task } from '../../space.ts';
import { searchSpaceConformance } from '../../testing/conformance.ts';
import { count } from '../../tree/count.ts';
import type { Module } from '../../tree/module.ts';
import { resolve } from '../../tree/resolve.ts';
import { searchSpaceOf } from '../../tree/tree-search-space.ts';
import { sample } from '../../tree/vary.ts';
import { policy } from './policy.ts';

const task = (input: readonly number[], outputs: number): Task => ({
  ...{ kind: 'control', input, outputs },
  ...(input.length === 2 && { positions: [input[1] ?? 1] }),
});

for (const [input, outputs, options] of [
  [[4], 3, {}],
  [[4], 2, { value: false }],
  [[3], 5, { deviations: true }],
  [[4, 1], 3, {}],
  [[4, 5], 7, { deviations: true }],
  [[4, 10, 10], 4, {}],
  [[3, 84, 84], 4, {}],
] as const satisfies readonly (readonly [readonly number[], number, SpaceOptions])[]) {
  const about = task(input, outputs);
  const network = (module: Module) => {
    const g = createGraph();
    const shape = [outputs, ...(about.positions ?? [])];
    lowerNetwork(g, module, ops.input(g, 'x', [2, ...input]), { outputs, mode: 'train', shape });
  };
  searchSpaceConformance(searchSpaceOf(policy.create(about, options)), { network, samples: 5 });
}

test('the number of members', () => {
  const members = (...input: readonly number[]) => Number(count(policy.create(task(input, 3))));
  assert.deepEqual([members(4), members(4, 1), members(4, 10, 10)], [930, 930 * 11, 930 * 9]);
});

test('the deviations of a Gaussian policy depend on no observation, its means do', () => {
  const space = policy.create(task([3], 5), { deviations: true });
  const g = createGraph();
  const network = resolve(space, sample(space, rng('gaussian')));
  const { output, parameters } = lowerNetwork(g, network, ops.input(g, 'x', [2, 3]), { outputs: 5, mode: 'infer' });
  const weights = initialize(parameters, (...labels) => rng(...labels));
  const x = { shape: [2, 3], data: Float32Array.of(1, 2, 3, -1, 0, 5) };
  const { data } = interpret(finish(g, { output }), { ...weights, x }).output ?? x;
  assert.deepEqual(data.slice(2, 4), data.slice(7, 9));
  assert.notDeepEqual(data.slice(0, 2), data.slice(5, 7));
});

test('outputs that cannot be those of a policy are refused', () => {
  assert.throws(() => policy.create(task([3], 4), { deviations: true }), {
    name: 'UserError',
    message: /space "policy": option deviations is true; outputs, 4, must be a mean and a deviation for each action/,
  });
  assert.throws(() => policy.create(task([3], 1)), /space "policy": option value .*; outputs is 1, must be at least 2/);
});
