import assert from 'node:assert/strict';
import { test } from 'node:test';
import { taskOf } from './index.ts';
import { testTask } from './testing/conformance.ts';

const waves = (count: number) => Float32Array.from({ length: count }, (_, i) => 2 * Math.sin(i * 1.7));

testTask('classification', taskOf({ kind: 'classification' }), {
  data: { name: 'three classes', input: [2], outputs: 3 },
  count: 5,
  raw: { target: Float32Array.of(0, 2, 1, 1, 0) },
  outputs: waves(15),
});

testTask('regression', taskOf({ kind: 'regression' }), {
  data: { name: 'two targets', input: [2], outputs: 2, target: { mean: [10, -4], deviation: [3, 0.5] } },
  count: 5,
  raw: { target: waves(10).map((v) => v + 5) },
  outputs: waves(10),
});

test('what predict prints is a class with its probabilities, or the values', () => {
  const named = { cat: 0.25, dog: 0.5, owl: 0.25 };
  const [labels, values] = [Object.keys(named), Object.values(named)];
  assert.deepEqual(taskOf({ kind: 'classification' }).decode({ probabilities: values }, labels), {
    class: 'dog',
    probabilities: named,
  });
  assert.deepEqual(taskOf({ kind: 'regression' }).decode({ values }, labels), { values: named });
});
